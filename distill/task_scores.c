/* Scores of models on tasks: predictions or translations against what the examples say. */
#include "distill/task_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/memory.h"
#include "decode/predict.h"
#include "decode/translate.h"
#include "eval/answers.h"
#include "eval/metric.h"
#include "seq2seq/model.h"

/* Which metrics a kind of task has; the first one counts. */
static const struct measured {
    enum answer_kind kind;
    const char *metrics[4];
} measured[] = {
    [TASK_CLASSIFY] = { ANSWER_LABEL, { "accuracy", "f1_macro", "mcc" } },
    [TASK_REGRESS] = { ANSWER_NUMBER, { "pearson", "spearman", "mse" } },
    [TASK_TAG] = { ANSWER_TAGS, { "span_f1", "span_precision", "span_recall" } },
};

static void put(json_t *figures, const char *task, const char *metric, double value)
{
    char *key = xasprintf("%s.%s", task, metric);
    if (figures && isfinite(value))
        json_object_set_new(figures, key, json_real(value));
    free(key);
}

/* ---- heads ---- */

static char *answer_text(const struct task *t, const struct prediction *p)
{
    struct strbuf text = { 0 };
    if (t->kind == TASK_REGRESS)
        strbuf_printf(&text, "%.9g", (double)p->value[0]);
    for (int i = 0; t->kind != TASK_REGRESS && i < p->places; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", t->labels.items[prediction_label(p, i)]);
    return strbuf_detach(&text);
}

/* Divides examples into labels and what stands behind them. */
static int split_examples(struct strings *labels, struct strings *texts, const char *path, struct error *err)
{
    struct strings lines = { 0 };
    int ret = lines_read(&lines, path, 0, err);
    for (size_t i = 0; i < lines.count && ret == 0; i++) {
        char *tab = strchr(lines.items[i], '\t');
        if (!tab) {
            ret = error_set(err, "%s:%zu: no tab: an example is a label, a tab and a text", path, i + 1);
            break;
        }
        *tab = '\0';
        strings_add(labels, lines.items[i]);
        strings_add(texts, tab + 1);
    }
    strings_release(&lines);
    return ret;
}

static struct text *texts_of(const struct strings *s)
{
    struct text *texts = xcalloc(s->count + 1, sizeof *texts);
    for (size_t i = 0; i < s->count; i++)
        texts[i] = text_of(s->items[i]);
    return texts;
}

static int score_answers(double *main, json_t *figures, const struct task *t, const char *path,
                         const struct strings *gold, const struct strings *answers, struct error *err)
{
    const struct measured *m = &measured[t->kind];
    struct text *x = texts_of(gold), *y = texts_of(answers);
    struct answers pairs = { 0 };
    int ret = answers_read(&pairs, m->kind, (struct answer_lines){ x, path },
                           (struct answer_lines){ y, "the model's answers" }, gold->count, err);
    for (size_t i = 0; ret == 0 && i < ARRAY_COUNT(m->metrics) && m->metrics[i]; i++) {
        double score = 100 * answers_score(answer_metric_find(m->metrics[i]), &pairs);
        put(figures, t->name, m->metrics[i], score);
        if (i == 0)
            *main = score;
    }
    answers_release(&pairs);
    free(x);
    free(y);
    return ret;
}

static int score_head(double *main, struct strings *answers, json_t *figures, const struct model *m, int task,
                      const struct task_set *set, int threads, struct error *err)
{
    struct strings gold = { 0 }, texts = { 0 };
    struct prediction *out = NULL;
    int ret = split_examples(&gold, &texts, set->examples, err);
    if (ret == 0) {
        out = xcalloc(texts.count + 1, sizeof *out);
        ret = predict_lines(out, m, task, (const char *const *)texts.items, texts.count, threads, set->examples, 1,
                            err);
    }
    for (size_t i = 0; i < texts.count && ret == 0; i++) {
        char *text = answer_text(&m->tasks[task], &out[i]);
        strings_add(answers, text);
        free(text);
    }
    if (ret == 0)
        ret = score_answers(main, figures, &m->tasks[task], set->examples, &gold, answers, err);
    if (out)
        predictions_release(out, texts.count);
    free(out);
    strings_release(&gold);
    strings_release(&texts);
    return ret;
}

/* ---- translation ---- */

static int translate_all(struct strings *answers, const struct model *m, const struct strings *sources, int threads,
                         struct error *err)
{
    struct search_config search = { 0 };
    struct translation *out = xcalloc(sources->count + 1, sizeof *out);
    options_default((struct option_group[]){ { NULL, search_options, &search }, { 0 } });
    search.beam = search.n_best = 1;
    int ret = translate_lines(out, m, (const char *const *)sources->items, sources->count, &search, threads, NULL, err);
    for (size_t i = 0; i < sources->count && ret == 0; i++)
        strings_add(answers, out[i].text[0]);
    translations_release(out, sources->count);
    free(out);
    return ret;
}

static int score_translation(double *main, struct strings *answers, json_t *figures, const struct model *m, int task,
                             const struct task_set *set, int threads, struct error *err)
{
    struct strings sources = { 0 }, references = { 0 };
    int ret = lines_read(&sources, set->examples, 0, err) < 0 || lines_read(&references, set->targets, 0, err) < 0
        ? -1 : 0;
    if (ret == 0 && sources.count != references.count)
        ret = error_set(err, "'%s' has %zu lines but '%s' has %zu", set->examples, sources.count, set->targets,
                        references.count);
    if (ret == 0)
        ret = translate_all(answers, m, &sources, threads, err);
    if (ret == 0) {
        const char *const *hyps = (const char *const *)answers->items, *const *refs = (const char *const *)references.items;
        *main = bleu_of_lines(hyps, refs, sources.count);
        put(figures, m->tasks[task].name, "bleu", *main);
        put(figures, m->tasks[task].name, "chrf", chrf_of_lines(hyps, refs, sources.count));
    }
    strings_release(&sources);
    strings_release(&references);
    return ret;
}

int task_score(double *main, struct strings *answers, json_t *figures, const struct model *m, int task,
               const struct task_set *set, int threads, struct error *err)
{
    struct strings own = { 0 }, *all = answers ? answers : &own;
    *main = NAN;
    int ret = m->tasks[task].kind == TASK_TRANSLATE
        ? score_translation(main, all, figures, m, task, set, threads, err)
        : score_head(main, all, figures, m, task, set, threads, err);
    strings_release(&own);
    return ret;
}
