/* Weights in files of float32 and int8, and from there to memory. */
#include "seq2seq/weights.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seq2seq/architecture.h"
#include "seq2seq/model.h"

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

static void add_int8(struct safetensors_entry *e, const struct param *p, const struct packed *w, size_t *at,
                     size_t *rest)
{
    int panels = (p->rows + 15) / 16, groups = (p->cols + 3) / 4;
    e[(*at)++] = (struct safetensors_entry){ xstrdup(p->name), panels, groups * 64, w->panels, DTYPE_I8 };
    e[(*rest)++] = (struct safetensors_entry){ xasprintf("%s.scale", p->name), 0, p->rows, w->scale };
    e[(*rest)++] = (struct safetensors_entry){ xasprintf("%s.sum", p->name), 0, p->rows, w->sum, DTYPE_I32 };
}

/* Matrices of int8 come first: they are multiples of 64 bytes, so that all stay aligned. */
int weights_write(const struct model *m, const char *path, bool int8, json_t *metadata, struct error *err)
{
    const struct param_set *set = &m->params;
    struct safetensors_entry *entries = xcalloc(3 * set->count, sizeof *entries);
    struct packed *packed = xcalloc(set->count, sizeof *packed);
    size_t matrices = 0, count = 0;
    for (size_t i = 0; i < set->count && int8; i++)
        matrices += is_matrix(&set->items[i]);
    count = matrices;
    matrices = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        const float *w = set->block + p->offset;
        if (int8 && is_matrix(p)) {
            packed_init(&packed[i], PACKED_INT8, w, (size_t)p->cols, 1, p->rows, p->cols);
            add_int8(entries, p, &packed[i], &matrices, &count);
        } else {
            entries[count++] = (struct safetensors_entry){ xstrdup(p->name), p->rows == 1 ? 0 : p->rows, p->cols, w };
        }
    }
    int ret = safetensors_write(path, entries, count, metadata, err);
    for (size_t i = 0; i < count; i++)
        free(entries[i].name);
    for (size_t i = 0; i < set->count; i++)
        packed_release(&packed[i]);
    free(packed);
    free(entries);
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
    const void *data = safetensors_find(st, p->name, p->rows, p->cols, err);
    if (!data)
        return -1;
    memcpy(out, data, (size_t)p->rows * (size_t)p->cols * sizeof(float));
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
    if (!is_int8(st, p)) {
        const float *w = safetensors_find(st, p->name, p->rows, p->cols, err);
        if (w)
            packed_init(out, kind, w, K, 1, p->rows, p->cols);
        return w ? 0 : -1;
    }
    if (kind == PACKED_INT8) {
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
