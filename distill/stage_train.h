#ifndef DISTILL_STAGE_TRAIN_H
#define DISTILL_STAGE_TRAIN_H

#include "corpora/batching.h"
#include "corpora/mixing.h"
#include "distill/initial.h"
#include "distill/on_policy.h"
#include "distill/stage.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "seq2seq/train_courses.h"

struct error;

/* What a recipe says of a stage `train`; its options are in stage_train.c. */
struct train_stage {
    char *objective;
    int teacher_mean;
    struct strings teacher_weights;
    char *teacher_temperature;
    bool soft;
    int64_t validate_lines;
    struct model_config model;
    struct train_config train;
    struct batching_config batching;
    struct on_policy_config on_policy;
    struct initial_config initial;
    struct mixing_config mixing;
    int generation;
};

/* The courses that its training may follow. */
struct train_courses train_stage_courses(const struct stage *s);

/* What of it cannot be, of the stage alone and beside those that it takes from: the kind's `check`. */
int train_stage_check(struct stage_view *v, struct error *err);

#endif
