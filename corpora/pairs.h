#ifndef CORPORA_PAIRS_H
#define CORPORA_PAIRS_H

#include <stdint.h>

#include "base/lines.h"

struct error;

/* Two text files (plain, gz, zst) read side by side, line i with line i.
 *
 *     struct pairs in = {0};
 *     if (pairs_open(&in, "train.en", "train.de", err) < 0) goto done;
 *     while ((more = pairs_next(&in, err)) > 0)
 *         use(in.source.text, in.target.text);
 *     pairs_close(&in);
 *
 * The encoding policy of each side may be set before the first pairs_next. */
struct pairs {
    struct lines source, target;
};

int pairs_open(struct pairs *in, const char *source, const char *target, struct error *err);

/* 1 a pair, 0 the end of both, -1 an error.  Files of different length are an error that names
 * both, their counts, and the first line where they look out of step. */
int pairs_next(struct pairs *in, struct error *err);
void pairs_close(struct pairs *in);

/* The first line from which on two files that should be aligned look shifted against each other,
 * judged by lengths, numbers and final marks; 0 when no place stands out. */
int64_t pairs_misaligned(const char *source, const char *target);

#endif
