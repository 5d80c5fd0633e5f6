/* Significance tests.
 *
 * Resampling.  All systems are resampled with the same draws, so these are made once, a batch of
 * samples at a time; threads then take (system, samples) each.  Statistics lie in rows of
 * floats padded to vectors, and a sample is the sum of n drawn rows, in the order of the draws and
 * in single precision, as ndarray.sum(0) adds them.
 *
 * Randomisation.  A trial takes each segment from the one system or from the other, by a bit.
 * The sums of all subsets of 8 segments are tabled, and a trial adds one row of each table. */
#include "eval/significance.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "eval/metric_row.h"
#include "eval/numpy_rng.h"

int seed_from_environment(struct seed *seed, struct error *err)
{
    const char *text = getenv("SACREBLEU_SEED");
    char *end;

    *seed = (struct seed){ .value = 12345 };
    if (!text)
        return 0;
    if (!strcasecmp(text, "none")) {
        seed->random = true;
        return 0;
    }
    errno = 0;
    seed->value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return error_set(err, "SACREBLEU_SEED is '%s'; it must be a whole number or 'none'", text);
    return 0;
}

static void seed_rng(struct numpy_rng *r, struct seed seed)
{
    if (seed.random)
        numpy_rng_seed_randomly(r);
    else
        numpy_rng_seed(r, seed.value);
}

static struct pool *pool_for(int threads)
{
    return pool_new(threads > 0 ? threads : cpu_count());
}

/* ---- resampling ---- */

typedef float lanes __attribute__((vector_size(16)));
#define LANES 4
#define GROUPS_MAX (METRIC_WIDTH_MAX / LANES)

/* The scores of one system's samples.  NumPy keeps single precision as long as every score is. */
struct sample_scores {
    double *items;              /* (samples) */
    bool wide;                  /* one of them has double precision */
};

struct resampling {
    const struct sampled *data;
    int width, groups;          /* numbers of a row, vectors of a row */
    lanes *rows;                /* (systems, n, groups) */
    const uint32_t *draws;      /* (batch, n), and room for TOGETHER samples more */
    int batch_begin, batch, chunks;
    struct sample_scores *scores;       /* (systems) */
    bool *wide;                 /* (systems, samples) */
    int samples;
};

/* Samples that are summed at a time, so that additions do not wait for each other; each one's order
 * stays that of its draws. */
#define TOGETHER 4

/* sums (TOGETHER, groups) of samples whose draws, n each, follow one another. */
static inline __attribute__((always_inline))
void sum_rows(lanes *sums, const lanes *rows, const uint32_t *draws, size_t n, int groups)
{
    lanes s[TOGETHER][GROUPS_MAX];
    for (int t = 0; t < TOGETHER; t++)
        for (int g = 0; g < groups; g++)
            s[t][g] = (lanes){ 0 };
    for (size_t i = 0; i < n; i++)
        for (int t = 0; t < TOGETHER; t++) {
            const lanes *row = rows + (size_t)draws[(size_t)t * n + i] * (size_t)groups;
            for (int g = 0; g < groups; g++)
                s[t][g] += row[g];
        }
    for (int t = 0; t < TOGETHER; t++)
        for (int g = 0; g < groups; g++)
            sums[t * groups + g] = s[t][g];
}

static void sum_drawn(lanes *sums, const lanes *rows, const uint32_t *draws, size_t n, int groups)
{
    switch (groups) {
    case 1: sum_rows(sums, rows, draws, n, 1); break;       /* TER */
    case 3: sum_rows(sums, rows, draws, n, 3); break;       /* BLEU */
    case 5: sum_rows(sums, rows, draws, n, 5); break;       /* chrF */
    case 6: sum_rows(sums, rows, draws, n, 6); break;       /* chrF++ */
    default: sum_rows(sums, rows, draws, n, groups);
    }
}

static void score_sum(struct resampling *r, size_t system, int sample, const lanes *sum)
{
    float stats[METRIC_WIDTH_MAX];
    bool wide = false;
    memcpy(stats, sum, (size_t)r->groups * sizeof *sum);
    r->scores[system].items[sample] = metric_sampled_score(r->data->metric, r->data->config, stats, &wide);
    r->wide[system * (size_t)r->samples + (size_t)sample] = wide;
}

/* A share of a batch: some samples of one system. */
static void score_samples(void *arg, int index)
{
    struct resampling *r = arg;
    size_t system = (size_t)(index / r->chunks), n = r->data->n;
    int chunk = index % r->chunks;
    const lanes *rows = r->rows + system * n * (size_t)r->groups;

    for (int b = chunk * TOGETHER; b < r->batch; b += r->chunks * TOGETHER) {
        lanes sums[TOGETHER * GROUPS_MAX];
        sum_drawn(sums, rows, r->draws + (size_t)b * n, n, r->groups);
        for (int t = 0; t < TOGETHER && b + t < r->batch; t++)
            score_sum(r, system, r->batch_begin + b + t, sums + t * r->groups);
    }
}

static void fill_rows(struct resampling *r)
{
    size_t count = r->data->systems * r->data->n;
    r->width = metric_width(r->data->metric, r->data->config);
    r->groups = (r->width + LANES - 1) / LANES;
    r->rows = xaligned(count * (size_t)r->groups * sizeof *r->rows + 64);
    for (size_t i = 0; i < count; i++) {
        float row[METRIC_WIDTH_MAX] = { 0 };
        for (int k = 0; k < r->width; k++)
            row[k] = (float)r->data->stats[i * (size_t)r->width + (size_t)k];
        memcpy(r->rows + i * (size_t)r->groups, row, (size_t)r->groups * sizeof *r->rows);
    }
}

/* Scores of `samples` resamples of every system. */
static struct sample_scores *resample(const struct sampled *data, int samples, struct seed seed,
                                      int threads)
{
    enum { DRAWS = 1 << 22 };           /* of a batch, about */
    struct resampling r = { .data = data, .samples = samples };
    struct numpy_rng rng;
    size_t n = data->n, batch = DRAWS / (n ? n : 1) + 1;
    struct pool *pool = pool_for(threads);
    uint32_t *draws;

    batch = batch < (size_t)samples ? batch : (size_t)samples;
    r.draws = draws = xcalloc((batch + TOGETHER) * n + 1, sizeof *draws);
    r.scores = xcalloc(data->systems, sizeof *r.scores);
    r.wide = xcalloc(data->systems * (size_t)samples, sizeof *r.wide);
    for (size_t s = 0; s < data->systems; s++)
        r.scores[s].items = xcalloc((size_t)samples, sizeof *r.scores[s].items);
    fill_rows(&r);
    seed_rng(&rng, seed);
    r.chunks = data->systems < 4 ? 4 : 1;
    for (; r.batch_begin < samples; r.batch_begin += r.batch) {
        int left = samples - r.batch_begin;
        r.batch = left < (int)batch ? left : (int)batch;
        numpy_rng_integers(draws, (size_t)r.batch * n, &rng, (uint32_t)n);
        pool_run(pool, (int)data->systems * r.chunks, score_samples, &r);
    }
    for (size_t s = 0; s < data->systems; s++)
        for (int i = 0; i < samples; i++)
            r.scores[s].wide |= r.wide[s * (size_t)samples + (size_t)i];
    pool_free(pool);
    free(r.rows);
    free(r.wide);
    free(draws);
    return r.scores;
}

static void forget(struct sample_scores *scores, size_t systems)
{
    for (size_t s = 0; s < systems; s++)
        free(scores[s].items);
    free(scores);
}

/* ---- what samples tell ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Half of what lies between the 2.5th and the 97.5th per cent of sorted scores. */
static double half_interval(const double *sorted, int count, bool wide)
{
    int low = count / 40, high = count - low - 1;
    if (wide)
        return 0.5 * (sorted[high] - sorted[low]);
    return 0.5f * ((float)sorted[high] - (float)sorted[low]);
}

/* ndarray.mean. */
static double numpy_mean(const double *items, int count, bool wide)
{
    if (wide)
        return numpy_sum(items, (size_t)count) / count;
    float *single = xmalloc((size_t)count * sizeof *single + 1);
    for (int i = 0; i < count; i++)
        single[i] = (float)items[i];
    float mean = numpy_sum_single(single, (size_t)count) / (float)count;
    free(single);
    return mean;
}

/* statistics.mean, which rounds once. */
static double exact_mean(const double *items, int count, bool wide)
{
    long double sum = 0;
    for (int i = 0; i < count; i++)
        sum += items[i];
    double mean = (double)(sum / count);
    return wide ? mean : (double)(float)mean;
}

static double *sorted_copy(const struct sample_scores *s, int samples)
{
    double *sorted = xmalloc((size_t)samples * sizeof *sorted);
    memcpy(sorted, s->items, (size_t)samples * sizeof *sorted);
    qsort(sorted, (size_t)samples, sizeof *sorted, compare_doubles);
    return sorted;
}

void significance_bootstrap(struct significance *out, const struct sampled *data, int samples,
                            struct seed seed, int threads)
{
    struct sample_scores *scores = resample(data, samples, seed, threads);
    double *sorted = sorted_copy(scores, samples);
    out->mean = exact_mean(sorted, samples, scores->wide);
    out->interval = half_interval(sorted, samples, scores->wide);
    out->p = NAN;
    free(sorted);
    forget(scores, data->systems);
}

/* How likely chance alone makes a difference of more than `real`. */
static double p_value(const double *differences, int count, double real)
{
    int more = 0;
    for (int i = 0; i < count; i++)
        more += differences[i] > real;
    return (more + 1.) / (count + 1.);
}

/* The differences of the samples, less their mean, against the real difference. */
static double bootstrap_p(const struct sample_scores *base, const struct sample_scores *other,
                          int samples, double real)
{
    double *gaps = xmalloc((size_t)samples * sizeof *gaps), p;
    bool wide = base->wide || other->wide;
    for (int i = 0; i < samples; i++) {
        double gap = other->items[i] - base->items[i];
        gaps[i] = fabs(wide ? gap : (double)(float)gap);
    }
    double mean = numpy_mean(gaps, samples, wide);
    for (int i = 0; i < samples; i++)
        gaps[i] = wide ? gaps[i] - mean : (double)(float)(gaps[i] - mean);
    p = p_value(gaps, samples, wide ? real : (double)(float)real);
    free(gaps);
    return p;
}

void significance_paired_bootstrap(struct significance *out, const struct sampled *data, int samples,
                                   struct seed seed, int threads)
{
    struct sample_scores *scores = resample(data, samples, seed, threads);
    for (size_t s = 0; s < data->systems; s++) {
        double *sorted = sorted_copy(&scores[s], samples);
        out[s].mean = numpy_mean(sorted, samples, scores[s].wide);
        out[s].interval = half_interval(sorted, samples, scores[s].wide);
        out[s].p = s == 0 ? NAN : bootstrap_p(&scores[0], &scores[s], samples,
                                              fabs(data->scores[0] - data->scores[s]));
        free(sorted);
    }
    forget(scores, data->systems);
}

/* ---- randomisation ---- */

#define SUBSET 8                        /* segments of a table */

/* Trials come in batches: about so many bytes of bits, and no more than so many trials. */
#define TRIALS_BYTES ((size_t)32 << 20)
#define TRIALS_MAX ((size_t)1 << 16)

struct randomization {
    const struct sampled *data;
    int width, trials;                  /* of the batch */
    const unsigned char *bits;          /* (trials, bytes) set: from the first system */
    size_t bytes;
    int64_t *more;                      /* (systems) trials with a larger difference than the real one */
};

/* Sums of every subset of rows base[0 … count-1] - other[…]: table (2^count, width). */
static void fill_subsets(double *table, const double *base, const double *other, size_t count,
                         size_t width)
{
    memset(table, 0, width * sizeof *table);
    for (size_t i = 0; i < count; i++) {
        size_t half = (size_t)1 << i;
        for (size_t subset = 0; subset < half; subset++)
            for (size_t k = 0; k < width; k++)
                table[(half + subset) * width + k] = table[subset * width + k]
                    + (base[i * width + k] - other[i * width + k]);
    }
}

/* mixed (trials, width): the statistics of each trial's first pseudo-system. */
static void mix_trials(double *mixed, const struct randomization *r, const double *base,
                       const double *other, const double *other_total)
{
    size_t width = (size_t)r->width;
    double *table = xmalloc(((size_t)1 << SUBSET) * width * sizeof *table);
    for (int t = 0; t < r->trials; t++)
        memcpy(mixed + (size_t)t * width, other_total, width * sizeof *mixed);
    for (size_t b = 0; b < r->bytes; b++) {
        size_t begin = b * SUBSET, count = r->data->n - begin;
        fill_subsets(table, base + begin * width, other + begin * width,
                     count < SUBSET ? count : SUBSET, width);
        for (int t = 0; t < r->trials; t++) {
            const double *row = table + r->bits[(size_t)t * r->bytes + b] * width;
            double *sum = mixed + (size_t)t * width;
            for (size_t k = 0; k < width; k++)
                sum[k] += row[k];
        }
    }
    free(table);
}

static void total_of(double *total, const double *rows, size_t n, size_t width)
{
    memset(total, 0, width * sizeof *total);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < width; k++)
            total[k] += rows[i * width + k];
}

static void randomize_system(void *arg, int index)
{
    const struct randomization *r = arg;
    const struct sampled *d = r->data;
    size_t width = (size_t)r->width, size = d->n * width, system = (size_t)index + 1;
    const double *base = d->stats, *other = d->stats + system * size;
    double totals[2][METRIC_WIDTH_MAX], rest[METRIC_WIDTH_MAX];
    double *mixed = xmalloc((size_t)r->trials * width * sizeof *mixed);
    double real = fabs(d->scores[0] - d->scores[system]);

    total_of(totals[0], base, d->n, width);
    total_of(totals[1], other, d->n, width);
    mix_trials(mixed, r, base, other, totals[1]);
    for (int t = 0; t < r->trials; t++) {
        const double *first = mixed + (size_t)t * width;
        for (size_t k = 0; k < width; k++)
            rest[k] = totals[0][k] + totals[1][k] - first[k];
        r->more[system] += fabs(metric_shuffled_score(d->metric, d->config, first)
                                - metric_shuffled_score(d->metric, d->config, rest)) > real;
    }
    free(mixed);
}

/* The bits of a trial begin where those of the one before end; here they are put into bytes of
 * their own. */
static unsigned char *draw_trials(size_t bytes, size_t n, int trials, struct numpy_rng *rng)
{
    unsigned char *out = xcalloc((size_t)trials * bytes + 1, 1);
    size_t all = n * (size_t)trials;
    unsigned char *stream = xcalloc(all / 8 + 2, 1);

    numpy_rng_bits(stream, all, rng);
    for (int t = 0; t < trials; t++)
        for (size_t b = 0; b < bytes; b++) {
            size_t at = (size_t)t * n + b * SUBSET, left = n - b * SUBSET;
            unsigned pair = stream[at / 8] | (unsigned)stream[at / 8 + 1] << 8;
            unsigned char byte = (unsigned char)(pair >> at % 8);
            if (left < SUBSET)
                byte &= (unsigned char)((1u << left) - 1);
            out[(size_t)t * bytes + b] = byte;
        }
    free(stream);
    return out;
}

void significance_paired_randomization(struct significance *out, const struct sampled *data,
                                       int trials, struct seed seed, int threads)
{
    struct randomization r = { .data = data, .width = metric_width(data->metric, data->config),
                               .bytes = (data->n + SUBSET - 1) / SUBSET };
    struct pool *pool = pool_for(threads);
    struct numpy_rng rng;
    /* whole words of random bits, so that batches go on where the ones before end */
    size_t batch = TRIALS_BYTES / (r.bytes + 1) / 32 * 32 + 32;
    batch = batch < TRIALS_MAX ? batch : TRIALS_MAX;

    r.more = xcalloc(data->systems, sizeof *r.more);
    seed_rng(&rng, seed);
    for (int done = 0; data->systems > 1 && done < trials; done += r.trials) {
        r.trials = trials - done < (int)batch ? trials - done : (int)batch;
        unsigned char *bits = draw_trials(r.bytes, data->n, r.trials, &rng);
        r.bits = bits;
        pool_run(pool, (int)data->systems - 1, randomize_system, &r);
        free(bits);
    }
    for (size_t s = 0; s < data->systems; s++)
        out[s] = (struct significance){ NAN, NAN, s == 0 ? NAN : (double)(r.more[s] + 1) / (trials + 1.) };
    pool_free(pool);
    free(r.more);
}
