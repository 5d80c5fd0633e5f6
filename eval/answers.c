/* The table of metrics over answers, reading answers, and intervals. */
#include "eval/answers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/thread.h"
#include "eval/numpy_rng.h"

static const struct answer_metric metrics[] = {
    { "accuracy",       ANSWER_LABEL,  labels_accuracy,    "share of labels that are right" },
    { "exact_match",    ANSWER_LINE,   labels_accuracy,    "share of lines that are equal" },
    { "f1_macro",       ANSWER_LABEL,  labels_f1_macro,    "mean of the labels' F1" },
    { "f1_micro",       ANSWER_LABEL,  labels_f1_micro,    "F1 of all labels together" },
    { "f1_weighted",    ANSWER_LABEL,  labels_f1_weighted, "mean of the labels' F1 by frequency" },
    { "mcc",            ANSWER_LABEL,  labels_mcc,         "Matthews's correlation coefficient" },
    { "pearson",        ANSWER_NUMBER, values_pearson,     "correlation of numbers" },
    { "spearman",       ANSWER_NUMBER, values_spearman,    "correlation of their ranks" },
    { "mse",            ANSWER_NUMBER, values_mse,         "mean squared error" },
    { "mae",            ANSWER_NUMBER, values_mae,         "mean absolute error" },
    { "span_f1",        ANSWER_TAGS,   spans_f1,           "F1 of tagged spans" },
    { "span_precision", ANSWER_TAGS,   spans_precision,    "share of predicted spans that are right" },
    { "span_recall",    ANSWER_TAGS,   spans_recall,       "share of gold spans that are found" },
};

const struct answer_metric *answer_metric_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(metrics); i++)
        if (!strcmp(metrics[i].name, name))
            return &metrics[i];
    return NULL;
}

const struct answer_metric *answer_metric_row(int index)
{
    return index >= 0 && (size_t)index < ARRAY_COUNT(metrics) ? &metrics[index] : NULL;
}

/* ---- labels as numbers ---- */

struct label_index {
    struct text *slots;
    uint32_t *ids;
    size_t mask, count;
};

static uint32_t label_id(struct label_index *index, struct text label)
{
    size_t at = (size_t)hash_bytes(label.bytes, label.length, 0) & index->mask;
    while (index->slots[at].bytes && (index->slots[at].length != label.length
                                      || memcmp(index->slots[at].bytes, label.bytes, label.length)))
        at = (at + 1) & index->mask;
    if (!index->slots[at].bytes) {
        index->slots[at] = label;
        index->ids[at] = (uint32_t)index->count++;
    }
    return index->ids[at];
}

static void read_labels(struct answers *a, const struct text *gold, const struct text *predicted)
{
    struct label_index index = { .mask = 15 };
    while (index.mask < 4 * a->n)
        index.mask = index.mask * 2 + 1;
    index.slots = xcalloc(index.mask + 1, sizeof *index.slots);
    index.ids = xcalloc(index.mask + 1, sizeof *index.ids);
    a->gold = xcalloc(a->n + 1, sizeof *a->gold);
    a->predicted = xcalloc(a->n + 1, sizeof *a->predicted);
    for (size_t i = 0; i < a->n; i++) {
        a->gold[i] = label_id(&index, text_strip(gold[i]));
        a->predicted[i] = label_id(&index, text_strip(predicted[i]));
    }
    a->labels = index.count;
    free(index.slots);
    free(index.ids);
}

static int check_labels(struct answer_lines gold, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!text_strip(gold.line[i]).length)
            return error_set(err, "%s:%zu: the label is empty; exact_match compares such lines, too", gold.path, i + 1);
    return 0;
}

/* ---- numbers and tags ---- */

static int read_number(double *out, struct answer_lines from, size_t i, struct error *err)
{
    char text[64], *end;
    struct text t = text_strip(from.line[i]);
    if (t.length > 0 && t.length < sizeof text) {
        memcpy(text, t.bytes, t.length);
        text[t.length] = '\0';
        *out = strtod(text, &end);
        if (*end == '\0' && isfinite(*out))
            return 0;
    }
    return error_set(err, "%s:%zu: '%.*s' is no number", from.path, i + 1, (int)(t.length < 60 ? t.length : 60), t.bytes);
}

static int read_numbers(struct answers *a, struct answer_lines gold, struct answer_lines predicted, struct error *err)
{
    a->gold_value = xcalloc(a->n + 1, sizeof *a->gold_value);
    a->predicted_value = xcalloc(a->n + 1, sizeof *a->predicted_value);
    for (size_t i = 0; i < a->n; i++)
        if (read_number(&a->gold_value[i], gold, i, err) < 0
            || read_number(&a->predicted_value[i], predicted, i, err) < 0)
            return -1;
    return 0;
}

static int read_tags(struct answers *a, struct answer_lines gold, struct answer_lines predicted, struct error *err)
{
    a->spans = xcalloc(a->n + 1, sizeof *a->spans);
    for (size_t i = 0; i < a->n; i++)
        if (spans_count(&a->spans[i], gold.line[i], predicted.line[i]) < 0)
            return error_set(err, "%s:%zu: not as many tags as at %s:%zu", predicted.path, i + 1, gold.path, i + 1);
    return 0;
}

int answers_read(struct answers *out, enum answer_kind kind, struct answer_lines gold, struct answer_lines predicted,
                 size_t n, struct error *err)
{
    struct answers a = { .kind = kind, .n = n };
    int ret = 0;
    if (kind == ANSWER_NUMBER)
        ret = read_numbers(&a, gold, predicted, err);
    else if (kind == ANSWER_TAGS)
        ret = read_tags(&a, gold, predicted, err);
    else if (kind == ANSWER_LINE || (ret = check_labels(gold, n, err)) == 0)
        read_labels(&a, gold.line, predicted.line);
    if (ret < 0)
        answers_release(&a);
    else
        *out = a;
    return ret;
}

void answers_release(struct answers *a)
{
    free(a->gold);
    free(a->predicted);
    free(a->gold_value);
    free(a->predicted_value);
    free(a->spans);
    *a = (struct answers){ 0 };
}

/* ---- scores ---- */

size_t answers_scratch(const struct answers *a)
{
    return 3 * a->labels + 5 * a->n + 1;
}

double answers_score(const struct answer_metric *metric, const struct answers *a)
{
    uint32_t *all = xmalloc((a->n + 1) * sizeof *all);
    double *scratch = xmalloc(answers_scratch(a) * sizeof *scratch);
    for (size_t i = 0; i < a->n; i++)
        all[i] = (uint32_t)i;
    double score = metric->score(a, all, a->n, scratch);
    free(all);
    free(scratch);
    return score;
}

struct interval_job {
    const struct answer_metric *metric;
    const struct answers *answers;
    const uint32_t *draws;              /* (batch, n) */
    double *scores;                     /* of the batch */
};

static void score_sample(void *arg, int index)
{
    const struct interval_job *job = arg;
    double *scratch = xmalloc(answers_scratch(job->answers) * sizeof *scratch);
    size_t n = job->answers->n;
    job->scores[index] = job->metric->score(job->answers, job->draws + (size_t)index * n, n, scratch);
    free(scratch);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* numpy.percentile of sorted figures, which interpolates between neighbours. */
static double percentile(const double *sorted, int count, double percent)
{
    double place = percent / 100 * (count - 1);
    int below = (int)floor(place);
    double part = place - below, low = sorted[below], high = sorted[below + 1 < count ? below + 1 : below];
    return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part);
}

void answers_interval(double *low, double *high, const struct answer_metric *metric,
                      const struct answers *a, int samples, struct seed seed, int threads)
{
    enum { DRAWS = 1 << 22 };           /* of a batch, about */
    size_t batch = DRAWS / (a->n ? a->n : 1) + 1;
    double *scores = xcalloc((size_t)samples, sizeof *scores);
    struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
    struct numpy_rng rng;
    bool undefined = false;

    batch = batch < (size_t)samples ? batch : (size_t)samples;
    uint32_t *draws = xmalloc(batch * a->n * sizeof *draws + 1);
    if (seed.random)
        numpy_rng_seed_randomly(&rng);
    else
        numpy_rng_seed(&rng, seed.value);
    for (int done = 0; done < samples; done += (int)batch) {
        int count = samples - done < (int)batch ? samples - done : (int)batch;
        numpy_rng_integers(draws, (size_t)count * a->n, &rng, (uint32_t)a->n);
        pool_run(pool, count, score_sample, &(struct interval_job){ metric, a, draws, scores + done });
    }
    for (int i = 0; i < samples; i++)
        undefined |= isnan(scores[i]);
    qsort(scores, (size_t)samples, sizeof *scores, compare_doubles);
    *low = undefined ? NAN : percentile(scores, samples, 2.5);
    *high = undefined ? NAN : percentile(scores, samples, 97.5);
    pool_free(pool);
    free(scores);
    free(draws);
}
