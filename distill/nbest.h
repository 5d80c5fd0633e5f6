#ifndef DISTILL_NBEST_H
#define DISTILL_NBEST_H

#include <stdint.h>
#include <stdio.h>

#include "base/lines.h"

struct error;
struct translation;

/* Lists of hypotheses, one a line, those of a sentence together and best first:
 *
 *     number of the sentence from 0 <tab> score <tab> log-probability <tab> c or - <tab> text
 *
 * where c marks a hypothesis that the length limit ended. */
struct nbest_line {
    int64_t sentence;
    double score, logp;
    int cut;
    const char *text;           /* borrowed until the next line */
};

void nbest_write(FILE *out, const struct translation *t, int64_t sentence);

/* The lists of a file, sentence by sentence. */
struct nbest {
    struct lines in;
    struct nbest_line line;
    int more;                   /* 1: `line` is there and not used up */
};
int nbest_open(struct nbest *n, const char *path, struct error *err);
int nbest_next(struct nbest *n, struct error *err);     /* 1: n->line; 0: the end; -1 */
void nbest_close(struct nbest *n);

#endif
