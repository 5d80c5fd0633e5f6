/* The temperature that fits a teacher to held-out text.
 *
 * One pass over the text costs the models' work and gives the NLL at any number of temperatures, so a row of
 * GRID of them, even in log T, is tried at a time; the next row lies between the neighbours of the best one.
 * The NLL of one model is convex in 1/T, so that has one minimum; of a mean of several, it is the row's best.
 * The first row has T = 1 in its middle and each has the best so far: what comes out is never worse than 1. */
#include <math.h>

#include "seq2seq/teacher.h"

#define GRID 17                 /* odd: the middle is tried again */
#define WIDEST 2.7725887222397811       /* log 16 */
#define ROWS 4                  /* the last one's steps are 0.0007 in log T */

int teacher_fit(struct teacher_fit *out, const struct teacher *t, struct batch_source *data, int threads,
                struct error *err)
{
    struct teacher_fit fit = { .nll = INFINITY };
    double middle = 0, step = 2 * WIDEST / (GRID - 1);
    for (int row = 0; row < ROWS; row++, step /= GRID / 2) {
        float temperature[GRID];
        double nll[GRID];
        for (int k = 0; k < GRID; k++)
            temperature[k] = (float)exp(fmin(WIDEST, fmax(-WIDEST, middle + (k - GRID / 2) * step)));
        if (teacher_nll_at(t, data, temperature, GRID, threads, nll, err) < 0)
            return -1;
        if (row == 0)
            fit.nll_unfitted = nll[GRID / 2];
        for (int k = 0; k < GRID; k++)
            if (nll[k] < fit.nll) {
                fit.nll = nll[k];
                fit.temperature = temperature[k];
            }
        middle = log((double)fit.temperature);
    }
    *out = fit;
    return 0;
}
