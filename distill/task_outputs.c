#include "distill/task_outputs.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/batching.h"
#include "corpora/soft_targets.h"
#include "corpora/store.h"
#include "corpora/task.h"
#include "seq2seq/teacher.h"

struct writing {
    const struct store *examples;
    const struct task *task;
    struct soft_writer *out;
    int64_t next;               /* the example that is written next */
    float *q;                   /* (labels of a batch, V) */
    size_t room;
    struct soft_entry *entries; /* V of them */
};

static int likelier(const void *a, const void *b)
{
    const struct soft_entry *x = a, *y = b;
    if (x->logp != y->logp)
        return x->logp < y->logp ? 1 : -1;
    return x->id - y->id;
}

static void write_row(struct writing *w, const float *q, int V, int32_t gold)
{
    bool number = w->task->kind == TASK_REGRESS;
    for (int i = 0; i < V; i++)
        w->entries[i] = (struct soft_entry){ i, number ? q[i] : logf(q[i]) };
    qsort(w->entries, (size_t)V, sizeof *w->entries, likelier);
    soft_writer_row(w->out, w->entries, V, 0, number ? 0 : logf(q[gold]));
}

static int end_example(struct writing *w, struct error *err)
{
    int source_count, target_count;
    const int32_t *source = store_source(w->examples, w->next, &source_count);
    const int32_t *target = store_target(w->examples, w->next, &target_count);
    w->next++;
    return soft_writer_sentence(w->out, source, source_count, target, target_count, err);
}

/* Examples that no batch had have no rows. */
static int skip_to(struct writing *w, int64_t index, struct error *err)
{
    while (w->next < index)
        if (end_example(w, err) < 0)
            return -1;
    return 0;
}

static int write_batch(struct writing *w, struct teacher_worker *worker, const struct batch *b, int V, struct error *err)
{
    ARRAY_GROW(w->q, w->room, (size_t)b->target_tokens * (size_t)V);
    teacher_begin(worker, b);
    teacher_rows(worker, w->q, 0, b->target_tokens);
    for (int s = 0; s < b->B; s++) {
        if (skip_to(w, b->index[s], err) < 0)
            return -1;
        for (int n = b->target_start[s]; n < b->target_start[s + 1]; n++)
            write_row(w, w->q + (size_t)n * (size_t)V, V, b->output[n]);
        if (end_example(w, err) < 0)
            return -1;
    }
    return 0;
}

static int write_all(struct writing *w, const struct teacher *t, int32_t eos, int max_length, struct error *err)
{
    const struct batching_config config = { .max_length = max_length, .labels = true };
    struct batch_source source;
    struct batch b = { 0 };
    int more = -1;
    if (batching_open(&source, w->examples, eos, eos, &config, NULL, err) < 0)
        return -1;
    struct teacher_worker *worker = teacher_worker_new(t);
    while ((more = source.next(source.state, &b, err)) > 0)
        if (write_batch(w, worker, &b, teacher_vocab(t), err) < 0) {
            more = -1;
            break;
        }
    teacher_worker_free(worker);
    batch_release(&b);
    source.free(source.state);
    return more < 0 ? -1 : skip_to(w, store_count(w->examples), err);
}

int task_outputs_write(const char *path, const struct teacher *t, const struct task *task, const struct store *examples,
                       int32_t eos, int max_length, const json_t *about, struct error *err)
{
    struct writing w = { .examples = examples, .task = task };
    int V = teacher_vocab(t);
    const struct soft_shape shape = {
        .vocab = V, .k = V, .mass = 1, .temperature = teacher_temperature(t),
        .source_vocab = store_source_vocab(examples), .target_vocab = store_target_vocab(examples),
        .teacher = teacher_fingerprint(t), .about = about, .labels = true,
    };
    w.out = soft_writer_new(path, &shape, err);
    w.entries = xcalloc((size_t)V, sizeof *w.entries);
    int ret = w.out ? write_all(&w, t, eos, max_length, err) : -1;
    if (ret == 0)
        ret = soft_writer_commit(w.out, err);
    else
        soft_writer_abort(w.out);
    free(w.q);
    free(w.entries);
    return ret;
}
