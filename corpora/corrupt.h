#ifndef CORPORA_CORRUPT_H
#define CORPORA_CORRUPT_H

#include <stdint.h>

#include "base/option.h"

struct error;

/* A corpus of which a known share is wrong, for trials of what resists wrong targets: so many
 * lines of a file change places among themselves, so that each of them stands beside another's source. */
struct corrupt_config {
    float share;                /* of the lines */
    int64_t seed;
};
extern const struct option corrupt_options[];

struct corrupt_report {
    int64_t lines, moved;
    int64_t same;               /* of those moved, lines that read as the one before them in that place */
};

/* `out` gets the lines of `in` (plain, gz, zst, xz), which is held in memory. */
int corpus_corrupt(struct corrupt_report *report, const char *out, const char *in,
                   const struct corrupt_config *config, struct error *err);

#endif
