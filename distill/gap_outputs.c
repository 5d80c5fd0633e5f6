/* The outputs of both models: how good they are, and how alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "base/memory.h"
#include "distill/gap_parts.h"
#include "eval/metric.h"
#include "eval/significance.h"
#include "tokenize/tokenizer.h"

/* The lines of a band of lengths. */
struct lines_of {
    size_t *item, count;
};

static struct lines_of lines_of_band(const struct gap *g, int band)
{
    struct lines_of lines = { xmalloc((g->texts->n + 1) * sizeof(size_t)), 0 };
    for (size_t i = 0; i < g->texts->n; i++)
        if (gap_in_band(g, i, band))
            lines.item[lines.count++] = i;
    return lines;
}

static const char *text_at(const struct gap *g, int model, int mode, size_t i)
{
    return g->out[model][mode][i].text[0];
}

static double share_of_mode(const struct gap *g, int model, size_t i)
{
    return exp(g->out[model][BEAM][i].best[0].logp);
}

/* ---- quality ---- */

static double score(const double *rows, size_t n, const struct metric *m, const struct metric_config *config)
{
    struct metric_report report;
    double sum[METRIC_WIDTH_MAX] = { 0 };
    size_t width = (size_t)metric_width(m, config);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < width; k++)
            sum[k] += rows[i * width + k];
    metric_report(&report, m, config, sum, 1);
    return report.score;
}

/* Whether the scores of rows (MODELS, n, width) differ by more than chance; of one line nobody knows. */
static json_t *test_metric(const struct gap *g, const struct sampled *data, size_t width)
{
    struct significance tests[MODELS];
    size_t size = data->n * width;
    if (data->n < 2)
        return json_object();
    significance_paired_bootstrap(tests, data, g->config->samples, (struct seed){ false, (uint64_t)g->config->seed },
                                  g->threads);
    if (!memcmp(data->stats, data->stats + size, size * sizeof *data->stats))
        tests[STUDENT].p = 1;           /* sacreBLEU counts larger differences alone, and there are none */
    return json_pack("{s:f, s:f, s:f}", "teacher_interval", tests[TEACHER].interval, "student_interval",
                     tests[STUDENT].interval, "p", tests[STUDENT].p);
}

/* A metric of both models on these lines. */
static void add_metric(json_t *out, const struct gap *g, const struct lines_of *lines, int mode, int metric)
{
    const struct metric *m = metric_find(gap_metrics[metric]);
    struct metric_config config;
    double scores[MODELS];
    metric_config_default(&config);
    size_t width = (size_t)metric_width(m, &config), n = lines->count;
    double *rows = xmalloc(MODELS * n * width * sizeof *rows);
    char *key = xasprintf("%s_%s", gap_metrics[metric], gap_modes[mode]);
    for (size_t model = 0; model < MODELS; model++) {
        for (size_t i = 0; i < n; i++)
            memcpy(rows + (model * n + i) * width, g->stats[model][mode][metric] + lines->item[i] * width,
                   width * sizeof *rows);
        scores[model] = score(rows + model * n * width, n, m, &config);
        gap_put(json_object_get(out, gap_models[model]), key, scores[model]);
    }
    const struct sampled data = { m, &config, rows, scores, MODELS, n };
    json_object_set_new(json_object_get(out, "significance"), key, test_metric(g, &data, width));
    free(key);
    free(rows);
}

static void add_mode_share(json_t *out, const struct gap *g, const struct lines_of *lines)
{
    struct gap_ratio *rows[MODELS];
    for (int model = 0; model < MODELS; model++) {
        double sum = 0;
        rows[model] = xcalloc(lines->count, sizeof **rows);
        for (size_t i = 0; i < lines->count; i++) {
            rows[model][i] = (struct gap_ratio){ share_of_mode(g, model, lines->item[i]), 1 };
            sum += rows[model][i].up;
        }
        gap_put(json_object_get(out, gap_models[model]), "mode_share", sum / (double)lines->count);
    }
    json_object_set_new(json_object_get(out, "significance"), "mode_share",
                        gap_test_ratio(g, rows[TEACHER], rows[STUDENT], lines->count));
    free(rows[TEACHER]);
    free(rows[STUDENT]);
}

/* ---- agreement ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct strings sorted_words(const char *text)
{
    struct strings words = { 0 };
    char *copy = xstrdup(text), *rest = copy, *word;
    while ((word = strsep(&rest, " ")))
        if (*word)
            strings_add(&words, word);
    free(copy);
    if (words.count)
        qsort(words.items, words.count, sizeof *words.items, by_text);
    return words;
}

/* F1 of the bags of words; 1 for two empty texts. */
static double overlap(const char *a, const char *b)
{
    struct strings x = sorted_words(a), y = sorted_words(b);
    size_t i = 0, k = 0, common = 0, all = x.count + y.count;
    while (i < x.count && k < y.count) {
        int order = strcmp(x.items[i], y.items[k]);
        common += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
    strings_release(&x);
    strings_release(&y);
    return all ? 2.0 * (double)common / (double)all : 1;
}

static json_t *agreement(const struct gap *g, const struct lines_of *lines)
{
    json_t *it = json_object();
    for (int mode = 0; mode < MODES; mode++) {
        double same = 0, shared = 0, n = (double)lines->count;
        for (size_t i = 0; i < lines->count; i++) {
            const char *a = text_at(g, TEACHER, mode, lines->item[i]), *b = text_at(g, STUDENT, mode, lines->item[i]);
            same += !strcmp(a, b);
            shared += overlap(a, b);
        }
        json_object_set_new(it, gap_modes[mode], json_pack("{s:f, s:f}", "exact", same / n, "overlap", shared / n));
    }
    return it;
}

json_t *gap_outputs(const struct gap *g, int band)
{
    struct lines_of lines = lines_of_band(g, band);
    json_t *it = NULL;
    if (lines.count) {
        it = json_pack("{s:I, s:{}, s:{}}", "lines", (json_int_t)lines.count, gap_models[TEACHER], gap_models[STUDENT]);
        json_object_set_new(it, "agreement", agreement(g, &lines));
        json_object_set_new(it, "significance", json_object());
        for (int mode = 0; mode < MODES; mode++)
            for (int metric = 0; metric < METRICS; metric++)
                add_metric(it, g, &lines, mode, metric);
        add_mode_share(it, g, &lines);
    }
    free(lines.item);
    return it;
}
