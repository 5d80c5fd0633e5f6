/* The distributions of two models beside each other, token by token. */
#include "distill/gap_tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "distill/gap.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"

#define ROWS 32
#define LONGEST 1000             /* tokens of a side of a pair; longer ones are left out */

const int gap_lengths[GAP_BANDS + 1] = { 1, 6, 11, 16, 21, 31, 41, 61, 0 };
const int64_t gap_frequencies[GAP_BANDS + 1] = { 0, 1, 10, 100, 1000, 10000, 100000, 1000000, 0 };

int gap_length_band(int words)
{
    int band = 0;
    while (band + 1 < GAP_BANDS && words >= gap_lengths[band + 1])
        band++;
    return band;
}

int gap_frequency_band(int64_t times)
{
    int band = 0;
    while (band + 1 < GAP_BANDS && times >= gap_frequencies[band + 1])
        band++;
    return band;
}

/* ---- one token ---- */

static int likeliest(const float *p, int V)
{
    int best = 0;
    for (int v = 1; v < V; v++)
        if (p[v] > p[best])
            best = v;
    return best;
}

static int bin_of(double confidence)
{
    int bin = (int)(confidence * GAP_BINS);
    return bin < 0 ? 0 : bin >= GAP_BINS ? GAP_BINS - 1 : bin;
}

static void add_side(struct gap_side *s, const float *p, int best, int32_t gold)
{
    double confidence = (double)p[best], right = best == gold;
    int bin = bin_of(confidence);
    s->nll -= log(fmax((double)p[gold], 1e-30));
    s->right += right;
    s->bin_confidence[bin] += confidence;
    s->bin_right[bin] += right;
    s->bin_count[bin]++;
}

/* A token's measures, to be added to each of its cells. */
struct token {
    const float *q, *p;
    int best_q, best_p;
    int32_t gold;
    double cross, entropy;
};

static void soft_terms(struct token *t, int V)
{
    t->cross = t->entropy = 0;
    for (int v = 0; v < V; v++) {
        double q = (double)t->q[v];
        if (q <= 0)
            continue;
        t->cross -= q * log(fmax((double)t->p[v], 1e-30));
        t->entropy -= q * log(q);
    }
}

static void add_token(struct gap_cell *c, const struct token *t)
{
    c->tokens++;
    add_side(&c->teacher, t->q, t->best_q, t->gold);
    add_side(&c->student, t->p, t->best_p, t->gold);
    c->cross += t->cross;
    c->entropy += t->entropy;
}

static void add_row(struct gap_row *row, const struct token *t)
{
    row->tokens++;
    row->nll[0] -= log(fmax((double)t->q[t->gold], 1e-30));
    row->nll[1] -= log(fmax((double)t->p[t->gold], 1e-30));
    row->right[0] += t->best_q == t->gold;
    row->right[1] += t->best_p == t->gold;
    row->unsure[0][bin_of((double)t->q[t->best_q])] += t->q[t->best_q] - (float)(t->best_q == t->gold);
    row->unsure[1][bin_of((double)t->p[t->best_p])] += t->p[t->best_p] - (float)(t->best_p == t->gold);
}

/* ---- batches ---- */

struct lane {
    struct teacher_worker *teacher, *student;
    float *q, *p;
    struct gap_tokens sums;
};

struct job {
    struct lane *lanes;
    struct batch *shares;
    struct gap_row *rows;
    const int *words;
    const int64_t *count;
    int V;
};

static void measure_row(struct job *j, struct lane *lane, const struct batch *b, int sentence, int row, int r)
{
    int V = j->V;
    struct token t = { .q = lane->q + (size_t)r * (size_t)V, .p = lane->p + (size_t)r * (size_t)V,
                       .gold = b->output[row] };
    t.best_q = likeliest(t.q, V);
    t.best_p = likeliest(t.p, V);
    soft_terms(&t, V);
    add_token(&lane->sums.all, &t);
    add_token(&lane->sums.length[gap_length_band(j->words[b->index[sentence]])], &t);
    int frequency = j->count ? gap_frequency_band(j->count[t.gold]) : 0;
    if (j->count)
        add_token(&lane->sums.frequency[frequency], &t);
    add_row(&j->rows[b->index[sentence] * GAP_BANDS + frequency], &t);
}

static void lane_run(void *arg, int i)
{
    struct job *j = arg;
    struct lane *lane = &j->lanes[i];
    const struct batch *b = &j->shares[i];
    int sentence = 0;
    if (!b->B)
        return;
    teacher_begin(lane->teacher, b);
    teacher_begin(lane->student, b);
    for (int first = 0; first < b->target_tokens; first += ROWS) {
        int rows = b->target_tokens - first < ROWS ? b->target_tokens - first : ROWS;
        teacher_rows(lane->teacher, lane->q, first, rows);
        teacher_rows(lane->student, lane->p, first, rows);
        for (int r = 0; r < rows; r++) {
            while (b->target_start[sentence + 1] <= first + r)
                sentence++;
            measure_row(j, lane, b, sentence, first + r, r);
        }
    }
}

static void add_doubles(void *to, const void *from, size_t bytes)
{
    double *x = to;
    const double *y = from;
    for (size_t i = 0; i < bytes / sizeof *x; i++)
        x[i] += y[i];
}

static void lanes_open(struct job *j, const struct teacher *teacher, const struct teacher *student, int threads)
{
    j->lanes = xcalloc((size_t)threads, sizeof *j->lanes);
    j->shares = xcalloc((size_t)threads, sizeof *j->shares);
    for (int i = 0; i < threads; i++) {
        j->lanes[i].teacher = teacher_worker_new(teacher);
        j->lanes[i].student = teacher_worker_new(student);
        j->lanes[i].q = xaligned((size_t)ROWS * (size_t)j->V * sizeof(float));
        j->lanes[i].p = xaligned((size_t)ROWS * (size_t)j->V * sizeof(float));
    }
}

static void lanes_close(struct job *j, struct gap_tokens *out, int threads)
{
    for (int i = 0; i < threads; i++) {
        add_doubles(out, &j->lanes[i].sums, sizeof *out);
        teacher_worker_free(j->lanes[i].teacher);
        teacher_worker_free(j->lanes[i].student);
        free(j->lanes[i].q);
        free(j->lanes[i].p);
        batch_release(&j->shares[i]);
    }
    free(j->lanes);
    free(j->shares);
}

static int run(struct job *j, struct gap_tokens *out, const struct teacher *teacher, const struct teacher *student,
               struct batch_source *batches, int threads, struct error *err)
{
    struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
    struct batch b = { 0 };
    int count = pool_threads(pool), more;
    lanes_open(j, teacher, student, count);
    while ((more = batches->next(batches->state, &b, err)) > 0) {
        batch_split(&b, j->shares, count);
        pool_run(pool, count, lane_run, j);
    }
    lanes_close(j, out, count);
    batch_release(&b);
    pool_free(pool);
    return more;
}

static struct teacher *speaker(const struct gap_voice *v, struct error *err)
{
    return teacher_new(v->models, v->count, &(struct teacher_config){ v->average, 1, v->weight }, err);
}

/* Learned positions end sentences; 0 is no limit. */
static int longest(const struct teacher *a, const struct teacher *b)
{
    int limit = LONGEST, x = teacher_max_length(a), y = teacher_max_length(b);
    limit = x && x < limit ? x : limit;
    return y && y < limit ? y : limit;
}

int gap_tokens(struct gap_tokens *out, struct gap_row *rows, const struct gap_voice *teacher,
               const struct gap_voice *student, const struct store *corpus, const int *words, const int64_t *count,
               int threads, struct error *err)
{
    const struct model *m = student->models[0];
    struct teacher *first = speaker(teacher, err), *second = first ? speaker(student, err) : NULL;
    struct job j = { .words = words, .rows = rows, .count = count, .V = m->config.target_vocab };
    struct batching_config config = { .batch_tokens = 2000, .max_length = second ? longest(first, second) : 0 };
    struct batch_source batches;
    int ret = -1;
    *out = (struct gap_tokens){ 0 };
    if (second && batching_open(&batches, corpus, model_bos(m), model_eos(m), &config, NULL, err) < 0) {
        error_set(err, "no sentence of the test set has %d tokens or fewer on both sides, so that none can be compared "
                  "on gold", config.max_length);
    } else if (second) {
        ret = run(&j, out, first, second, &batches, threads, err);
        batches.free(batches.state);
    }
    teacher_free(first);
    teacher_free(second);
    return ret;
}

double gap_calibration_error(const struct gap_side *s, double tokens)
{
    double error = 0;
    for (int i = 0; i < GAP_BINS; i++)
        error += fabs(s->bin_confidence[i] - s->bin_right[i]);
    return tokens > 0 ? error / tokens : NAN;
}
