#ifndef TENSOR_PACKED_H
#define TENSOR_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A matrix that many products share, laid out once as they read it (the layout is in panels.h).
 *
 *     struct packed w = { 0 };
 *     packed_init(&w, PACKED_INT8, W, K, 1, N, K);
 *     packed_product(y, N, x, K, M, &w, (struct after){ .bias = b }, scratch);
 *     packed_release(&w);
 *
 * float32 sums over K in one order, so a row's result does not depend on the rows beside it.
 * bfloat16 rounds both sides and sums in float32.  int8 has a scale for each of the N rows of W and,
 * found anew at each product, for each row of x, and sums exactly. */
enum packed_kind { PACKED_F32, PACKED_BF16, PACKED_INT8, PACKED_KINDS };
extern const char *const packed_kind_names[];

struct packed {
    enum packed_kind kind;
    int N, K;                   /* rows and columns of W: outputs and inputs of a layer */
    void *panels;
    float *scale;               /* int8: of each row (N) … */
    int32_t *sum;               /* … and the sum of its numbers (N) */
    bool borrowed;              /* the memory belongs to somebody else, such as a mapped file */
};

/* Element (n,k) of W is W[n·row + k·col]: (K,1) for a layer's weight (N,K), (1,N) for the transpose
 * of a (K,N) one.  {0} is empty; an init of what is there already uses its memory again when
 * kind and shape are the same. */
void packed_init(struct packed *p, enum packed_kind kind, const float *W, size_t row, size_t col, int N,
                 int K);
void packed_release(struct packed *p);
size_t packed_bytes(enum packed_kind kind, int N, int K);       /* of the panels */

/* A row of W (K) as an int8 matrix would hold it; out may be w. */
void packed_round_int8(float *out, const float *w, int K);

/* The rows that are named, as a matrix of its own: N becomes count.  A negative row is zero. */
void packed_select(struct packed *out, const struct packed *p, const int32_t *rows, int count);
/* One row as floats (K). */
void packed_row(float *out, const struct packed *p, int row);

/* What happens to a product. */
struct after {
    const float *bias;          /* (N) is added; NULL: none */
    bool accumulate;            /* so is what y held */
    bool relu;                  /* and then all below 0 becomes 0 */
};

/* y (M,N) = x (M,K) · Wᵀ, rows of ldy and ldx floats.  scratch: packed_scratch bytes, 64-byte
 * aligned; NULL: memory that the thread keeps for this. */
void packed_product(float *y, size_t ldy, const float *x, size_t ldx, int M, const struct packed *p,
                    struct after after, void *scratch);
size_t packed_scratch(const struct packed *p, int M);

/* Which columns of y = x Wᵀ + bias are largest, without y: tops (M, packed_tops(N)), where tops[m,g] is the
 * largest y of the columns 64g … 64g + 63.  int8 only. */
int packed_tops(int N);
void packed_find_tops(float *tops, const float *x, size_t ldx, int M, const struct packed *p, const float *bias);
/* The `count` rows of p from `first`, a multiple of 16; borrowed. */
struct packed packed_part(const struct packed *p, int first, int count);

#endif
