/* Weights in files of float32 and int8, and from there to memory. */
#include "seq2seq/weights.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seq2seq/architecture.h"
#include "seq2seq/model.h"
#include "seq2seq/sparse.h"

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n >= k && !strcmp(text + n - k, end);
}

static bool is_matrix(const struct param *p)
{
    return p->rows > 1 && !ends_in(p->name, "positions");
}

/* Tables that are only looked up need no packing, but for being small. */
static bool is_packed(const struct model *m, int ref, enum packed_kind kind)
{
    int weight, bias;
    const struct param *p = &m->params.items[ref];
    m->arch->output(m->refs, &weight, &bias);
    return is_matrix(p) && (kind != PACKED_F32 || p->init != INIT_EMBED || ref == weight);
}

/* ---- written ---- */

/* The tensors of a file on their way there. */
struct tensors {
    struct safetensors_entry *items;
    size_t count;
    struct packed *packed;      /* of each parameter; int8 alone */
    void **own;                 /* (2 a parameter) what a sparse one was made into */
    size_t own_count;
};

static void add(struct tensors *t, char *name, int rows, int64_t cols, const void *data, enum dtype type)
{
    t->items[t->count++] = (struct safetensors_entry){ name, rows, cols, data, type };
}

static void add_int8(struct tensors *t, const struct param *p, const struct packed *w)
{
    add(t, xstrdup(p->name), (p->rows + 15) / 16, (p->cols + 3) / 4 * 64, w->panels, DTYPE_I8);
}

static void add_int8_rest(struct tensors *t, const struct param *p, const struct packed *w)
{
    add(t, xasprintf("%s.scale", p->name), 0, p->rows, w->scale, DTYPE_F32);
    add(t, xasprintf("%s.sum", p->name), 0, p->rows, w->sum, DTYPE_I32);
}

static size_t size_of(const struct param *p)
{
    return (size_t)p->rows * (size_t)p->cols;
}

static void *own(struct tensors *t, size_t bytes)
{
    return t->own[t->own_count++] = xmalloc(bytes + 1);
}

/* The values; their bits come last, so that all else stays aligned. */
static void add_sparse(struct tensors *t, const struct param *p, const float *w)
{
    size_t n = size_of(p), count = sparse_count(w, n);
    float *values = own(t, count * sizeof *values);
    uint8_t *bits = own(t, (n + 7) / 8);
    sparse_split(values, bits, w, n);
    add(t, xasprintf("%s.values", p->name), 0, (int64_t)count, values, DTYPE_F32);
}

static void add_bits(struct tensors *t, const struct param *p, const void *bits)
{
    add(t, xasprintf("%s.bits", p->name), 0, (int64_t)((size_of(p) + 7) / 8), bits, DTYPE_U8);
}

/* Matrices of int8 come first: they are multiples of 64 bytes, so that all stay aligned. */
static void list_int8(struct tensors *t, const struct param_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        if (!is_matrix(p))
            continue;
        packed_init(&t->packed[i], PACKED_INT8, set->block + p->offset, (size_t)p->cols, 1, p->rows, p->cols);
        add_int8(t, p, &t->packed[i]);
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        if (is_matrix(p))
            add_int8_rest(t, p, &t->packed[i]);
        else
            add(t, xstrdup(p->name), p->rows == 1 ? 0 : p->rows, p->cols, set->block + p->offset, DTYPE_F32);
    }
}

static void list_float32(struct tensors *t, const struct param_set *set, bool plain)
{
    bool *sparse = xcalloc(set->count, sizeof *sparse);
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        const float *w = set->block + p->offset;
        sparse[i] = !plain && p->rows > 1 && sparse_saves(w, size_of(p));
        if (sparse[i])
            add_sparse(t, p, w);
        else
            add(t, xstrdup(p->name), p->rows == 1 ? 0 : p->rows, p->cols, w, DTYPE_F32);
    }
    for (size_t i = 0, k = 1; i < set->count; i++)
        if (sparse[i]) {
            add_bits(t, &set->items[i], t->own[k]);
            k += 2;
        }
    free(sparse);
}

int weights_write(const struct model *m, const char *path, enum weights_form form, json_t *metadata,
                  struct error *err)
{
    const struct param_set *set = &m->params;
    struct tensors t = {
        .items = xcalloc(3 * set->count, sizeof *t.items), .packed = xcalloc(set->count, sizeof *t.packed),
        .own = xcalloc(2 * set->count, sizeof *t.own),
    };
    if (form == WEIGHTS_INT8)
        list_int8(&t, set);
    else
        list_float32(&t, set, form == WEIGHTS_PLAIN);
    int ret = safetensors_write(path, t.items, t.count, metadata, err);
    for (size_t i = 0; i < t.count; i++)
        free(t.items[i].name);
    for (size_t i = 0; i < set->count; i++)
        packed_release(&t.packed[i]);
    for (size_t i = 0; i < t.own_count; i++)
        free(t.own[i]);
    free(t.items);
    free(t.packed);
    free(t.own);
    return ret;
}

/* ---- read ---- */

static bool is_int8(const struct safetensors *st, const struct param *p)
{
    char *scale = xasprintf("%s.scale", p->name);
    bool found = safetensors_has(st, scale);
    free(scale);
    return found;
}

bool weights_are_int8(const struct model *m, const struct safetensors *st)
{
    for (size_t i = 0; i < m->params.count; i++)
        if (is_matrix(&m->params.items[i]) && is_int8(st, &m->params.items[i]))
            return true;
    return false;
}

bool weights_are_sparse(const struct model *m, const struct safetensors *st)
{
    for (size_t i = 0; i < m->params.count; i++)
        if (sparse_is(st, m->params.items[i].name))
            return true;
    return false;
}

/* Files of other programs may begin their numbers anywhere. */
static bool is_aligned(const void *numbers)
{
    return (uintptr_t)numbers % sizeof(float) == 0;
}

/* As it lies in the file.  (Reads only, but struct packed also holds what can be written.) */
static int borrow_int8(struct packed *out, const struct safetensors *st, const struct param *p, struct error *err)
{
    union { const void *in; void *out; } panels, scale, sum;
    char *name_scale = xasprintf("%s.scale", p->name), *name_sum = xasprintf("%s.sum", p->name);
    panels.in = safetensors_find_as(st, DTYPE_I8, p->name, (p->rows + 15) / 16, (p->cols + 3) / 4 * 64, err);
    scale.in = panels.in ? safetensors_find_as(st, DTYPE_F32, name_scale, 0, p->rows, err) : NULL;
    sum.in = scale.in ? safetensors_find_as(st, DTYPE_I32, name_sum, 0, p->rows, err) : NULL;
    free(name_scale);
    free(name_sum);
    if (!sum.in)
        return -1;
    if (!is_aligned(scale.in) || !is_aligned(sum.in))
        return error_set(err, "'%s': the scales of '%s' do not lie at multiples of 4 bytes, as coho writes them; "
                         "quantize the model again", st->path, p->name);
    *out = (struct packed){ PACKED_INT8, p->rows, p->cols, panels.out, scale.out, sum.out, true };
    return 0;
}

/* Values of one parameter, float32 or not in the file, to `out`. */
static int read_floats(float *out, const struct safetensors *st, const struct param *p, struct error *err)
{
    if (is_matrix(p) && is_int8(st, p)) {
        struct packed w;
        if (borrow_int8(&w, st, p, err) < 0)
            return -1;
        for (int n = 0; n < p->rows; n++)
            packed_row(out + (size_t)n * (size_t)p->cols, &w, n);
        return 0;
    }
    if (sparse_is(st, p->name))
        return sparse_read(out, size_of(p), st, p->name, err);
    const void *data = safetensors_find(st, p->name, p->rows, p->cols, err);
    if (!data)
        return -1;
    memcpy(out, data, size_of(p) * sizeof(float));
    return 0;
}

int weights_read(struct model *m, const struct safetensors *st, struct error *err)
{
    for (size_t i = 0; i < m->params.count; i++)
        if (read_floats(m->params.block + m->params.items[i].offset, st, &m->params.items[i], err) < 0)
            return -1;
    return 0;
}

static int pack(struct packed *out, const struct safetensors *st, const struct param *p, enum packed_kind kind,
                bool *borrowed, struct error *err)
{
    size_t K = (size_t)p->cols;
    bool int8 = is_int8(st, p);
    const float *lies = NULL;
    if (!int8 && !sparse_is(st, p->name)) {
        lies = safetensors_find(st, p->name, p->rows, p->cols, err);
        if (!lies)
            return -1;
    }
    if (lies && is_aligned(lies)) {
        packed_init(out, kind, lies, K, 1, p->rows, p->cols);
        return 0;
    }
    if (int8 && kind == PACKED_INT8) {
        *borrowed = true;
        return borrow_int8(out, st, p, err);
    }
    float *w = xaligned((size_t)p->rows * K * sizeof *w);
    int ret = read_floats(w, st, p, err);
    if (ret == 0)
        packed_init(out, kind, w, K, 1, p->rows, p->cols);
    free(w);
    return ret;
}

int weights_pack(struct model *m, const struct safetensors *st, enum packed_kind kind, bool *borrowed,
                 struct error *err)
{
    struct param_set *set = &m->params;
    *borrowed = false;
    set->packed = xcalloc(set->count, sizeof *set->packed);
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        int ret = is_packed(m, (int)i, kind) ? pack(&set->packed[i], st, p, kind, borrowed, err)
                                             : read_floats(set->block + p->offset, st, p, err);
        if (ret < 0)
            return -1;
    }
    return 0;
}

void weights_pack_block(struct packed *packed, const struct model *m)
{
    const struct param_set *set = &m->params;
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        if (is_packed(m, (int)i, PACKED_F32))
            packed_init(&packed[i], PACKED_F32, set->block + p->offset, (size_t)p->cols, 1, p->rows, p->cols);
    }
}

/* ---- rounded ---- */

struct rounding {
    float *block;
    const struct param_set *set;
};

static void round_one(void *arg, int i)
{
    const struct rounding *r = arg;
    const struct param *p = &r->set->items[i];
    const float *from = r->set->block + p->offset;
    float *to = r->block + p->offset;
    size_t K = (size_t)p->cols;
    if (!is_matrix(p))
        memcpy(to, from, (size_t)p->rows * K * sizeof *to);
    else
        for (size_t n = 0; n < (size_t)p->rows; n++)
            packed_round_int8(to + n * K, from + n * K, p->cols);
}

void weights_round_int8(float *block, const struct model *m, struct pool *pool)
{
    struct rounding r = { block, &m->params };
    pool_run(pool, (int)m->params.count, round_one, &r);
}

/* ---- fingerprints ---- */

static void add_rows(XXH3_state_t *state, const struct param_set *set, int ref)
{
    const struct param *p = &set->items[ref];
    const struct packed *w = param_packed(set, ref);
    float *row = xcalloc((size_t)p->cols, sizeof *row);
    for (int n = 0; n < p->rows; n++) {
        if (w)
            packed_row(row, w, n);
        XXH3_64bits_update(state, w ? row : set->block + p->offset + (size_t)n * (size_t)p->cols,
                           (size_t)p->cols * sizeof *row);
    }
    free(row);
}

uint64_t weights_fingerprint(const struct model *m)
{
    static const float zeros[16];
    const struct param_set *set = &m->params;
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset_withSeed(state, (uint64_t)m->config.arch);
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        size_t end = i + 1 < set->count ? set->items[i + 1].offset : set->total;
        add_rows(state, set, (int)i);
        XXH3_64bits_update(state, zeros, (end - p->offset - (size_t)p->rows * (size_t)p->cols) * sizeof(float));
    }
    uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return hash;
}
