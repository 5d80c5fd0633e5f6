#ifndef SEQ2SEQ_SPARSE_H
#define SEQ2SEQ_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct safetensors;

/* A matrix of many zeros, such as pruning leaves (prune.h), in less room: a bit a number and the
 * numbers that are not zero, in a file of weights (weights.h) as two tensors:
 *
 *     "ffn.in.weight.bits"     U8  (⌈n/8⌉)   bit i%8 of byte i/8: number i, in the order of rows, is
 *                                            among the values; the bits beyond n are 0
 *     "ffn.in.weight.values"   F32 (those)   in order
 *
 * Zero is the float of 32 zero bits, so that what is read has the bits of what was written. */

/* The numbers of w (n) that are not zero. */
size_t sparse_count(const float *w, size_t n);

/* Whether it is worth it: an eighth or more of the room is saved. */
bool sparse_saves(const float *w, size_t n);

/* values (sparse_count), bits (⌈n/8⌉). */
void sparse_split(float *values, uint8_t *bits, const float *w, size_t n);

/* Whether the file has the matrix in this form, and its numbers, out (n). */
bool sparse_is(const struct safetensors *st, const char *name);
int sparse_read(float *out, size_t n, const struct safetensors *st, const char *name, struct error *err);

#endif
