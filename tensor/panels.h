#ifndef TENSOR_PANELS_H
#define TENSOR_PANELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Products with a packed matrix (packed.h), compiled for several instruction sets; `panels` points
 * at the set that this processor runs best.
 *
 *   y (M,N) = x (M,K) · Wᵀ,  then + bias, + what y held, and ReLU, each if asked for
 *
 * W lies in panels of 16 of its rows.  The K numbers of a row are taken in groups of four bytes: one
 * float, two bfloat16 or four int8; what is missing to whole panels and groups is zero.
 *
 *     panel 0:  group 0 of rows 0 … 15, group 1 of rows 0 … 15, …     16 × 4 bytes each
 *     panel 1:  group 0 of rows 16 … 31, …
 *
 * Each sum runs over K in one order whatever M is, so that a row of x gives the same bits in any
 * company. */
#define PANEL 16
#define GROUP_BYTES 4

struct panel_product {
    float *y;
    size_t ldy;                 /* floats */
    const void *x;              /* M rows of groups, in W's kind */
    size_t ldx;                 /* bytes */
    const void *w;
    int M, N, groups;
    const float *bias;          /* (N) or NULL */
    bool accumulate, relu;
    /* int8: W[n,k] is w_scale[n] · w, x[m,k] is x_scale[m] · (x - x_zero[m]); w_sum[n] = Σ w */
    const float *x_scale, *w_scale;
    const int32_t *x_zero, *w_sum;
    float *tops;                /* (M, TOP_GROUPS(N)): see int8_tops */
};

/* Rows of W that have one top. */
#define TOP_ROWS (4 * PANEL)
#define TOP_GROUPS(N) (((N) + TOP_ROWS - 1) / TOP_ROWS)

struct panels {
    const char *isa;
    bool native_bf16, native_int8;      /* with instructions made for it */
    void (*f32)(const struct panel_product *p);
    void (*bf16)(const struct panel_product *p);
    void (*int8)(const struct panel_product *p);
    /* The int8 product, of which only tops are kept: tops[m,g] is the largest of y[m, 64g … 64g+63]. */
    void (*int8_tops)(const struct panel_product *p);
    /* Rows of x as groups: bfloat16 rounded to nearest; eight bits from the row's least number, or 0, to
     * its largest, or 0, where zero[m] stands for 0. */
    void (*to_bf16)(void *out, size_t ldo, const float *x, size_t ldx, int M, int K);
    void (*to_int8)(void *out, size_t ldo, float *scale, int32_t *zero, const float *x, size_t ldx, int M, int K);
};

extern const struct panels *panels;         /* set before main runs; COHO_ISA forces one */
/* baseline, avx2, avx512, avx512vnni, avx512bf16: for tests and benches; NULL: cannot run here. */
const struct panels *panels_named(const char *isa);

#endif
