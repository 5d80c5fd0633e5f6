#ifndef CORPORA_SPLIT_H
#define CORPORA_SPLIT_H

#include <stdint.h>

#include "base/option.h"

struct error;

/* Which set a pair belongs to: decided by a hash of its source (text_key), so that pairs with the
 * same source, whatever its capitals and punctuation, are never in two sets.
 *
 * A size is a number of pairs ("2000"), a share ("1%", "5‰") or "rest".  Shares depend on the
 * source alone and stay as they are when the corpus grows.  A number is met by the sources with
 * the lowest hashes, and exceeded only when the last of them has several translations. */
struct split_config {
    char *test, *dev, *train;
    int64_t seed;
};
extern const struct option split_options[];

enum split_set { SPLIT_TEST, SPLIT_DEV, SPLIT_TRAIN, SPLIT_SETS,
                 SPLIT_LEFT_OUT = SPLIT_SETS };
extern const char *const split_names[SPLIT_SETS];           /* "test", "dev", "train" */

/* Set i holds the keys below limit[i] that no earlier set holds; the last also UINT64_MAX. */
struct split_plan {
    uint64_t limit[SPLIT_SETS];
};

/* Sorts `keys`, which are the text_keys of all pairs' sources.  Fails when the sets ask for more
 * pairs than there are, or leave none for training. */
int split_plan(struct split_plan *out, uint64_t *keys, size_t count,
               const struct split_config *config, struct error *err);
int split_find(const struct split_plan *plan, uint64_t key);      /* enum split_set */

#endif
