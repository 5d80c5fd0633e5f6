/* Paired bootstrap of figures of sums over sentences. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "distill/gap_parts.h"

#define MOST_WIDTH (GAP_BINS + 2)

static void add(double *sum, const double *row, size_t width)
{
    for (size_t k = 0; k < width; k++)
        sum[k] += row[k];
}

/* Of n sentences drawn with replacement; draws NULL: of all, once each. */
static double difference(const struct gap_paired *data, struct rng *draws)
{
    double sum[MODELS][MOST_WIDTH] = { 0 };
    for (size_t i = 0; i < data->n; i++) {
        size_t k = draws ? (size_t)rng_below(draws, data->n) : i;
        for (int model = 0; model < MODELS; model++)
            add(sum[model], data->rows[model] + k * data->width, data->width);
    }
    return data->figure(sum[STUDENT]) - data->figure(sum[TEACHER]);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* As eval/significance.c has it: the sizes of the samples' differences, less their mean, against the
 * real one's; but where there is none at all, p is 1. */
static double p_value(const double *samples, int count, double real)
{
    double mean = 0;
    int more = 0;
    for (int i = 0; i < count; i++)
        mean += fabs(samples[i]) / count;
    for (int i = 0; i < count; i++)
        more += fabs(samples[i]) - mean >= fabs(real);
    return (more + 1.) / (count + 1.);
}

json_t *gap_test(const struct gap *g, const struct gap_paired *data)
{
    double *samples = xmalloc((size_t)g->config->samples * sizeof *samples), real = difference(data, NULL);
    struct rng draws;
    int count = 0;
    rng_seed(&draws, (uint64_t)g->config->seed, 0);
    for (int i = 0; i < g->config->samples && isfinite(real) && data->n > 1; i++) {
        samples[count] = difference(data, &draws);
        count += isfinite(samples[count]);      /* a sample may have no token of a rare kind */
    }
    json_t *it = json_object();
    gap_put(it, "difference", real);
    if (count) {
        qsort(samples, (size_t)count, sizeof *samples, by_value);
        int low = count / 40;
        gap_put(it, "interval", 0.5 * (samples[count - low - 1] - samples[low]));
        gap_put(it, "p", p_value(samples, count, real));
    }
    free(samples);
    return it;
}

static double ratio(const double *sum)
{
    return sum[1] != 0 ? sum[0] / sum[1] : NAN;
}

_Static_assert(sizeof(struct gap_ratio) == 2 * sizeof(double), "a ratio is a row of two numbers");

json_t *gap_test_ratio(const struct gap *g, const struct gap_ratio *teacher, const struct gap_ratio *student, size_t n)
{
    return gap_test(g, &(struct gap_paired){ { &teacher->up, &student->up }, n, 2, ratio });
}
