/* The lines that move are drawn, and put in a random order; each takes the place of the next. */
#include "corpora/corrupt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/strbuf.h"

#define FIELD(member) offsetof(struct corrupt_config, member)
const struct option corrupt_options[] = {
    { "share", OPTION_FLOAT, FIELD(share), "0.4", 0, 1, "of the targets that change places among themselves" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 0, "which of them" },
    { 0 }
};

/* place[i]: the line that comes to stand at line i. */
static size_t *places(size_t lines, size_t moved, int64_t seed)
{
    size_t *place = xcalloc(lines + 1, sizeof *place), *order = xcalloc(lines + 1, sizeof *order);
    struct rng rng;
    rng_seed(&rng, rng_stream((uint64_t)seed, "corrupt"), 0);
    for (size_t i = 0; i < lines; i++)
        place[i] = order[i] = i;
    rng_shuffle(&rng, order, lines, sizeof *order);
    for (size_t i = 0; i < moved; i++)
        place[order[i]] = order[(i + 1) % moved];
    free(order);
    return place;
}

int corpus_corrupt(struct corrupt_report *report, const char *out, const char *in,
                   const struct corrupt_config *config, struct error *err)
{
    struct strings lines = { 0 };
    struct outfile file = { 0 };
    int ret = -1;
    if (files_differ(out, in, err) < 0 || lines_read(&lines, in, 0, err) < 0 || outfile_open(&file, out, err) < 0)
        goto done;
    *report = (struct corrupt_report){ .lines = (int64_t)lines.count };
    report->moved = llround((double)config->share * (double)lines.count);
    if (report->moved == 1)             /* there is no other line to change with */
        report->moved = 0;
    size_t *place = places(lines.count, (size_t)report->moved, config->seed);
    for (size_t i = 0; i < lines.count; i++) {
        report->same += place[i] != i && !strcmp(lines.items[i], lines.items[place[i]]);
        fprintf(file.stream, "%s\n", lines.items[place[i]]);
    }
    free(place);
    ret = outfile_commit(&file, err);
done:
    outfile_abort(&file);
    strings_release(&lines);
    return ret;
}
