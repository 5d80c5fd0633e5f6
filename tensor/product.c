/* Products through oneDNN.
 *
 * oneDNN compiles a kernel for each shape, so shapes must be few: N rows go by in tiles of 64, 16, 4
 * and 1, and where rows are summed over (dw) they are rounded up to multiples of 64 with zeros.
 * Each thread keeps what it has compiled (oneDNN shares the code between threads), with
 * scratch memory that grows to the largest need. */
#include "tensor/product.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"
#include "tensor/onednn.h"
#include "tensor/params.h"

const char *const precision_names[] = { "fp32", "bf16", NULL };

typedef uint16_t bf16;

/* ---- one thread's products ---- */

/* C (M,N) = or += A (M,K) B (K,N), rows dense (oneDNN is slow with others), B in blocks; or, for
 * the gradient of weights, A is (K,M) in memory and B plain. */
struct shape {
    int M, N, K;
    bool add, narrow, weights;  /* narrow: factors in bfloat16 */
};

struct product {
    struct shape shape;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c, scratch;
    size_t scratch_bytes;
};

struct desk {
    dnnl_stream_t stream;
    struct product *table;      /* open addressing; a power of two */
    size_t count, room;
    void *scratch, *x, *dy;     /* oneDNN's own; factors in bfloat16 */
    size_t scratch_bytes, x_bytes, dy_bytes;
};

static dnnl_engine_t engine;
static pthread_key_t desk_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A failure here is a mistake of ours or no memory. */
static void must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "coho: oneDNN could not make %s (status %d)\n", what, (int)status);
    abort();
}

static void product_release(struct product *p)
{
    onednn()->primitive_destroy(p->primitive);
    onednn()->memory_destroy(p->a);
    onednn()->memory_destroy(p->b);
    onednn()->memory_destroy(p->c);
    onednn()->memory_destroy(p->scratch);
}

static void desk_free(void *arg)
{
    struct desk *d = arg;
    for (size_t i = 0; i < d->room; i++)
        if (d->table[i].primitive)
            product_release(&d->table[i]);
    onednn()->stream_destroy(d->stream);
    free(d->table);
    free(d->scratch);
    free(d->x);
    free(d->dy);
    free(d);
}

static void start(void)
{
    must(onednn()->engine_create(&engine, dnnl_cpu, 0), "an engine");
    if (pthread_key_create(&desk_key, desk_free))
        abort();
}

static struct desk *desk(void)
{
    pthread_once(&once, start);
    struct desk *d = pthread_getspecific(desk_key);
    if (!d) {
        d = xcalloc(1, sizeof *d);
        if (onednn()->omp_set_num_threads)      /* parallelism is over data: a call keeps to its thread */
            onednn()->omp_set_num_threads(1);
        must(onednn()->stream_create(&d->stream, engine, dnnl_stream_default_flags), "a stream");
        pthread_setspecific(desk_key, d);
    }
    return d;
}

static void *room_for(void **memory, size_t *have, size_t need)
{
    if (*have < need) {
        free(*memory);
        *memory = xaligned(need);
        *have = need;
    }
    return *memory;
}

/* ---- compiled products ---- */

static void plain_layout(dnnl_memory_desc_t *md, dnnl_data_type_t type, int rows, int cols, int row, int col)
{
    dnnl_dims_t dims = { rows, cols }, strides = { row, col };
    must(onednn()->memory_desc_init_by_strides(md, 2, dims, type, strides), "a layout");
}

static dnnl_primitive_desc_t describe(const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b,
                                      const dnnl_memory_desc_t *c, bool add)
{
    dnnl_matmul_desc_t desc;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd;
    must(onednn()->matmul_desc_init(&desc, a, b, NULL, c), "a product");
    must(onednn()->primitive_attr_create(&attr), "an attribute");
    must(onednn()->primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user), "an attribute");
    if (add) {
        dnnl_post_ops_t ops;
        must(onednn()->post_ops_create(&ops), "an attribute");
        must(onednn()->post_ops_append_sum(ops, 1), "an attribute");
        must(onednn()->primitive_attr_set_post_ops(attr, ops), "an attribute");
        onednn()->post_ops_destroy(ops);
    }
    must(onednn()->primitive_desc_create(&pd, &desc, attr, engine, NULL), "a product");
    onednn()->primitive_attr_destroy(attr);
    return pd;
}

static dnnl_data_type_t type_of(bool narrow)
{
    return narrow ? dnnl_bf16 : dnnl_f32;
}

/* The blocks that oneDNN likes for B (K,N); the same for every tile of rows. */
static void block_layout(dnnl_memory_desc_t *out, int K, int N, bool narrow)
{
    dnnl_memory_desc_t a, b, c;
    dnnl_dims_t dims = { K, N };
    plain_layout(&a, type_of(narrow), 64, K, K, 1);
    plain_layout(&c, dnnl_f32, 64, N, N, 1);
    must(onednn()->memory_desc_init_by_tag(&b, 2, dims, type_of(narrow), dnnl_format_tag_any), "a layout");
    dnnl_primitive_desc_t pd = describe(&a, &b, &c, false);
    *out = *onednn()->primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    onednn()->primitive_desc_destroy(pd);
}

static void memory_make(dnnl_memory_t *out, const dnnl_memory_desc_t *md)
{
    must(onednn()->memory_create(out, md, engine, DNNL_MEMORY_NONE), "a memory");
}

static void product_make(struct product *p, const struct shape *s)
{
    dnnl_memory_desc_t a, b, c;
    plain_layout(&a, type_of(s->narrow), s->M, s->K, s->weights ? 1 : s->K, s->weights ? s->M : 1);
    plain_layout(&c, dnnl_f32, s->M, s->N, s->N, 1);
    if (s->weights)
        plain_layout(&b, type_of(s->narrow), s->K, s->N, s->N, 1);
    else
        block_layout(&b, s->K, s->N, s->narrow);
    dnnl_primitive_desc_t pd = describe(&a, &b, &c, s->add);
    const dnnl_memory_desc_t *scratch = onednn()->primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->shape = *s;
    p->scratch_bytes = onednn()->memory_desc_get_size(scratch);
    memory_make(&p->a, &a);
    memory_make(&p->b, &b);
    memory_make(&p->c, &c);
    memory_make(&p->scratch, scratch);
    must(onednn()->primitive_create(&p->primitive, pd), "a product");
    onednn()->primitive_desc_destroy(pd);
}

static bool same_shape(const struct shape *x, const struct shape *y)
{
    return x->M == y->M && x->N == y->N && x->K == y->K && x->add == y->add && x->narrow == y->narrow &&
           x->weights == y->weights;
}

static struct product *slot_of(struct product *table, size_t room, const struct shape *s)
{
    uint64_t h = (uint64_t)s->M * 0x9e3779b97f4a7c15u ^ (uint64_t)s->N * 0xbf58476d1ce4e5b9u ^
                 (uint64_t)s->K * 0x94d049bb133111ebu ^ (uint64_t)s->add ^ (uint64_t)s->weights << 1;
    size_t i = (h ^ h >> 29) & (room - 1);
    while (table[i].primitive && !same_shape(&table[i].shape, s))
        i = (i + 1) & (room - 1);
    return &table[i];
}

static void table_grow(struct desk *d)
{
    size_t room = d->room ? d->room * 2 : 64;
    struct product *table = xcalloc(room, sizeof *table);
    for (size_t i = 0; i < d->room; i++)
        if (d->table[i].primitive)
            *slot_of(table, room, &d->table[i].shape) = d->table[i];
    free(d->table);
    d->table = table;
    d->room = room;
}

static void multiply(struct desk *d, const struct shape *s, float *c, const void *a, const void *b)
{
    if (d->count * 2 >= d->room)
        table_grow(d);
    struct product *p = slot_of(d->table, d->room, s);
    if (!p->primitive) {
        product_make(p, s);
        d->count++;
    }
    /* reads only, but oneDNN's types do not say so */
    union { const void *in; void *out; } source = { a }, weights = { b };
    onednn()->memory_set_data_handle(p->a, source.out);
    onednn()->memory_set_data_handle(p->b, weights.out);
    onednn()->memory_set_data_handle(p->c, c);
    onednn()->memory_set_data_handle(p->scratch, room_for(&d->scratch, &d->scratch_bytes, p->scratch_bytes));
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, p->a }, { DNNL_ARG_WEIGHTS, p->b },
                                     { DNNL_ARG_DST, p->c }, { DNNL_ARG_SCRATCHPAD, p->scratch } };
    must(onednn()->primitive_execute(p->primitive, d->stream, 4, args), "a product");
}

/* A row at a time has nothing to share, so a tile of one comes last. */
static const int tiles[] = { 64, 16, 4, 1 };

/* C (M,N) = or += A (M,K) B, B in blocks, M being any number of rows. */
static void multiply_rows(struct desk *d, struct shape s, float *c, const void *a, const void *b)
{
    int rows = s.M;
    size_t size = s.narrow ? sizeof(bf16) : sizeof(float);
    for (size_t i = 0; i < ARRAY_COUNT(tiles); i++)
        for (s.M = tiles[i]; rows >= s.M; rows -= s.M) {
            multiply(d, &s, c, a, b);
            a = (const char *)a + size * (size_t)s.M * (size_t)s.K;
            c += (size_t)s.M * (size_t)s.N;
        }
}

/* ---- rounding ---- */

#define ROUNDED(n) (((n) + 63) / 64 * 64)

/* x (N,D) as bfloat16 in `memory`, with rows of zeros up to a multiple of 64. */
static const bf16 *narrowed(void **memory, size_t *have, const float *x, int N, int D)
{
    size_t rows = ROUNDED((size_t)N), used = (size_t)N * (size_t)D;
    bf16 *y = room_for(memory, have, rows * (size_t)D * sizeof *y);
    kernel->to_bf16(y, x, used);
    memset(y + used, 0, (rows * (size_t)D - used) * sizeof *y);
    return y;
}

static const bf16 *narrowed_x(struct desk *d, const float *x, int N, int D)
{
    return narrowed(&d->x, &d->x_bytes, x, N, D);
}

static const bf16 *narrowed_dy(struct desk *d, const float *dy, int N, int D)
{
    return narrowed(&d->dy, &d->dy_bytes, dy, N, D);
}

/* ---- the products ---- */

void product_forward(float *y, const float *x, const struct pack *w, int N, bool add)
{
    struct desk *d = desk();
    bool narrow = w->precision == PRECISION_BF16;
    struct shape s = { .M = N, .N = w->O, .K = w->I, .add = add, .narrow = narrow };
    multiply_rows(d, s, y, narrow ? (const void *)narrowed_x(d, x, N, w->I) : x, w->forward);
}

static void backward_of(struct desk *d, float *dx, const void *dy, const struct pack *w, int N, bool add)
{
    struct shape s = { .M = N, .N = w->I, .K = w->O, .add = add, .narrow = w->precision == PRECISION_BF16 };
    multiply_rows(d, s, dx, dy, w->backward);
}

void product_backward(float *dx, const float *dy, const struct pack *w, int N, bool add)
{
    struct desk *d = desk();
    bool narrow = w->precision == PRECISION_BF16;
    backward_of(d, dx, narrow ? (const void *)narrowed_dy(d, dy, N, w->O) : dy, w, N, add);
}

static void weights_of(struct desk *d, float *dw, const bf16 *dy, const bf16 *x, int O, int I, int N)
{
    struct shape s = { .M = O, .N = I, .K = (int)ROUNDED((size_t)N), .add = true, .narrow = true, .weights = true };
    multiply(d, &s, dw, dy, x);
}

void product_weights(float *dw, const float *dy, const float *x, enum precision precision, int O, int I, int N)
{
    struct desk *d = desk();
    if (precision == PRECISION_FP32)
        gemm_tn(dw, dy, x, O, I, N, 1);
    else
        weights_of(d, dw, narrowed_dy(d, dy, N, O), narrowed_x(d, x, N, I), O, I, N);
}

void product_gradients(float *dx, bool add, float *dw, const float *dy, const float *x, const struct pack *w,
                       int N)
{
    int O = w->O, I = w->I;
    if (w->precision == PRECISION_FP32) {
        gemm_tn(dw, dy, x, O, I, N, 1);
        backward_of(desk(), dx, dy, w, N, add);
        return;
    }
    struct desk *d = desk();
    const bf16 *narrow = narrowed_dy(d, dy, N, O);
    weights_of(d, dw, narrow, narrowed_x(d, x, N, I), O, I, N);
    backward_of(d, dx, narrow, w, N, add);
}

/* ---- weights ---- */

int precision_check(int precision, struct error *err)
{
    if (precision == PRECISION_BF16 && onednn()->get_effective_cpu_isa() < dnnl_cpu_isa_avx512_core_bf16)
        return error_set(err, "precision bf16: this processor has no bfloat16 instructions (AVX512-BF16); use fp32");
    return 0;
}

struct packs {
    const struct param_set *set;
    struct pack *items;         /* by number; O 0: none */
};

static bool wants_packs(enum precision precision)
{
    return precision == PRECISION_BF16 || onednn()->get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core;
}

static bool wants_pack(const struct param_set *set, size_t i, int output)
{
    const struct param *p = &set->items[i];
    return p->rows > 1 && (p->init != INIT_EMBED || (int)i == output);
}

static size_t layout_bytes(int K, int N, bool narrow)
{
    dnnl_memory_desc_t md;
    block_layout(&md, K, N, narrow);
    return onednn()->memory_desc_get_size(&md);
}

struct packs *packs_new(const struct param_set *set, int output, enum precision precision)
{
    if (!wants_packs(precision))
        return NULL;
    struct packs *packs = xcalloc(1, sizeof *packs);
    bool narrow = precision == PRECISION_BF16;
    desk();
    packs->set = set;
    packs->items = xcalloc(set->count, sizeof *packs->items);
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        if (!wants_pack(set, i, output))
            continue;
        size_t forward = layout_bytes(p->cols, p->rows, narrow), backward = layout_bytes(p->rows, p->cols, narrow);
        packs->items[i] = (struct pack){ precision, p->rows, p->cols, xaligned(forward), xaligned(backward) };
    }
    return packs;
}

size_t packs_size(const struct param_set *set, int output, enum precision precision)
{
    size_t bytes = 0;
    desk();
    for (size_t i = 0; wants_packs(precision) && i < set->count; i++)
        if (wants_pack(set, i, output)) {
            int O = set->items[i].rows, I = set->items[i].cols;
            bytes += layout_bytes(I, O, precision == PRECISION_BF16) + layout_bytes(O, I, precision == PRECISION_BF16);
        }
    return bytes;
}

void packs_free(struct packs *packs)
{
    if (!packs)
        return;
    for (size_t i = 0; i < packs->set->count; i++) {
        free(packs->items[i].forward);
        free(packs->items[i].backward);
    }
    free(packs->items);
    free(packs);
}

/* `to`, in blocks, from plain floats at `from`, (K,N) by strides. */
static void lay_out(void *to, const float *from, int K, int N, int row, int col, bool narrow)
{
    dnnl_memory_desc_t source, target;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t reorder;
    dnnl_memory_t a, b;
    union { const float *in; void *out; } plain = { from };
    plain_layout(&source, dnnl_f32, K, N, row, col);
    block_layout(&target, K, N, narrow);
    must(onednn()->reorder_primitive_desc_create(&pd, &source, engine, &target, engine, NULL), "a new layout");
    must(onednn()->primitive_create(&reorder, pd), "a new layout");
    must(onednn()->memory_create(&a, &source, engine, plain.out), "a memory");
    must(onednn()->memory_create(&b, &target, engine, to), "a memory");
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, a }, { DNNL_ARG_TO, b } };
    must(onednn()->primitive_execute(reorder, desk()->stream, 2, args), "a new layout");
    onednn()->memory_destroy(a);
    onednn()->memory_destroy(b);
    onednn()->primitive_destroy(reorder);
    onednn()->primitive_desc_destroy(pd);
}

/* Task 2i is weight i forward, 2i+1 backward. */
static void pack_one(void *arg, int task)
{
    struct packs *packs = arg;
    struct pack *p = &packs->items[task / 2];
    const float *w = param_data(packs->set, task / 2);
    bool narrow = p->precision == PRECISION_BF16;
    if (!p->O)
        return;
    desk();
    if (task % 2)
        lay_out(p->backward, w, p->O, p->I, p->I, 1, narrow);
    else
        lay_out(p->forward, w, p->I, p->O, 1, p->I, narrow);
}

void packs_update(struct packs *packs, struct pool *pool)
{
    if (packs)
        pool_run(pool, 2 * (int)packs->set->count, pack_one, packs);
}

const struct pack *packs_find(const struct packs *packs, int ref)
{
    return packs && packs->items[ref].O ? &packs->items[ref] : NULL;
}
