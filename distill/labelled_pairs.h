#ifndef DISTILL_LABELLED_PAIRS_H
#define DISTILL_LABELLED_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lines.h"
#include "base/option.h"
#include "base/strbuf.h"

struct derived;
struct error;

/* From text and the lists of its hypotheses (decode/nbest.h) to the pairs of a training set: the best
 * hypothesis of each line or all of them, as targets or, of text in the target language
 * (back-translation, Sennrich 2016), as sources.  Hypotheses that are no use are left out. */
enum label_direction { LABEL_FORWARD, LABEL_BACK };
enum hypotheses { HYPOTHESES_BEST, HYPOTHESES_ALL };
enum pair_weights {
    WEIGHT_ONE,                 /* every pair counts alike */
    WEIGHT_EQUAL,               /* every line counts alike: 1 / hypotheses that are kept of it */
    WEIGHT_PROBABILITY          /* likewise, divided by the model's probabilities (Kim & Rush 2016) */
};

struct labelled_config {
    bool keep_cut;
    int direction, hypotheses, weights;         /* enums above */
    char *tag;                  /* stands before each source; NULL: none */
};
extern const struct option labelled_options[];

struct labelled_counts {
    int64_t lines, kept;        /* of the text; pairs */
    int64_t empty, cut;         /* hypotheses, of those asked for, that are no use */
};

int labelled_pairs(struct derived *out, struct labelled_counts *counts, const struct strings *inputs,
                   enum utf8_policy utf8, const char *nbest, const struct labelled_config *config,
                   struct error *err);

#endif
