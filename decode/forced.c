/* Given pairs through a teacher.
 *
 * Pairs are taken in groups whose results fit into a bounded room.  Within a group they are sorted
 * by length and cut into batches, which the threads take one after another; each pair has its
 * rows' place in the group's arrays, so nothing depends on who does what when. */
#include "decode/forced.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "corpora/soft_format.h"
#include "decode/select.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

enum {
    BATCH_TOKENS = 1500,                /* source and target tokens of a batch */
    CHUNK_ROWS = 64,                    /* rows whose distributions exist at a time */
    GROUP_ROWS = 100000,                /* rows of a group, at most … */
    GROUP_ENTRIES = 4000000,            /* … and entries: 32 MB */
    ENCODE_LINES = 64
};

struct pair {
    struct ids source, target;
    size_t row;                         /* its first one, within the group */
    int rows;                           /* 0: too long */
    uint64_t seed;                      /* of what is drawn: the same for the same pair, wherever it stands */
};

struct forced_worker {
    struct teacher_worker *teacher;
    struct batch batch;
    float *q;                           /* (CHUNK_ROWS,V) */
    struct candidate *best;             /* k */
};

struct forced {
    const struct teacher *teacher;
    const struct tokenizer *source, *target;
    struct forced_config config;
    int stride;                         /* entries of a row, at most */
    struct pool *pool;
    struct forced_worker *workers;
    int threads;

    const char *const *sources, *const *targets;        /* of the group: n pairs … */
    size_t n;
    struct pair *pairs;
    size_t pair_room;
    size_t *order;                      /* … longest first: those that are taken … */
    size_t order_count, order_room;
    size_t *starts;                     /* … cut into batches: order[starts[b]] … */
    size_t batches, start_room;
    atomic_size_t next;                 /* batch to be taken */
    struct soft_entry *entries;         /* rows × stride */
    float *gold;
    double *rest;
    int *count;
    size_t rows, entry_room, gold_room, rest_room, count_room;
};

struct forced *forced_new(const struct teacher *t, const struct tokenizer *source,
                          const struct tokenizer *target, const struct forced_config *config, int threads)
{
    struct forced *f = xcalloc(1, sizeof *f);
    int limit = teacher_max_length(t), V = teacher_vocab(t);
    f->teacher = t;
    f->source = source;
    f->target = target;
    f->config = *config;
    if (f->config.k > V)
        f->config.k = V;
    if (f->config.samples > V - f->config.k)
        f->config.samples = V - f->config.k;
    f->stride = f->config.k + f->config.samples;
    if (limit && limit - 1 < f->config.max_length)      /* <s> or </s> takes a place as well */
        f->config.max_length = limit - 1;
    f->threads = threads > 0 ? threads : cpu_count();
    f->pool = pool_new(f->threads);
    f->workers = xcalloc((size_t)f->threads, sizeof *f->workers);
    for (int i = 0; i < f->threads; i++) {
        struct forced_worker *w = &f->workers[i];
        w->teacher = teacher_worker_new(t);
        w->q = xaligned((size_t)CHUNK_ROWS * (size_t)V * sizeof *w->q);
        w->best = xcalloc((size_t)f->config.k + 1, sizeof *w->best);
    }
    return f;
}

void forced_free(struct forced *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->threads; i++) {
        teacher_worker_free(f->workers[i].teacher);
        batch_release(&f->workers[i].batch);
        free(f->workers[i].q);
        free(f->workers[i].best);
    }
    for (size_t i = 0; i < f->pair_room; i++) {
        ids_release(&f->pairs[i].source);
        ids_release(&f->pairs[i].target);
    }
    pool_free(f->pool);
    free(f->workers);
    free(f->pairs);
    free(f->order);
    free(f->starts);
    free(f->entries);
    free(f->gold);
    free(f->rest);
    free(f->count);
    free(f);
}

/* ---- text to ids ---- */

static void encode_some(void *arg, int part)
{
    struct forced *f = arg;
    size_t end = ((size_t)part + 1) * ENCODE_LINES;
    for (size_t i = (size_t)part * ENCODE_LINES; i < end && i < f->n; i++) {
        struct pair *p = &f->pairs[i];
        p->source.count = p->target.count = 0;
        tokenizer_encode(f->source, &p->source, f->sources[i], strlen(f->sources[i]));
        tokenizer_encode(f->target, &p->target, f->targets[i], strlen(f->targets[i]));
        if (f->config.samples)
            p->seed = soft_hash(p->source.items, (int)p->source.count, p->target.items, (int)p->target.count);
    }
}

static void encode(struct forced *f)
{
    size_t old = f->pair_room;
    ARRAY_GROW(f->pairs, f->pair_room, f->n);
    memset(f->pairs + old, 0, (f->pair_room - old) * sizeof *f->pairs);
    pool_run(f->pool, (int)((f->n + ENCODE_LINES - 1) / ENCODE_LINES), encode_some, f);
}

/* ---- batches ---- */

static _Thread_local const struct pair *sorted;         /* qsort has no argument of its own */

static int by_length(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const struct pair *p = &sorted[x], *q = &sorted[y];
    if (p->target.count != q->target.count)
        return p->target.count > q->target.count ? -1 : 1;
    if (p->source.count != q->source.count)
        return p->source.count > q->source.count ? -1 : 1;
    return x < y ? -1 : 1;
}

static void cut_into_batches(struct forced *f)
{
    size_t tokens = 0;
    f->batches = 0;
    for (size_t i = 0; i < f->order_count; i++) {
        const struct pair *p = &f->pairs[f->order[i]];
        size_t more = p->source.count + p->target.count + 2;
        if (i == 0 || tokens + more > BATCH_TOKENS) {
            ARRAY_GROW(f->starts, f->start_room, f->batches + 2);
            f->starts[f->batches++] = i;
            tokens = 0;
        }
        tokens += more;
    }
    if (f->batches)
        f->starts[f->batches] = f->order_count;
}

/* Which of the pairs `first` … end-1 are taken, and where their results go. */
static void plan(struct forced *f, size_t first, size_t end)
{
    f->order_count = 0;
    f->rows = 0;
    for (size_t i = first; i < end; i++) {
        struct pair *p = &f->pairs[i];
        size_t most = (size_t)f->config.max_length;
        p->row = f->rows;
        p->rows = p->source.count > most || p->target.count > most ? 0 : (int)p->target.count + 1;
        f->rows += (size_t)p->rows;
        ARRAY_GROW(f->order, f->order_room, f->order_count + 1);
        if (p->rows)
            f->order[f->order_count++] = i;
    }
    sorted = f->pairs;
    if (f->order_count)
        qsort(f->order, f->order_count, sizeof *f->order, by_length);
    cut_into_batches(f);
    ARRAY_GROW(f->entries, f->entry_room, f->rows * (size_t)f->stride + 1);
    ARRAY_GROW(f->gold, f->gold_room, f->rows + 1);
    ARRAY_GROW(f->rest, f->rest_room, f->rows + 1);
    ARRAY_GROW(f->count, f->count_room, f->rows + 1);
    atomic_store(&f->next, 0);
}

/* The pair behind the last one whose results fit into a group that begins with `first`. */
static size_t group_end(const struct forced *f, size_t first)
{
    size_t rows = 0, end = first;
    while (end < f->n) {
        rows += f->pairs[end].target.count + 1;
        if (end > first && (rows > GROUP_ROWS || rows * (size_t)f->stride > GROUP_ENTRIES))
            break;
        end++;
    }
    return end;
}

/* ---- a worker ---- */

/* Of the pieces that are not kept, drawn at equal steps from a random start (systematic sampling): a
 * piece of probability p comes p/step times or once more, and each time counts `step`, so that the
 * expected entry is p.  The kept ones' probabilities are struck out of q. */
static int draw_others(struct soft_entry *out, int samples, float *q, const struct candidate *kept, int count, int V,
                       double start)
{
    double mass = 0, sum = 0, step;
    int n = 0, taken = 0;
    for (int i = 0; i < count; i++)
        q[kept[i].token] = 0;
    for (int i = 0; i < V; i++)
        mass += (double)q[i];
    step = mass / samples;
    for (int i = 0; i < V && taken < samples; i++) {
        int before = taken;
        sum += (double)q[i];
        while (taken < samples && sum > (taken + start) * step)
            taken++;
        if (taken > before)
            out[n++] = (struct soft_entry){ i, logf((float)((taken - before) * step)) };
    }
    return n;
}

static void take_row(struct forced *f, struct forced_worker *w, size_t row, float *q, int32_t gold, uint64_t seed, int V)
{
    struct soft_entry *entries = f->entries + row * (size_t)f->stride;
    const double zero = 0;
    double mass = 0;
    int n = f->config.k ? select_top(w->best, f->config.k, q, V, &zero, 1, V) : 0, kept = 0;
    while (kept < n && (kept == 0 || mass < (double)f->config.mass)) {
        float p = q[w->best[kept].token];
        if (!(p > 0))
            break;
        entries[kept] = (struct soft_entry){ w->best[kept].token, logf(p) };
        kept++;
        mass += (double)p;
    }
    f->count[row] = kept;
    f->rest[row] = kept == V || mass >= 1 ? 0 : 1 - mass;
    f->gold[row] = logf(q[gold]);
    if (f->config.samples && f->rest[row] > 0) {
        struct rng rng;
        rng_seed(&rng, seed, 0);
        kept += draw_others(entries + kept, f->config.samples, q, w->best, kept, V, rng_unit(&rng));
        f->count[row] = kept;
        f->rest[row] = 0;
    }
}

static void take_sentence(struct forced *f, struct forced_worker *w, int i, int first, int rows, int V)
{
    const struct batch *b = &w->batch;
    int from = b->target_start[i] > first ? b->target_start[i] : first;
    int to = b->target_start[i + 1] < first + rows ? b->target_start[i + 1] : first + rows;
    for (int n = from; n < to; n++)
        take_row(f, w, f->pairs[b->index[i]].row + (size_t)(n - b->target_start[i]),
                 w->q + (size_t)(n - first) * (size_t)V, b->output[n],
                 f->pairs[b->index[i]].seed + (uint64_t)(n - b->target_start[i]), V);
}

static void run_batch(struct forced *f, struct forced_worker *w, size_t number)
{
    struct batch *b = &w->batch;
    int V = teacher_vocab(f->teacher);
    batch_reset(b);
    for (size_t i = f->starts[number]; i < f->starts[number + 1]; i++) {
        const struct pair *p = &f->pairs[f->order[i]];
        batch_add(b, p->source.items, (int)p->source.count, p->target.items, (int)p->target.count,
                  tokenizer_bos(f->target), tokenizer_eos(f->target), (int64_t)f->order[i], 1);
    }
    teacher_begin(w->teacher, b);
    for (int first = 0; first < b->target_tokens; first += CHUNK_ROWS) {
        int rows = b->target_tokens - first < CHUNK_ROWS ? b->target_tokens - first : CHUNK_ROWS;
        teacher_rows(w->teacher, w->q, first, rows);
        for (int i = 0; i < b->B; i++)
            take_sentence(f, w, i, first, rows, V);
    }
}

static void work(void *arg, int worker)
{
    struct forced *f = arg;
    size_t number;
    while (!interrupt_requested() && (number = atomic_fetch_add(&f->next, 1)) < f->batches)
        run_batch(f, &f->workers[worker], number);
}

/* ---- all ---- */

static struct forced_result result_of(const struct forced *f, const struct pair *p)
{
    struct forced_result r = {
        p->source.items, p->target.items, (int)p->source.count, (int)p->target.count, p->rows, f->stride, 0,
        f->gold + p->row, f->entries + p->row * (size_t)f->stride, f->count + p->row, f->rest + p->row,
    };
    for (int i = 0; i < p->rows; i++)
        r.logp += (double)r.gold_logp[i];
    return r;
}

int forced_run(struct forced *f, const char *const *sources, const char *const *targets, size_t n,
               int (*give)(void *arg, size_t index, const struct forced_result *r, struct error *err),
               void *arg, struct error *err)
{
    size_t end;
    f->sources = sources;
    f->targets = targets;
    f->n = n;
    if (n)
        encode(f);
    for (size_t first = 0; first < n; first = end) {
        end = group_end(f, first);
        plan(f, first, end);
        pool_run(f->pool, f->threads, work, f);
        if (interrupt_requested())
            return error_set(err, "interrupted");
        for (size_t i = first; i < end; i++) {
            struct forced_result r = result_of(f, &f->pairs[i]);
            if (give(arg, i, &r, err) < 0)
                return -1;
        }
    }
    return 0;
}
