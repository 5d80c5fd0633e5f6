/* Predictions by heads: lines of like length together, a worker a core. */
#include "decode/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "corpora/examples.h"
#include "corpora/task.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

#define BATCH_LINES 32

struct line {
    struct ids ids, first;      /* pieces; for tags, where words begin */
    size_t at;                  /* its number */
};

struct job {
    const struct model *m;
    int task, threads;
    struct line *lines;
    size_t n;
    struct prediction *out;
};

/* ---- reading ---- */

static int encode_line(struct line *line, const struct model *m, int task, const char *text, struct error *err)
{
    const struct task *t = &m->tasks[task];
    char *copy = xstrdup(text);
    struct example e;
    int ret = example_split_texts(&e, copy, err);
    if (ret == 0 && t->kind == TASK_TAG && e.texts > 1)
        ret = error_set(err, "a tagging takes one text");
    if (ret == 0 && t->texts && e.texts != t->texts)
        ret = error_set(err, t->texts == 2 ? "task '%s' takes two texts, divided by a tab"
                                           : "task '%s' takes one text, but there are two, divided by a tab", t->name);
    if (ret == 0)
        example_encode(t, &e, m->source_tokenizer, &line->ids, t->kind == TASK_TAG ? &line->first : NULL);
    free(copy);
    return ret;
}

static int check_length(const struct line *line, const struct model *m, struct error *err)
{
    int limit = model_max_length(m);
    if (limit && line->ids.count + 1 > (size_t)limit)
        return error_set(err, "%zu tokens, but the learned positions of the model end at %d", line->ids.count + 1, limit);
    return 0;
}

/* ---- a batch ---- */

static void add_line(struct batch *b, const struct line *line, const struct task *t, int32_t eos)
{
    int places = t->kind == TASK_TAG ? (int)line->first.count : 1;
    int32_t *pairs = xcalloc(2 * (size_t)places, sizeof *pairs);
    for (int i = 0; i < places; i++)
        pairs[2 * i + 1] = t->kind == TASK_TAG ? line->first.items[i] : 0;
    batch_add_labels(b, line->ids.items, (int)line->ids.count, pairs, places, eos, (int64_t)line->at, 1);
    free(pairs);
}

/* From what the head gives to probabilities, or the number. */
static void finish(struct prediction *p, const struct task *t)
{
    int n = p->places * p->outputs;
    for (int i = 0; i < n; i++)
        p->value[i] = t->kind == TASK_REGRESS ? p->value[i] * t->deviation + t->mean : expf(p->value[i]);
}

static void run_batch(struct job *j, struct scorer *s, size_t first, size_t count)
{
    const struct task *t = &j->m->tasks[j->task];
    struct batch b = { 0 };
    batch_reset(&b);
    b.task = j->task;
    for (size_t i = first; i < first + count; i++)
        add_line(&b, &j->lines[i], t, tokenizer_eos(j->m->target_tokenizer));
    int outputs = task_outputs(t);
    float *value = xcalloc((size_t)b.target_tokens * (size_t)outputs, sizeof *value);
    model_predict(s, &b, value);
    for (int i = 0; i < b.B; i++) {
        struct prediction *p = &j->out[b.index[i]];
        p->places = b.target_start[i + 1] - b.target_start[i];
        p->outputs = outputs;
        size_t size = (size_t)p->places * (size_t)outputs * sizeof *value;
        p->value = xmalloc(size);
        memcpy(p->value, value + (size_t)b.target_start[i] * (size_t)outputs, size);
        finish(p, t);
    }
    free(value);
    batch_release(&b);
}

static void worker(void *arg, int number)
{
    struct job *j = arg;
    struct scorer *s = scorer_new(j->m);
    size_t step = BATCH_LINES * (size_t)j->threads;
    for (size_t first = BATCH_LINES * (size_t)number; first < j->n; first += step)
        run_batch(j, s, first, j->n - first < BATCH_LINES ? j->n - first : BATCH_LINES);
    scorer_free(s);
}

static int by_length(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->ids.count != y->ids.count)
        return x->ids.count < y->ids.count ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

int predict_lines(struct prediction *out, const struct model *m, int task, const char *const *lines, size_t n,
                  int threads, const char *path, int64_t first, struct error *err)
{
    struct job j = { .m = m, .task = task, .n = n, .out = out };
    int ret = 0;
    j.lines = xcalloc(n + 1, sizeof *j.lines);
    for (size_t i = 0; i < n && ret == 0; i++) {
        j.lines[i].at = i;
        if (encode_line(&j.lines[i], m, task, lines[i], err) < 0 || check_length(&j.lines[i], m, err) < 0)
            ret = error_prefix(err, "%s:%lld", path, (long long)(first + (int64_t)i));
    }
    if (ret == 0) {
        struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
        qsort(j.lines, n, sizeof *j.lines, by_length);
        j.threads = pool_threads(pool);
        pool_run(pool, j.threads, worker, &j);
        pool_free(pool);
    }
    for (size_t i = 0; i < n; i++) {
        ids_release(&j.lines[i].ids);
        ids_release(&j.lines[i].first);
    }
    free(j.lines);
    return ret;
}

void predictions_release(struct prediction *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(p[i].value);
    memset(p, 0, n * sizeof *p);
}

int prediction_label(const struct prediction *p, int place)
{
    const float *x = p->value + (size_t)place * (size_t)p->outputs;
    int best = 0;
    for (int i = 1; i < p->outputs; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}
