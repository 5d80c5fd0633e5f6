/* Matrices laid out for the products of panels.h. */
#include "tensor/packed.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/panels.h"

const char *const packed_kind_names[] = { "float32", "bfloat16", "int8", NULL };

/* Numbers of four bytes. */
static int group(enum packed_kind kind)
{
    return kind == PACKED_F32 ? 1 : kind == PACKED_BF16 ? 2 : 4;
}

static int groups(enum packed_kind kind, int K)
{
    return (K + group(kind) - 1) / group(kind);
}

static int panel_count(int N)
{
    return (N + PANEL - 1) / PANEL;
}

size_t packed_bytes(enum packed_kind kind, int N, int K)
{
    return (size_t)panel_count(N) * (size_t)groups(kind, K) * PANEL * GROUP_BYTES;
}

static char *place(const struct packed *p, int row, int g)
{
    size_t panel = (size_t)(row / PANEL), all = (size_t)groups(p->kind, p->K);
    return (char *)p->panels + ((panel * all + (size_t)g) * PANEL + (size_t)(row % PANEL)) * GROUP_BYTES;
}

/* ---- made ---- */

static void allocate(struct packed *p, enum packed_kind kind, int N, int K)
{
    if (p->panels && !p->borrowed && p->kind == kind && p->N == N && p->K == K)
        return;
    packed_release(p);
    p->kind = kind;
    p->N = N;
    p->K = K;
    p->panels = xaligned(packed_bytes(kind, N, K) + 1);
    if (kind == PACKED_INT8) {
        p->scale = xcalloc((size_t)N + 1, sizeof *p->scale);
        p->sum = xcalloc((size_t)N + 1, sizeof *p->sum);
    }
}

static uint16_t bf16_of(float x)
{
    union { float f; uint32_t i; } bits = { .f = x };
    return (uint16_t)((bits.i + 0x7fff + (bits.i >> 16 & 1)) >> 16);
}

static float largest(const float *w, size_t col, int K)
{
    float most = 0;
    for (int k = 0; k < K; k++)
        most = fabsf(w[(size_t)k * col]) > most ? fabsf(w[(size_t)k * col]) : most;
    return most;
}

/* The nearest integer, ties to even, of what is small. */
static inline float nearest(float x)
{
    float rounded = x + 12582912.0f;
    return rounded - 12582912.0f;
}

void packed_round_int8(float *out, const float *w, int K)
{
    float most = largest(w, 1, K), factor = most > 0 ? 127.0f / most : 0, step = most / 127.0f;
    for (int k = 0; k < K; k++)
        out[k] = nearest(w[k] * factor) * step;
}

static void pack_int8(struct packed *p, int n, const float *w, size_t col)
{
    float most = largest(w, col, p->K), factor = most > 0 ? 127.0f / most : 0;
    int32_t sum = 0;
    for (int g = 0; g < groups(PACKED_INT8, p->K); g++) {
        int8_t *at = (int8_t *)place(p, n, g);
        for (int i = 0; i < 4 && 4 * g + i < p->K; i++)
            sum += at[i] = (int8_t)nearest(w[(size_t)(4 * g + i) * col] * factor);
    }
    p->scale[n] = most / 127.0f;
    p->sum[n] = sum;
}

/* A panel at a time, reading along W's rows or along its columns, whichever lie together. */
static void pack_floats(struct packed *p, int first, const float *W, size_t row, size_t col)
{
    int count = p->N - first < PANEL ? p->N - first : PANEL;
    if (p->kind == PACKED_F32) {
        float *out = (float *)(void *)place(p, first, 0);
        for (int k = 0; k < p->K; k++, out += PANEL)
            for (int i = 0; i < count; i++)
                out[i] = W[(size_t)(first + i) * row + (size_t)k * col];
        return;
    }
    uint16_t *out = (uint16_t *)(void *)place(p, first, 0);
    for (int k = 0; k < p->K; k++)
        for (int i = 0; i < count; i++)
            out[(size_t)(k / 2) * 2 * PANEL + 2 * (size_t)i + (size_t)(k % 2)] =
                bf16_of(W[(size_t)(first + i) * row + (size_t)k * col]);
}

void packed_init(struct packed *p, enum packed_kind kind, const float *W, size_t row, size_t col, int N,
                 int K)
{
    allocate(p, kind, N, K);
    if (N % PANEL || K % group(kind))           /* what is missing to whole panels and groups */
        memset(p->panels, 0, packed_bytes(kind, N, K));
    if (kind == PACKED_INT8)
        for (int n = 0; n < N; n++)
            pack_int8(p, n, W + (size_t)n * row, col);
    else
        for (int n = 0; n < N; n += PANEL)
            pack_floats(p, n, W, row, col);
}

void packed_release(struct packed *p)
{
    if (!p->borrowed) {
        free(p->panels);
        free(p->scale);
        free(p->sum);
    }
    *p = (struct packed){ 0 };
}

/* ---- rows ---- */

void packed_select(struct packed *out, const struct packed *p, const int32_t *rows, int count)
{
    int all = groups(p->kind, p->K);
    allocate(out, p->kind, count, p->K);
    for (int n = 0; n < panel_count(count) * PANEL; n++) {
        int row = n < count ? rows[n] : -1;
        char *to = place(out, n, 0);
        const char *from = place(p, row < 0 ? 0 : row, 0);
        for (int g = 0; g < all; g++, to += PANEL * GROUP_BYTES, from += PANEL * GROUP_BYTES)
            if (row < 0)
                memset(to, 0, GROUP_BYTES);
            else
                memcpy(to, from, GROUP_BYTES);
        if (p->kind == PACKED_INT8 && n < count) {
            out->scale[n] = row < 0 ? 0 : p->scale[row];
            out->sum[n] = row < 0 ? 0 : p->sum[row];
        }
    }
}

void packed_row(float *out, const struct packed *p, int row)
{
    const char *at = place(p, row, 0);
    for (int k = 0, i = 0, per = group(p->kind); k < p->K; k++, i++) {
        if (i == per) {
            i = 0;
            at += PANEL * GROUP_BYTES;
        }
        if (p->kind == PACKED_F32) {
            memcpy(&out[k], at, sizeof out[k]);
        } else if (p->kind == PACKED_INT8) {
            out[k] = p->scale[row] * (float)((const int8_t *)at)[i];
        } else {
            union { uint32_t i; float f; } x = { (uint32_t)((const uint16_t *)(const void *)at)[i] << 16 };
            out[k] = x.f;
        }
    }
}

/* ---- products ---- */

static size_t row_bytes(const struct packed *p)
{
    return (size_t)groups(p->kind, p->K) * GROUP_BYTES;
}

/* The rows of x as groups, then their scales and zeros. */
size_t packed_scratch(const struct packed *p, int M)
{
    if (p->kind == PACKED_F32)
        return 0;
    return (size_t)M * (row_bytes(p) + sizeof(float) + sizeof(int32_t));
}

/* The calling thread's own scratch memory. */
struct own {
    size_t bytes;
    void *memory;
};
static pthread_key_t own_key;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

static void own_free(void *arg)
{
    struct own *own = arg;
    free(own->memory);
    free(own);
}

static void own_start(void)
{
    if (pthread_key_create(&own_key, own_free))
        abort();
}

static void *own_scratch(size_t bytes)
{
    pthread_once(&own_once, own_start);
    struct own *own = pthread_getspecific(own_key);
    if (!own) {
        own = xcalloc(1, sizeof *own);
        pthread_setspecific(own_key, own);
    }
    if (own->bytes < bytes) {
        free(own->memory);
        own->memory = xaligned(bytes);
        own->bytes = bytes;
    }
    return own->memory;
}

/* All but what happens with the sums.  x is brought into groups in scratch. */
static struct panel_product prepare(const float *x, size_t ldx, int M, const struct packed *p, void *scratch)
{
    size_t bytes = row_bytes(p), need = packed_scratch(p, M);
    if (need && !scratch)
        scratch = own_scratch(need);
    float *scale = p->kind == PACKED_INT8 ? (float *)(void *)((char *)scratch + (size_t)M * bytes) : NULL;
    int32_t *zero = scale ? (int32_t *)(void *)(scale + M) : NULL;
    if (p->kind == PACKED_BF16)
        panels->to_bf16(scratch, bytes, x, ldx, M, p->K);
    else if (p->kind == PACKED_INT8)
        panels->to_int8(scratch, bytes, scale, zero, x, ldx, M, p->K);
    return (struct panel_product){
        .x = p->kind == PACKED_F32 ? (const void *)x : scratch,
        .ldx = p->kind == PACKED_F32 ? ldx * sizeof(float) : bytes, .w = p->panels, .M = M, .N = p->N,
        .groups = groups(p->kind, p->K), .x_scale = scale, .x_zero = zero, .w_scale = p->scale, .w_sum = p->sum,
    };
}

void packed_product(float *y, size_t ldy, const float *x, size_t ldx, int M, const struct packed *p,
                    struct after after, void *scratch)
{
    struct panel_product product = prepare(x, ldx, M, p, scratch);
    product.y = y;
    product.ldy = ldy;
    product.bias = after.bias;
    product.accumulate = after.accumulate;
    product.relu = after.relu;
    (p->kind == PACKED_BF16 ? panels->bf16 : p->kind == PACKED_INT8 ? panels->int8 : panels->f32)(&product);
}

int packed_tops(int N)
{
    return TOP_GROUPS(N);
}

void packed_find_tops(float *tops, const float *x, size_t ldx, int M, const struct packed *p, const float *bias)
{
    struct panel_product product = prepare(x, ldx, M, p, NULL);
    assert(p->kind == PACKED_INT8);
    product.y = product.tops = tops;
    product.bias = bias;
    panels->int8_tops(&product);
}

struct packed packed_part(const struct packed *p, int first, int count)
{
    assert(first % PANEL == 0);
    struct packed part = *p;
    part.N = first + count < p->N ? count : p->N - first;
    part.panels = place(p, first, 0);
    part.scale = p->scale ? p->scale + first : NULL;
    part.sum = p->sum ? p->sum + first : NULL;
    part.borrowed = true;
    return part;
}
