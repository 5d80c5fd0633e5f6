/* Alignment by expectation maximisation, arranged by source piece.
 *
 * The corpus is turned around: for every source piece, the list of its occurrences (pair, place).
 * Then no step ever looks a pair of pieces up.  An iteration is two sweeps:
 *
 *     E   for every source piece s, its row p(· | s) laid out by target id: each occurrence adds
 *         p(t_j | s) to the sum of every target token j of its pair.  A thread takes a range of
 *         pairs and goes through all s, so each sum is added up by one thread in the order of s.
 *     M   for every source piece s, a thread of its own: each occurrence adds p(t_j | s) / sum_j
 *         to the counts of t_j; the row becomes the counts, divided by their total.
 *
 * Both orders of addition are the same whatever the threads.  NULL is one more source piece, with
 * one occurrence in every pair. */
#include "decode/lexicon.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/store.h"

#define FIELD(member) offsetof(struct lexicon_config, member)
const struct option lexicon_options[] = {
    { "iterations", OPTION_INT, FIELD(iterations), "4", 1, 100, "passes of IBM model 1" },
    { "diagonal-iterations", OPTION_INT, FIELD(diagonal_iterations), "3", 0, 100,
      "passes of IBM model 2 afterwards, which prefers the diagonal" },
    { "tension", OPTION_FLOAT, FIELD(tension), "4", 0, 100,
      "how strongly model 2 prefers the diagonal" },
    { "null-weight", OPTION_FLOAT, FIELD(null_weight), "1", 0, 100,
      "weight of the NULL word beside a source piece's in model 1; 0: none" },
    { "null-share", OPTION_FLOAT, FIELD(null_share), "0.08", 0, 0.9,
      "probability that model 2 aligns a target piece to NULL" },
    { "longest", OPTION_INT, FIELD(longest), "200", 1, 100000,
      "pairs with more pieces than this on a side are passed over" },
    { "pairs", OPTION_LONG, FIELD(pairs), "5000000", 0, 4e9,
      "learn from so many pairs at most, spread evenly over the corpus; 0: all" },
    { 0 }
};

enum { DISTANCES = 1024 };      /* steps of |i/S - j/T| in the table of model 2 */

struct occurrence {
    uint32_t pair, place;
};

struct used_pair {
    uint64_t first;             /* of its target tokens */
    uint32_t S, T;
};

struct training {
    const struct store *corpus;
    const struct lexicon_config *config;
    struct lexicon *out;
    struct lexicon_row null;
    struct pool *pool;
    int threads;
    bool diagonal;              /* the iteration is one of model 2 */

    struct used_pair *pairs;
    uint32_t count;             /* of pairs */
    int32_t *target;            /* the tokens of all pairs, end to end */
    size_t targets, target_room;
    float *sum;                 /* of each target token; between the sweeps: 1 / sum */
    float *norm;                /* model 2: (1 - null_share) / Σ_i of the diagonal */
    uint64_t *bounds;           /* of each source piece's occurrences; source_vocab + 1 */
    struct occurrence *occurrences;
    float near[DISTANCES + 1];  /* exp(-tension · distance) */

    atomic_int next;            /* source piece of a sweep by rows */
    struct scratch {
        float *p;               /* by target id, as count, list and seen are */
        double *count;
        int32_t *list;
        uint32_t *seen;         /* the source piece that last marked it, + 1 */
        double bits;
    } *scratch;                 /* a thread each */
};

/* --- the pairs in use --- */

static int check_ids(const struct training *t, const int32_t *ids, int count, int vocab,
                     int64_t pair, struct error *err)
{
    for (int i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= vocab)
            return error_set(err, "store '%s' has id %d in pair %" PRId64 ", but the vocabulary has "
                             "%d pieces", store_path(t->corpus), ids[i], pair + 1, vocab);
    return 0;
}

static int take_pair(struct training *t, int64_t pair, struct error *err)
{
    int S, T, longest = t->config->longest;
    const int32_t *source = store_source(t->corpus, pair, &S);
    const int32_t *target = store_target(t->corpus, pair, &T);
    if (!S || !T || S > longest || T > longest) {
        t->out->passed_over++;
        return 0;
    }
    if (check_ids(t, source, S, t->out->source_vocab, pair, err) < 0
        || check_ids(t, target, T, t->out->target_vocab, pair, err) < 0)
        return -1;
    ARRAY_GROW(t->target, t->target_room, t->targets + (size_t)T);
    memcpy(t->target + t->targets, target, (size_t)T * sizeof *target);
    t->pairs[t->count++] = (struct used_pair){ t->targets, (uint32_t)S, (uint32_t)T };
    t->targets += (size_t)T;
    for (int i = 0; i < S; i++)
        t->bounds[source[i] + 1]++;
    for (int j = 0; j < T; j++)
        t->out->target_count[target[j]]++;
    return 0;
}

/* The corpus' pair that is number k of those looked at. */
static int64_t spread(const struct training *t, int64_t k, int64_t wanted)
{
    int64_t all = store_count(t->corpus);
    return wanted == all ? k : (int64_t)((double)k / (double)wanted * (double)all);
}

/* Puts every occurrence of a source piece into its list; bounds holds how often each occurs, one
 * place further on. */
static void list_occurrences(struct training *t, int64_t wanted)
{
    int V = t->out->source_vocab, longest = t->config->longest;
    uint64_t *next = xmalloc(((size_t)V + 1) * sizeof *next);
    uint32_t pair = 0;
    for (int s = 0; s < V; s++)
        t->bounds[s + 1] += t->bounds[s];
    memcpy(next, t->bounds, ((size_t)V + 1) * sizeof *next);
    t->occurrences = xmalloc(t->bounds[V] * sizeof *t->occurrences);
    for (int64_t k = 0; k < wanted; k++) {
        int S, T;
        const int32_t *source = store_source(t->corpus, spread(t, k, wanted), &S);
        store_target(t->corpus, spread(t, k, wanted), &T);
        if (!S || !T || S > longest || T > longest)
            continue;
        for (int i = 0; i < S; i++)
            t->occurrences[next[source[i]]++] = (struct occurrence){ pair, (uint32_t)i };
        pair++;
    }
    free(next);
}

static int choose_pairs(struct training *t, struct error *err)
{
    int64_t all = store_count(t->corpus);
    int64_t most = t->config->pairs ? t->config->pairs : UINT32_MAX - 1;
    int64_t wanted = all < most ? all : most;
    t->pairs = xcalloc((size_t)wanted + 1, sizeof *t->pairs);
    for (int64_t k = 0; k < wanted; k++)
        if (take_pair(t, spread(t, k, wanted), err) < 0)
            return -1;
    if (!t->count)
        return error_set(err, "store '%s' has no pair to learn from: all are empty on a side or "
                         "longer than %d pieces (--longest)", store_path(t->corpus),
                         t->config->longest);
    t->out->pairs = t->count;
    t->sum = xmalloc(t->targets * sizeof *t->sum);
    list_occurrences(t, wanted);
    return 0;
}

/* --- rows, a source piece each --- */

/* Hands the source pieces out, NULL first: its row is the longest. */
static int next_row(struct training *t)
{
    int taken = atomic_fetch_add(&t->next, 1), V = t->out->source_vocab;
    return taken == 0 ? V : taken <= V && !interrupt_requested() ? taken - 1 : -1;
}

static void by_rows(struct training *t, void (*sweep)(void *training, int thread))
{
    atomic_store(&t->next, 0);
    pool_run(t->pool, t->threads, sweep, t);
}

static int by_id(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

static struct lexicon_row row_of(const int32_t *list, int count, float p)
{
    struct lexicon_row row = { count, xmalloc(((size_t)count + 1) * sizeof(int32_t)),
                               xmalloc(((size_t)count + 1) * sizeof(float)) };
    for (int i = 0; i < count; i++) {
        row.target[i] = list[i];
        row.p[i] = p;
    }
    return row;
}

static int list_met(struct training *t, struct scratch *own, int s)
{
    int count = 0;
    for (uint64_t o = t->bounds[s]; o < t->bounds[s + 1]; o++) {
        const struct used_pair *pair = &t->pairs[t->occurrences[o].pair];
        const int32_t *target = t->target + pair->first;
        for (uint32_t j = 0; j < pair->T; j++)
            if (own->seen[target[j]] != (uint32_t)s + 1) {
                own->seen[target[j]] = (uint32_t)s + 1;
                own->list[count++] = target[j];
            }
    }
    return count;
}

static int list_all(const struct training *t, struct scratch *own)
{
    int count = 0;
    for (int32_t v = 0; v < t->out->target_vocab; v++)
        if (t->out->target_count[v])
            own->list[count++] = v;
    return count;
}

/* Every target piece that s is ever met with, all equally likely. */
static void begin_rows(void *training, int thread)
{
    struct training *t = training;
    struct scratch *own = &t->scratch[thread];
    float p = 1.0f / (float)t->out->target_vocab;
    for (int s; (s = next_row(t)) >= 0;) {
        if (s == t->out->source_vocab) {
            t->null = row_of(own->list, list_all(t, own), p);
            continue;
        }
        int count = list_met(t, own, s);
        if (count)
            qsort(own->list, (size_t)count, sizeof *own->list, by_id);
        t->out->rows[s] = row_of(own->list, count, p);
    }
}

static void lay_out(struct scratch *own, const struct lexicon_row *row)
{
    for (int i = 0; i < row->count; i++)
        own->p[row->target[i]] = row->p[i];
}

/* --- model 2's positions --- */

static float nearness(const struct training *t, uint32_t i, uint32_t S, uint32_t j, uint32_t T)
{
    float distance = fabsf(((float)i + 0.5f) / (float)S - ((float)j + 0.5f) / (float)T);
    return t->near[(int)(distance * DISTANCES + 0.5f)];
}

static void begin_diagonal(struct training *t)
{
    float whole = 1 - t->config->null_share;
    t->diagonal = true;
    t->norm = xmalloc(t->targets * sizeof *t->norm);
    for (int d = 0; d <= DISTANCES; d++)
        t->near[d] = expf(-t->config->tension * (float)d / DISTANCES);
    for (uint32_t k = 0; k < t->count; k++) {
        const struct used_pair *pair = &t->pairs[k];
        for (uint32_t j = 0; j < pair->T; j++) {
            float sum = 0;
            for (uint32_t i = 0; i < pair->S; i++)
                sum += nearness(t, i, pair->S, j, pair->T);
            t->norm[pair->first + j] = whole / sum;
        }
    }
}

/* --- E: a thread sums over its range of pairs --- */

static uint32_t range_start(const struct training *t, int thread)
{
    return (uint32_t)((uint64_t)t->count * (uint64_t)thread / (uint64_t)t->threads);
}

/* The first occurrence of s in a pair not before `pair`. */
static uint64_t find_occurrence(const struct training *t, int s, uint32_t pair)
{
    uint64_t low = t->bounds[s], high = t->bounds[s + 1];
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (t->occurrences[middle].pair < pair)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void sum_null(struct training *t, struct scratch *own, uint32_t begin, uint32_t end)
{
    float weight = t->diagonal ? t->config->null_share : t->config->null_weight;
    lay_out(own, &t->null);
    for (uint64_t j = t->pairs[begin].first; j < t->pairs[end - 1].first + t->pairs[end - 1].T; j++)
        t->sum[j] = weight * own->p[t->target[j]];
}

/* An occurrence a few further on, so that its pair is in the cache in time. */
static void prefetch(const struct training *t, uint64_t o, uint64_t end)
{
    if (o + 8 < end)
        __builtin_prefetch(&t->pairs[t->occurrences[o + 8].pair]);
    if (o + 4 < end) {
        uint64_t first = t->pairs[t->occurrences[o + 4].pair].first;
        __builtin_prefetch(&t->target[first]);
        __builtin_prefetch(&t->sum[first]);
    }
}

static void sum_row(struct training *t, const struct scratch *own, uint64_t begin, uint64_t end)
{
    for (uint64_t o = begin; o < end; o++) {
        const struct used_pair *pair = &t->pairs[t->occurrences[o].pair];
        const int32_t *target = t->target + pair->first;
        float *sum = t->sum + pair->first;
        prefetch(t, o, end);
        if (t->diagonal)
            for (uint32_t j = 0; j < pair->T; j++)
                sum[j] += t->norm[pair->first + j] * own->p[target[j]]
                        * nearness(t, t->occurrences[o].place, pair->S, j, pair->T);
        else
            for (uint32_t j = 0; j < pair->T; j++)
                sum[j] += own->p[target[j]];
    }
}

/* Turns the sums over and measures how well the rows explained the targets. */
static double finish_sums(struct training *t, uint32_t begin, uint32_t end)
{
    double bits = 0;
    for (uint32_t k = begin; k < end; k++) {
        const struct used_pair *pair = &t->pairs[k];
        float *sum = t->sum + pair->first;
        float whole = t->diagonal ? 1 : (float)pair->S + t->config->null_weight;
        for (uint32_t j = 0; j < pair->T; j++) {
            bits -= sum[j] > 0 ? log2f(sum[j] / whole) : 0;
            sum[j] = sum[j] > 0 ? 1 / sum[j] : 0;       /* 0: all that explained it underflowed */
        }
    }
    return bits;
}

static void expect(void *training, int thread)
{
    struct training *t = training;
    struct scratch *own = &t->scratch[thread];
    uint32_t begin = range_start(t, thread), end = range_start(t, thread + 1);
    own->bits = 0;
    if (begin == end)
        return;
    sum_null(t, own, begin, end);
    for (int s = 0; s < t->out->source_vocab && !interrupt_requested(); s++) {
        uint64_t first = find_occurrence(t, s, begin), last = find_occurrence(t, s, end);
        if (first == last)
            continue;
        lay_out(own, &t->out->rows[s]);
        sum_row(t, own, first, last);
    }
    own->bits = finish_sums(t, begin, end);
}

/* --- M: a thread counts for its source pieces --- */

static void count_row(struct training *t, struct scratch *own, int s)
{
    uint64_t end = t->bounds[s + 1];
    for (uint64_t o = t->bounds[s]; o < end; o++) {
        const struct used_pair *pair = &t->pairs[t->occurrences[o].pair];
        const int32_t *target = t->target + pair->first;
        const float *inverse = t->sum + pair->first;
        prefetch(t, o, end);
        if (t->diagonal)
            for (uint32_t j = 0; j < pair->T; j++)
                own->count[target[j]] += (double)(t->norm[pair->first + j] * own->p[target[j]]
                    * nearness(t, t->occurrences[o].place, pair->S, j, pair->T) * inverse[j]);
        else
            for (uint32_t j = 0; j < pair->T; j++)
                own->count[target[j]] += (double)(own->p[target[j]] * inverse[j]);
    }
}

static void count_null(struct training *t, struct scratch *own)
{
    double weight = t->diagonal ? t->config->null_share : t->config->null_weight;
    for (uint64_t j = 0; j < t->targets; j++)
        own->count[t->target[j]] += weight * (double)(own->p[t->target[j]] * t->sum[j]);
}

/* The counts, which are left at 0, become the row. */
static void take_counts(struct scratch *own, struct lexicon_row *row)
{
    double total = 0;
    for (int i = 0; i < row->count; i++)
        total += own->count[row->target[i]];
    for (int i = 0; i < row->count; i++) {
        double *count = &own->count[row->target[i]];
        row->p[i] = total > 0 ? (float)(*count / total) : 0;
        *count = 0;
    }
}

static void maximise(void *training, int thread)
{
    struct training *t = training;
    struct scratch *own = &t->scratch[thread];
    for (int s; (s = next_row(t)) >= 0;) {
        bool null = s == t->out->source_vocab;
        struct lexicon_row *row = null ? &t->null : &t->out->rows[s];
        lay_out(own, row);
        if (null)
            count_null(t, own);
        else
            count_row(t, own, s);
        take_counts(own, row);
    }
}

static void iterate(struct training *t)
{
    double bits = 0;
    pool_run(t->pool, t->threads, expect, t);
    by_rows(t, maximise);
    for (int i = 0; i < t->threads; i++)
        bits += t->scratch[i].bits;
    t->out->bits[t->out->iterations++] = bits / (double)t->targets;
}

/* --- all of it --- */

static void scratch_begin(struct training *t)
{
    size_t V = (size_t)t->out->target_vocab;
    t->scratch = xcalloc((size_t)t->threads, sizeof *t->scratch);
    for (int i = 0; i < t->threads; i++)
        t->scratch[i] = (struct scratch){ xcalloc(V, sizeof(float)), xcalloc(V, sizeof(double)),
                                          xcalloc(V, sizeof(int32_t)), xcalloc(V, sizeof(uint32_t)), 0 };
}

static void row_release(struct lexicon_row *row)
{
    free(row->target);
    free(row->p);
    *row = (struct lexicon_row){ 0 };
}

static void training_release(struct training *t)
{
    for (int i = 0; t->scratch && i < t->threads; i++) {
        free(t->scratch[i].p);
        free(t->scratch[i].count);
        free(t->scratch[i].list);
        free(t->scratch[i].seen);
    }
    free(t->scratch);
    row_release(&t->null);
    free(t->pairs);
    free(t->target);
    free(t->sum);
    free(t->norm);
    free(t->bounds);
    free(t->occurrences);
}

static int train(struct training *t, struct error *err)
{
    const struct lexicon_config *c = t->config;
    if (choose_pairs(t, err) < 0)
        return -1;
    scratch_begin(t);
    by_rows(t, begin_rows);
    for (int i = 0; i < c->iterations + c->diagonal_iterations && !interrupt_requested(); i++) {
        if (i == c->iterations)
            begin_diagonal(t);
        iterate(t);
    }
    return interrupt_requested() ? error_set(err, "interrupted") : 0;
}

int lexicon_train(struct lexicon *out, const struct store *corpus, int source_vocab,
                  int target_vocab, const struct lexicon_config *config, struct pool *pool,
                  struct error *err)
{
    struct lexicon x = { .source_vocab = source_vocab, .target_vocab = target_vocab };
    struct training t = { .corpus = corpus, .config = config, .out = &x, .pool = pool,
                          .threads = pool_threads(pool) };
    x.rows = xcalloc((size_t)source_vocab, sizeof *x.rows);
    x.target_count = xcalloc((size_t)target_vocab, sizeof *x.target_count);
    x.bits = xcalloc((size_t)(config->iterations + config->diagonal_iterations) + 1, sizeof *x.bits);
    t.bounds = xcalloc((size_t)source_vocab + 1, sizeof *t.bounds);
    int ret = train(&t, err);
    if (ret == 0) {
        *out = x;
        x = (struct lexicon){ 0 };
    }
    training_release(&t);
    lexicon_release(&x);
    return ret;
}

void lexicon_release(struct lexicon *x)
{
    for (int s = 0; x->rows && s < x->source_vocab; s++)
        row_release(&x->rows[s]);
    free(x->rows);
    free(x->target_count);
    free(x->bits);
    *x = (struct lexicon){ 0 };
}
