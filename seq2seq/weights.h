#ifndef SEQ2SEQ_WEIGHTS_H
#define SEQ2SEQ_WEIGHTS_H

#include <jansson.h>

#include "seq2seq/safetensors.h"
#include "tensor/packed.h"

struct error;
struct model;

/* A model's weights in a safetensors file.  A float32 file has every parameter by its name, but in a file
 * that is not plain a matrix of many zeros is packed as seq2seq/sparse.h draws it.  In an int8
 * file a matrix (N,K) stands as the products read it (tensor/panels.h), so that it is mapped and used
 * without a copy and processes share its memory:
 *
 *     "ffn.in.weight"         I8  (⌈N/16⌉, ⌈K/4⌉·64)   reshaped (⌈N/16⌉, ⌈K/4⌉, 16, 4) and its two
 *                                                      middle axes swapped it is W / scale
 *     "ffn.in.weight.scale"   F32 (N)                  of each row of W
 *     "ffn.in.weight.sum"     I32 (N)                  the sum of each row's int8 numbers
 *
 * Vectors and learned positions stay float32. */
enum weights_form { WEIGHTS_FLOAT32, WEIGHTS_PLAIN, WEIGHTS_INT8 };
int weights_write(const struct model *m, const char *path, enum weights_form form, json_t *metadata,
                  struct error *err);

/* All into the block, as float32 whatever the file holds. */
int weights_read(struct model *m, const struct safetensors *st, struct error *err);

/* For decoding: matrices packed as `kind`, only the rest in the block.  int8 from an int8 file stays in
 * the file's memory, which must remain open; *borrowed tells. */
int weights_pack(struct model *m, const struct safetensors *st, enum packed_kind kind, bool *borrowed,
                 struct error *err);
/* The matrices of the block, packed as float32: packed (params.count), which may hold those of before. */
void weights_pack_block(struct packed *packed, const struct model *m);
bool weights_are_int8(const struct model *m, const struct safetensors *st);
bool weights_are_sparse(const struct model *m, const struct safetensors *st);     /* one of them, at least */

/* Fills `block`, of the layout of the model's, with the weights as an int8 file would hold them. */
struct pool;
void weights_round_int8(float *block, const struct model *m, struct pool *pool);

/* The fingerprint of the block; of packed weights, that of the block that would hold their values. */
uint64_t weights_fingerprint(const struct model *m);

#endif
