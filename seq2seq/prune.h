#ifndef SEQ2SEQ_PRUNE_H
#define SEQ2SEQ_PRUNE_H

#include <stdint.h>

#include "base/option.h"

struct model;
struct param_set;

/* Magnitude pruning (See, Luong & Manning 2016; Kim & Rush 2016, section 5): the weights of
 * matrices that are smallest in absolute value become zero.  Biases and gains stay. */
enum prune_scope {
    PRUNE_GLOBAL,               /* the smallest of all matrices together ("class-blind") */
    PRUNE_MATRIX                /* the same share of each matrix ("class-uniform") */
};
struct prune_config {
    float share;                /* of the matrices' weights, between 0 and 1 */
    int scope;
};
extern const struct option prune_options[];

/* How many weights of matrices are zero; *of is set to how many there are. */
int64_t model_zeros(const struct model *m, int64_t *of);

/* Returns how many weights of matrices are zero now; *of is set to how many there are.  Where that is no more than
 * before, as when a model is pruned twice by the same share, it warns. */
int64_t model_prune(struct model *m, const struct prune_config *config, int64_t *of);

/* Which weights of matrices are zero, for keeping them so while the others are trained. */
struct zeros;
struct zeros *zeros_new(const struct param_set *params);
void zeros_free(struct zeros *z);
int64_t zeros_count(const struct zeros *z);
/* Sets to zero what stands in those places of a block, such as a gradient. */
void zeros_keep(const struct zeros *z, float *block);

#endif
