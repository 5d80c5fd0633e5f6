#ifndef DISTILL_RECIPE_H
#define DISTILL_RECIPE_H

#include <stdint.h>

#include "base/hash.h"
#include "distill/stage.h"

/* A recipe: a YAML file that names stages and what each takes from others.
 *
 *     name: quickstart
 *     seed: 1
 *     variables:
 *       language: de              # --set language=fr on the command line
 *     stages:
 *       teacher:
 *         kind: train
 *         corpus: corpus          # an input: the name of another stage
 *         dim: 192                # an option of the kind
 *       student:
 *         like: teacher           # all of its keys, but …
 *         dim: 64
 *         alpha: null             # … and a null takes one away
 *
 * `seeds: [1, 2, 3]` at the top runs what hangs on chance once a seed: see seeds.h.
 * ${variable} stands for the variable's value in any text; $$ for one dollar. */
struct recipe {
    char *path, *name;
    char hash[HASH_TEXT];       /* of the file */
    int64_t seed;               /* for stages that do not set their own; 0: none given */
    struct stage *stages;       /* each after all that it takes from */
    size_t count;
};

/* `set` holds "variable=value" and "stage.option=value" texts that override the file; kinds ends
 * with NULL.  Mistakes name the file, the line and the nearest known name. */
int recipe_load(struct recipe *out, const char *path, const struct stage_kind *const *kinds,
                const struct strings *set, struct error *err);
void recipe_release(struct recipe *r);

/* Keeps only the stage and what it needs; -1 for an unknown name. */
int recipe_narrow(struct recipe *r, const char *stage, struct error *err);

#endif
