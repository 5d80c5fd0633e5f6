#ifndef EVAL_BLEU_H
#define EVAL_BLEU_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"

/* BLEU (Papineni et al. 2002), as sacreBLEU computes it. */

#define BLEU_ORDER 4

enum bleu_smoothing { SMOOTH_EXP, SMOOTH_FLOOR, SMOOTH_ADD_K, SMOOTH_NONE };

struct cutter_model;

struct bleu_config {
    int tokenize;               /* a row of `cutters` */
    char *spm_model, *mecab_dictionary, *mecab_library;
    struct cutter_model *model; /* of the tokenizer, once metric_config_open found it */
    bool lowercase;
    int smooth_method;
    float smooth_value;         /* below 0: the method's own, 0.1 for floor and 1 for add-k */
    bool effective_order;       /* leave out orders that the hypothesis is too short for */
};
extern const struct option bleu_options[];

/* What is counted in a segment or a corpus. */
struct bleu_stats {
    double hyp_len, ref_len;            /* tokens; ref_len of the reference closest in length */
    double match[BLEU_ORDER];           /* n-grams of the hypothesis found in a reference */
    double total[BLEU_ORDER];           /* n-grams of the hypothesis */
};
#define BLEU_WIDTH ((int)(sizeof(struct bleu_stats) / sizeof(double)))

struct bleu_score {
    double score;                       /* 0 … 100 */
    double precision[BLEU_ORDER];       /* per cent */
    double brevity_penalty;             /* 0 … 1 */
    double ratio;                       /* hyp_len / ref_len */
};
void bleu_score(struct bleu_score *score, const struct bleu_config *config,
                const struct bleu_stats *stats);

#endif
