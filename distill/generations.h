#ifndef DISTILL_GENERATIONS_H
#define DISTILL_GENERATIONS_H

#include <jansson.h>

#include "distill/stage.h"

struct error;

/* `generations: N` in a training of a recipe: N models one after the other (born-again networks,
 * Furlanello 2018; knowledge evolution, Taha 2021).
 *
 *     born:
 *       like: teacher
 *       objective: word-kd
 *       generations: 3
 *       teacher: teacher          # of the first
 *       taught-by: previous       # of those after it: previous, first, all
 *       data: kept                # relabelled: each learns from its teacher's outputs,
 *       labelling: { beam: 5 }    #   made with these keys
 *       start-from: nothing       # previous, first, teacher: their weights, see start-by and reset
 *       generation:               # keys of single generations
 *         3: { alpha: 0.9 }
 *
 * becomes the stages born-1, born-2, born-3 (and born-1-labels, …).  Elsewhere `born` stands for
 * the last one and `born-*`, in a list, for all of them. */

/* A list in the place of a number is for students of several tasks: distill/task_generations.h.
 *
 * Takes `stages` (name → keys) and returns them with the generations in place; NULL: a mistake,
 * and *blame is the stage that has it. */
json_t *generations_expand(const json_t *stages, const struct stage_kind *const *kinds, const char **blame,
                           struct error *err);

/* The length of a stage's name in the recipe whose text `stages` is: that of "born" in "born-2@7"
 * and "born-2-labels", if "born" has generations; else what stands before an '@' (seeds.h). */
size_t generations_name_length(const char *name, const json_t *stages);

#endif
