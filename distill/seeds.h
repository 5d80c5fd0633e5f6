#ifndef DISTILL_SEEDS_H
#define DISTILL_SEEDS_H

#include <jansson.h>

#include "distill/stage.h"

/* `seeds: [1, 2, 3]` of a recipe: stages whose outcome hangs on chance (`varies` of their kind)
 * and that set no seed of their own are run once a seed, and so is what takes from them; stages
 * that gather, such as tables, take from all copies.  The copies of "student" are called
 * "student@1", "student@2", …
 *
 * Takes `stages` (name → keys) and returns them with the copies in place; the caller's. */
json_t *seeds_expand(const json_t *stages, const json_t *seeds, const struct stage_kind *const *kinds);

#endif
