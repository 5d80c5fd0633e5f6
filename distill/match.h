#ifndef DISTILL_MATCH_H
#define DISTILL_MATCH_H

#include <jansson.h>
#include <stdint.h>

#include "base/option.h"

struct batch_source;
struct error;
struct model;
struct model_config;

/* Stage-wise feature matching (Gao 2018): a student learns its teacher's features from below,
 *
 *     embeddings → each encoder layer → decoder → soft-max
 *
 * one stage after the other.  In each but the last the loss is the squared distance, a number of the
 * feature, between what the teacher has there and what the student has, through a learned projection
 * where their widths differ; in the last it is the cross-entropy to the teacher's distribution.  Only the
 * weights of the stage itself change: what is below it is frozen, and what is above has no part in it.
 *
 * Features of an encoder layer are taken as the encoder would give them if it ended there.  Layer i of n
 * looks at layer round(i·N/n) of the teacher's N.  An output layer that is tied to embeddings
 * is one of them: in the last stage only its bias is left. */
struct match_config {
    int updates;                /* of each stage */
    float learning_rate;        /* at a stage's beginning; falls to 0 */
    float clip_norm;            /* 0: none */
    int64_t seed;
};
extern const struct option match_options[];

/* Whether models of these shapes can be matched. */
int match_shapes(const struct model_config *student, const struct model_config *teacher, struct error *err);

/* The student's weights change in place; both are transformers with the same vocabularies.  figures gets
 * "loss_<stage>" for each stage: the mean over its last tenth.  Returns MATCH_STOPPED when a
 * signal ended it. */
enum { MATCH_STOPPED = 1 };
int match_model(struct model *student, const struct model *teacher, struct batch_source *data,
                const struct match_config *config, int threads, json_t *figures, struct error *err);

#endif
