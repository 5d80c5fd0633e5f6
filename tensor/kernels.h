#ifndef TENSOR_KERNELS_H
#define TENSOR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The loops over floats, compiled for several instruction sets; `kernel` points at the set that
 * this processor runs best.  Kernels allocate nothing.  Rows are contiguous; pointers need no
 * alignment; outputs and inputs do not overlap unless said.
 *
 * Dropout masks are a hash of (seed, element), so that the backward pass makes the same mask
 * again instead of reading a stored one; rate 0 is no dropout, and kept values are scaled by
 * 1/(1-rate). */
struct dropout {
    float rate;
    uint32_t seed;
};

/* How a student's distribution p is held against a teacher's q; see loss.h. */
enum divergence {
    DIVERGENCE_KL, DIVERGENCE_REVERSE_KL, DIVERGENCE_JSD, DIVERGENCE_SKEW_KL, DIVERGENCE_SKEW_REVERSE_KL,
    DIVERGENCE_TVD, DIVERGENCE_DOUBLE
};

/* What a soft-max row is trained towards; see loss.h. */
struct mixture {
    float gold, floor;          /* mass on the gold token; mass spread evenly over all V */
    const float *teacher;       /* a distribution over V, or NULL */
    float teacher_mass;         /* its share of the loss */
    float temperature;          /* of the student's soft-max against the teacher; 1: none */
    enum divergence divergence;
    float skew;                 /* β of JSD; λ of the skewed ones */

    /* Instead of `teacher`, some entries of a distribution, for DIVERGENCE_KL: */
    int top;                    /* how many; 0: there are none */
    const int32_t *top_id;      /* no token twice */
    const float *top_p;
    float rest;                 /* mass spread evenly over the V - top other tokens … */
    float bucket;               /* … and mass on them together, however they share it */
};

struct kernels {
    const char *isa;

    /* y += x;  y += a x;  y *= a  (N floats) */
    void (*add)(float *y, const float *x, size_t N);
    void (*axpy)(float *y, const float *x, float a, size_t N);
    void (*scale)(float *y, float a, size_t N);
    double (*sum_squares)(const float *x, size_t N);
    /* y = x rounded to the nearest bfloat16, ties to even: the upper half of a float's bits */
    void (*to_bf16)(uint16_t *y, const float *x, size_t N);
    /* the float of each, and sum += x as floats, rounded again */
    void (*from_bf16)(float *y, const uint16_t *x, size_t N);
    void (*add_bf16)(uint16_t *sum, const uint16_t *x, size_t N);

    /* y (N,D) += bias (D) */
    void (*add_bias)(float *y, const float *bias, int N, int D);
    /* dbias (D) += sum over rows of dy (N,D) */
    void (*bias_backward)(float *dbias, const float *dy, int N, int D);

    /* y = dropout(relu(y + bias)) in place; bias may be NULL.  The backward pass turns dy into
     * the gradient before the activation, in place, from the kept y. */
    void (*relu_forward)(float *y, const float *bias, int N, int D, struct dropout drop);
    void (*relu_backward)(float *dy, const float *y, int N, int D, struct dropout drop);
    /* y = dropout(gelu(h)), tanh form (Hendrycks & Gimpel 2016); h already has its bias */
    void (*gelu_forward)(float *y, const float *h, size_t N, struct dropout drop);
    void (*gelu_backward)(float *dh, const float *dy, const float *h, size_t N, struct dropout drop);
    /* y (N,F) = dropout(silu(h[:, :F]) * h[:, F:]), h (N,2F) (Shazeer 2020) */
    void (*swiglu_forward)(float *y, const float *h, int N, int F, struct dropout drop);
    void (*swiglu_backward)(float *dh, const float *dy, const float *h, int N, int F,
                            struct dropout drop);
    void (*tanh_forward)(float *y, const float *x, size_t N);
    void (*tanh_backward)(float *dx, const float *dy, const float *y, size_t N);  /* dx = dy (1-y²); dx may be dy */

    /* y = x + dropout(f);  df = dropout'(dy) */
    void (*residual_forward)(float *y, const float *x, const float *f, size_t N, struct dropout drop);
    void (*dropout_apply)(float *y, const float *x, size_t N, struct dropout drop, bool accumulate);

    /* See layernorm.h. */
    void (*layernorm_forward)(float *y, float *mean, float *rstd, const float *x, const float *gain,
                              const float *bias, int N, int D);
    void (*layernorm_backward)(float *dx, float *dgain, float *dbias, const float *dy,
                               const float *x, const float *mean, const float *rstd,
                               const float *gain, int N, int D, bool accumulate);

    /* y[n,:] = dropout(scale * table[id[n],:] + position[place[n],:]); position may be NULL */
    void (*embed_forward)(float *y, const float *table, const int32_t *id, float scale,
                          const float *position, const int32_t *place, int N, int D,
                          struct dropout drop);

    /* C (M,N) = or += A B, for matrices too small for BLAS.  A's element (i,k) is
     * a[i*row + k*col]; B (K,ldb) and C (M,ldc) have rows padded to multiples of 16 floats, and
     * N is such a multiple. */
    void (*small_gemm)(float *c, int ldc, const float *a, int row, int col, const float *b, int ldb,
                       int M, int N, int K, bool accumulate);

    /* p (M,ldp) = soft-max over the first n columns of each row of s·scale, in place; columns
     * beyond are set to 0.  causal >= 0: row i sees columns 0 … causal + i only. */
    void (*attention_softmax)(float *p, int ldp, int M, int n, float scale, int causal);
    /* ds = scale · p · (dp − Σ dp·p), in place in dp */
    void (*attention_softmax_backward)(float *dp, const float *p, int ldp, int M, int n, float scale);
    /* dst (cols,ldd) = srcᵀ, src (rows,lds); the padding up to ldd is cleared */
    void (*transpose)(float *dst, int ldd, const float *src, int lds, int rows, int cols);

    /* One query q (D) of `heads` heads over T cached keys and values: out (D) = soft-max(factor q·k) v,
     * head by head.  They stand in tiles of 16, `stride` floats from one to the next, keys (D,16) then
     * values (16,D), readable to whole tiles and 16 floats beyond; scores (heads, T rounded up to 16)
     * keeps the soft-max before it is divided by its sum. */
    void (*attend)(float *out, const float *q, const float *tiles, size_t stride, int T, int D, int heads,
                   float factor, float *scores);

    /* LSTM cell, gates i f g o in (N,4H), before their non-linearities; overwritten with the
     * activated ones.  c_out = f c + i g;  h = o tanh(c_out); h has rows of ldh floats. */
    void (*lstm_forward)(float *h, int ldh, float *c_out, float *gates, const float *c, int N, int H);
    /* gates becomes its gradient (before the non-linearities); dc is in: gradient of c_out, out:
     * gradient of c; dh has rows of lddh floats. */
    void (*lstm_backward)(float *gates, float *dc, const float *dh, int lddh, const float *c,
                          const float *c_out, int N, int H);

    /* One query q (d) over the T keys and values of a sentence, rows of ld floats:
     * p (Tp) = soft-max(q · k), zeros from T on;  out += Σ p v */
    void (*attend_forward)(float *out, float *p, const float *q, const float *k, const float *v, int ld,
                           int T, int Tp, int d);
    /* ds (Tp) = soft-max'(dout · v), zeros from T on;  dq += Σ ds k */
    void (*attend_backward)(float *dq, float *ds, const float *dout, const float *p, const float *k,
                            const float *v, int ld, int T, int Tp, int d);
    /* y (N,D) = or += dropout(x), rows of ldy and ldx floats; `first` is the mask's first element. */
    void (*dropout_rows)(float *y, int ldy, const float *x, int ldx, int N, int D, size_t first,
                         struct dropout drop, bool accumulate);

    /* SSRU (Kim 2019) over one sentence: f = σ(f), c_t = f c_{t-1} + (1-f) x, y = relu(c).
     * fx (T,2D): forget gates before σ, then x; c (T,D) is kept; first (D) the state before. */
    void (*ssru_forward)(float *y, float *c, float *fx, const float *first, int T, int D);
    void (*ssru_backward)(float *dfx, const float *dy, const float *c, const float *fx,
                          const float *first, float *carry, int T, int D);

    /* See loss.h; gold_logp gets log p(gold). Returns the loss. `room` is V floats. */
    float (*mixture_loss)(float *logits, float *gold_logp, int gold, const struct mixture *target,
                          float scale, int V, float *room);

    /* lse = log Σ exp(x·a);  y = exp(x·a − lse), may be x; returns lse */
    float (*softmax)(float *y, const float *x, float a, int V);
    float (*log_softmax)(float *y, const float *x, int V);
    float (*log_sum_exp)(const float *x, int V);
    int (*argmax)(const float *x, int V);
    float (*dot)(const float *x, const float *y, int N);

    /* Fused Adam over N floats (Kingma & Ba 2015, AdamW's decoupled decay): gradient g·factor;
     * ema may be NULL.  g is cleared. */
    void (*adam)(float *w, float *m, float *v, float *g, float *ema, size_t N, float factor,
                 float rate, float beta1, float beta2, float epsilon, float decay,
                 float correction1, float correction2, float ema_decay);
};

extern const struct kernels *kernel;    /* set before main runs */
const struct kernels *kernels_named(const char *isa);   /* for tests and benches; NULL: cannot run */

#endif
