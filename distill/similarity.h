#ifndef DISTILL_SIMILARITY_H
#define DISTILL_SIMILARITY_H

#include <stdint.h>

struct model;

/* How near the pieces are to each other in a model's output embeddings: the teacher's relations
 * between classes, apart from what it says of any sentence (KD-sim, Tang 2021). */
struct similarity;
struct similarity *similarity_new(const struct model *m);       /* a copy of what it needs */
void similarity_free(struct similarity *s);

/* q[r,:] = soft-max over the cosines of gold[r]'s embedding with each, divided by temperature.
 * q is (rows,V). */
void similarity_rows(const struct similarity *s, float *q, const int32_t *gold, int rows, float temperature);

#endif
