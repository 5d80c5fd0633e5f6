#ifndef DECODE_VOCABULARY_H
#define DECODE_VOCABULARY_H

#include <stdint.h>

#include "decode/shortlist.h"
#include "seq2seq/stepper.h"

/* The tokens that a running batch may choose from under a shortlist: every sentence has its own,
 * and all of them together are what the model computes.  A sentence's own do not depend on who is
 * in the batch with it, so neither does what it gets. */

/* One sentence's.  {0} is valid and empty. */
struct own_tokens {
    uint64_t *set;
    int32_t *ids;               /* ascending */
    int32_t *place;             /* of each in the batch's union */
    int count;
    size_t ids_room, place_room;
};
void own_tokens_release(struct own_tokens *o);

struct vocabulary {
    const struct shortlist *list;
    struct shortlist_config config;
    const struct stepper *model;
    struct candidates all;      /* the model's view of it */
    uint64_t *set;
    int32_t *ids, *place;       /* place by id: V */
    const int32_t **own;        /* by row, as own_count */
    int *own_count;
    int united;                 /* sentences in the union */
};

/* `rows`: of the batch at most.  The model gets the view. */
void vocabulary_init(struct vocabulary *v, const struct shortlist *list,
                     const struct shortlist_config *config, const struct stepper *model, int rows);
void vocabulary_release(struct vocabulary *v);

/* A sentence's own tokens: by its source, </s>, and those of a given prefix.  Special tokens are
 * left out but where a prefix has them. */
void vocabulary_begin(const struct vocabulary *v, struct own_tokens *o, const int32_t *source,
                      int source_count, const int32_t *prefix, int prefix_count);

/* Makes the union of `count` sentences, own(arg, i) being the i-th one's. */
void vocabulary_unite(struct vocabulary *v, struct own_tokens *(*own)(void *arg, int i), void *arg,
                      int count);

/* The place of a token in ascending ids, or -1. */
int ids_find(const int32_t *ids, int count, int32_t token);

#endif
