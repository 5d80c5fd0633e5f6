#ifndef SEQ2SEQ_AVERAGE_H
#define SEQ2SEQ_AVERAGE_H

#include <stddef.h>

struct error;
struct model;

/* The mean of the weights of several models (folders), as a new model whose lineage names each of
 * them.  Only models that came from common weights, such as checkpoints of one training, make a
 * good mean; what is checked is that all have the first one's shape and vocabularies.  A model
 * that differs is refused, both folders and the first difference being named.  Two models are in
 * memory at a time. */
struct model *models_average(const char *const *folders, size_t count, struct error *err);

#endif
