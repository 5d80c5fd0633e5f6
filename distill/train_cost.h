#ifndef DISTILL_TRAIN_COST_H
#define DISTILL_TRAIN_COST_H

#include "distill/stage.h"

struct batching_config;
struct model_config;
struct train_config;

/* What a training will take, before it is run: the parts of estimates that stages which train share. */

/* How many weights the model will have, given the size that the stage's vocabulary is to have.  Heads of
 * tasks are too small to count. */
double train_cost_weights(const struct stage_run *run, const struct model_config *config);

/* The most that stands on disk while training: the model, and each checkpoint with two moments
 * beside the weights, and their average where there is one. */
double train_cost_bytes(const struct train_config *c, double weights);

/* The source words of a full batch. */
double train_cost_batch(const struct batching_config *c);

/* The source words that training will go through, given those of a batch and of an epoch; below
 * zero: who knows when it ends. */
double train_cost_words(const struct train_config *c, double batch_words, double epoch_words);

/* Source words of the stages under `input` together: an epoch; below zero: unknown yet. */
double train_cost_epoch(const struct stage_run *run, const char *input);

/* Seconds: at the pace of an earlier run with other options where there was one, else `guess` (below
 * zero: unknown); within the limit that is set. */
double train_cost_seconds(const struct stage_run *run, const struct train_config *c, double guess);

#endif
