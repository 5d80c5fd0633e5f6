/* Correlations and errors of numbers. */
#include <math.h>
#include <stdlib.h>

#include "eval/answers.h"

/* Pearson's r of x and y, which become deviations from their means. */
static double correlate(double *x, double *y, size_t n)
{
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    bool constant_x = true, constant_y = true;

    for (size_t i = 0; i < n; i++) {
        mean_x += x[i];
        mean_y += y[i];
        constant_x &= x[i] == x[0];
        constant_y &= y[i] == y[0];
    }
    if (n < 2 || constant_x || constant_y)
        return NAN;
    mean_x /= (double)n;
    mean_y /= (double)n;
    for (size_t i = 0; i < n; i++) {
        x[i] -= mean_x;
        y[i] -= mean_y;
        xx += x[i] * x[i];
        yy += y[i] * y[i];
    }
    xx = sqrt(xx);
    yy = sqrt(yy);
    for (size_t i = 0; i < n; i++)
        xy += x[i] / xx * (y[i] / yy);
    return fmax(-1, fmin(1, xy));
}

static void take(double *x, double *y, const struct answers *a, const uint32_t *draws, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = a->gold_value[draws[i]];
        y[i] = a->predicted_value[draws[i]];
    }
}

double values_pearson(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    take(scratch, scratch + n, a, draws, n);
    return correlate(scratch, scratch + n, n);
}

struct placed {
    double value;
    size_t at;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Values become ranks from 1 on; equal ones share the mean of theirs. */
static void rank(double *values, size_t n, struct placed *sorted)
{
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct placed){ values[i], i };
    qsort(sorted, n, sizeof *sorted, compare_placed);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end].value == sorted[i].value; end++)
            ;
        for (size_t k = i; k < end; k++)
            values[sorted[k].at] = (double)(i + 1 + end) / 2;
    }
}

double values_spearman(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    _Static_assert(sizeof(struct placed) <= 2 * sizeof(double), "the scratch memory holds them");
    struct placed *sorted = (struct placed *)(void *)(scratch + 2 * n);
    take(scratch, scratch + n, a, draws, n);
    rank(scratch, n, sorted);
    rank(scratch + n, n, sorted);
    return correlate(scratch, scratch + n, n);
}

double values_mse(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    double sum = 0;
    (void)scratch;
    for (size_t i = 0; i < n; i++) {
        double gap = a->gold_value[draws[i]] - a->predicted_value[draws[i]];
        sum += gap * gap;
    }
    return n ? sum / (double)n : NAN;
}

double values_mae(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    double sum = 0;
    (void)scratch;
    for (size_t i = 0; i < n; i++)
        sum += fabs(a->gold_value[draws[i]] - a->predicted_value[draws[i]]);
    return n ? sum / (double)n : NAN;
}
