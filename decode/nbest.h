#ifndef DECODE_NBEST_H
#define DECODE_NBEST_H

#include <stdint.h>
#include <stdio.h>

#include "base/lines.h"

struct error;
struct translation;

/* Lists of hypotheses, one a line, those of a sentence together and best first:
 *
 *     number of the sentence from 0 <tab> score <tab> log-probability <tab> marks <tab> text
 *
 * where marks are the letters of all that is remarkable, or "-".  A sentence that gave nothing has
 * one line without text: every sentence is there. */
enum nbest_mark {
    NBEST_CUT = 1,              /* c: the length limit ended the hypothesis */
    NBEST_TRUNCATED = 2,        /* t: only the beginning of the source was read */
    NBEST_EMPTY = 4,            /* e: there was nothing in the source */
    NBEST_BLANK = 8,            /* b: the hypothesis has no text */
    NBEST_FAILED = 16,          /* f: the model gave no finite probability */
    NBEST_BAD_TEXT = 32,        /* u: the source is not UTF-8, or holds a zero byte: not translated */
    NBEST_TOO_LONG = 64         /* l: a side was longer than allowed: not translated, or not scored */
};
enum { NBEST_MARKS = 7 };
extern const char nbest_letters[NBEST_MARKS + 1];       /* of mark 1 << i */
extern const char *const nbest_names[NBEST_MARKS];      /* for reports: "cut", "truncated", … */

/* Marks with which a line is no use for training: it has no text, or none worth learning. */
enum { NBEST_USELESS = NBEST_EMPTY | NBEST_BLANK | NBEST_FAILED | NBEST_BAD_TEXT | NBEST_TOO_LONG };

struct nbest_line {
    int64_t sentence;
    double score, logp;
    unsigned marks;
    const char *text;           /* borrowed until the next line */
};

/* One line; one of a sentence whose hypotheses are not at hand. */
void nbest_put(FILE *out, int64_t sentence, double score, double logp, unsigned marks, const char *text);

/* All of a sentence's hypotheses.  marks 0: each has those that it shows by itself. */
void nbest_write(FILE *out, const struct translation *t, int64_t sentence, unsigned marks);
/* The marks of one hypothesis that show by themselves. */
unsigned nbest_marks(const struct translation *t, int i);

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
