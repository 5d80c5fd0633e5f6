/* Accuracy, F1 and Matthews's correlation of labels, as scikit-learn has them: a label counts when
 * it is among the gold answers or the predictions, and what would be divided by zero is 0. */
#include <math.h>
#include <string.h>

#include "eval/answers.h"

struct counts {
    double *right, *gold, *predicted;   /* of each label */
};

static struct counts count_labels(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    struct counts c = { scratch, scratch + a->labels, scratch + 2 * a->labels };
    memset(scratch, 0, 3 * a->labels * sizeof *scratch);
    for (size_t i = 0; i < n; i++) {
        uint32_t gold = a->gold[draws[i]], predicted = a->predicted[draws[i]];
        c.gold[gold]++;
        c.predicted[predicted]++;
        c.right[gold] += gold == predicted;
    }
    return c;
}

static double f1_of(const struct counts *c, size_t label)
{
    double both = c->gold[label] + c->predicted[label];
    return both > 0 ? 2 * c->right[label] / both : 0;
}

double labels_accuracy(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    size_t right = 0;
    (void)scratch;
    for (size_t i = 0; i < n; i++)
        right += a->gold[draws[i]] == a->predicted[draws[i]];
    return n ? (double)right / (double)n : NAN;
}

double labels_f1_macro(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    struct counts c = count_labels(a, draws, n, scratch);
    double sum = 0;
    size_t present = 0;
    for (size_t l = 0; l < a->labels; l++) {
        sum += f1_of(&c, l);
        present += c.gold[l] + c.predicted[l] > 0;
    }
    return present ? sum / (double)present : NAN;
}

/* Every wrong answer is a false positive of one label and a false negative of another. */
double labels_f1_micro(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    return labels_accuracy(a, draws, n, scratch);
}

double labels_f1_weighted(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    struct counts c = count_labels(a, draws, n, scratch);
    double sum = 0;
    for (size_t l = 0; l < a->labels; l++)
        sum += c.gold[l] * f1_of(&c, l);
    return n ? sum / (double)n : NAN;
}

/* R_K of Gorodkin (2004), which is Matthews's for two labels. */
double labels_mcc(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    struct counts c = count_labels(a, draws, n, scratch);
    double right = 0, both = 0, gold = 0, predicted = 0, all = (double)n;
    for (size_t l = 0; l < a->labels; l++) {
        right += c.right[l];
        both += c.gold[l] * c.predicted[l];
        gold += c.gold[l] * c.gold[l];
        predicted += c.predicted[l] * c.predicted[l];
    }
    double spread = (all * all - gold) * (all * all - predicted);
    return spread > 0 ? (right * all - both) / sqrt(spread) : 0;
}
