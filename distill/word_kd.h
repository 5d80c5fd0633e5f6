#ifndef DISTILL_WORD_KD_H
#define DISTILL_WORD_KD_H

#include <stdbool.h>

#include "base/option.h"
#include "seq2seq/objective.h"

struct error;
struct model;

/* Word-level distillation with the teacher online (Kim & Rush 2016; Hinton 2015):
 *
 *     (1-α) · cross-entropy to gold, smoothed  +  α · [T²] · cross-entropy to the teacher at T  */
struct word_kd_config {
    float alpha;                /* the teacher's share */
    float temperature;          /* divides both models' logits in the teacher's term */
    bool t_squared;             /* multiply that term by T², which keeps gradients comparable */
    float label_smoothing;      /* of the gold term */
};
extern const struct option word_kd_options[];

/* The teacher must outlive the objective.  Refuses, suggesting sequence-level distillation, when
 * the two models' target vocabularies or source vocabularies differ. */
int objective_word_kd(struct objective *out, const struct model *student,
                      const struct model *teacher, const struct word_kd_config *config,
                      struct error *err);

#endif
