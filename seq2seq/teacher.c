/* Teachers: one model or a mean of several, over whole sentences. */
#include "seq2seq/teacher.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/task.h"
#include "seq2seq/model.h"
#include "tensor/kernels.h"
#include "tensor/tape.h"
#include "tokenize/tokenizer.h"

struct teacher {
    const struct model **models;
    int *task;                  /* a model's number of the task; 0 without tasks */
    struct output_layer *output;
    bool number;                /* the task gives numbers, no distributions */
    float *share;
    int count;
    struct teacher_config config;
};

/* "'big'", or "model 2" of one that was never in a folder. */
static const char *name_of(char *room, size_t size, const struct model *m, int number)
{
    if (m->folder)
        snprintf(room, size, "'%s'", m->folder);
    else
        snprintf(room, size, "model %d", number);
    return room;
}

static int same_side(const char *side, const struct tokenizer *a, const struct tokenizer *b, const struct model *first,
                     const struct model *other, int number, struct error *err)
{
    char one[300], two[300];
    if (tokenizer_fingerprint(a) == tokenizer_fingerprint(b))
        return 0;
    return error_set(err, "%s has another %s vocabulary (%d pieces) than %s (%d pieces): "
                     "an ensemble needs models trained with the same vocabularies",
                     name_of(two, sizeof two, other, number), side, tokenizer_vocab(b),
                     name_of(one, sizeof one, first, 1), tokenizer_vocab(a));
}

int teacher_same_vocab(const struct model *first, const struct model *other, int number, struct error *err)
{
    if (same_side("source", first->source_tokenizer, other->source_tokenizer, first, other, number, err) < 0)
        return -1;
    return same_side("target", first->target_tokenizer, other->target_tokenizer, first, other, number, err);
}

int teacher_shares(float *share, const float *weight, int count, struct error *err)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        double w = weight ? (double)weight[i] : 1;
        if (!(w > 0) || !isfinite(w))
            return error_set(err, "weight %d of the ensemble is %g: each must be above 0", i + 1, w);
        sum += w;
    }
    for (int i = 0; i < count; i++)
        share[i] = (float)((weight ? (double)weight[i] : 1) / sum);
    return 0;
}

static int same_labels(const struct task *first, const struct task *other, int number, struct error *err)
{
    bool same = first->kind == other->kind && first->labels.count == other->labels.count
        && first->mean == other->mean && first->deviation == other->deviation;
    for (size_t i = 0; same && i < first->labels.count; i++)
        same = !strcmp(first->labels.items[i], other->labels.items[i]);
    return same ? 0 : error_set(err, "model %d knows task '%s' with other labels than model 1", number, first->name);
}

/* Finds the task in model i. */
static int find_task(struct teacher *t, int i, struct error *err)
{
    const struct model *m = t->models[i];
    const char *task = t->config.task;
    if (!task && m->task_count)
        return error_set(err, "model %d of the teacher was made for several tasks, of which none is named", i + 1);
    t->task[i] = task && m->task_count ? model_find_task(m, task) : 0;
    if (t->task[i] < 0)
        return error_set(err, "model %d of the teacher does not know task '%s'", i + 1, task);
    t->output[i] = model_output(m, t->task[i]);
    if (m->task_count && i == 0)
        t->number = m->tasks[t->task[0]].kind == TASK_REGRESS;
    if (!i || !m->task_count)
        return 0;
    return same_labels(&t->models[0]->tasks[t->task[0]], &m->tasks[t->task[i]], i + 1, err);
}

struct teacher *teacher_new(const struct model *const *models, int count,
                            const struct teacher_config *config, struct error *err)
{
    struct teacher *t = xcalloc(1, sizeof *t);
    t->models = xcalloc((size_t)count, sizeof *t->models);
    t->share = xcalloc((size_t)count, sizeof *t->share);
    t->task = xcalloc((size_t)count, sizeof *t->task);
    t->output = xcalloc((size_t)count, sizeof *t->output);
    t->count = count;
    t->config = *config;
    memcpy(t->models, models, (size_t)count * sizeof *t->models);
    int ret = teacher_shares(t->share, config->weight, count, err);
    for (int i = 1; i < count && ret == 0; i++)
        ret = teacher_same_vocab(models[0], models[i], i + 1, err);
    for (int i = 0; i < count && ret == 0; i++)
        ret = find_task(t, i, err);
    if (ret == 0)
        return t;
    teacher_free(t);
    return NULL;
}

void teacher_free(struct teacher *t)
{
    if (!t)
        return;
    free(t->models);
    free(t->share);
    free(t->task);
    free(t->output);
    free(t);
}

int teacher_vocab(const struct teacher *t)
{
    return t->output[0].outputs;
}

float teacher_temperature(const struct teacher *t)
{
    return t->config.temperature;
}

int teacher_max_length(const struct teacher *t)
{
    int least = 0;
    for (int i = 0; i < t->count; i++) {
        int length = model_max_length(t->models[i]);
        if (length && (!least || length < least))
            least = length;
    }
    return least;
}

uint64_t teacher_fingerprint(const struct teacher *t)
{
    uint64_t hash = 0;
    for (int i = 0; i < t->count; i++) {
        uint64_t weights = model_fingerprint(t->models[i]);
        hash = hash_bytes(&weights, sizeof weights, hash);
        hash = hash_bytes(&t->share[i], sizeof t->share[i], hash);
    }
    int32_t average = t->count > 1 ? (int32_t)t->config.average : 0;
    hash = hash_bytes(&average, sizeof average, hash);
    return hash_bytes(&t->config.temperature, sizeof t->config.temperature, hash);
}

/* ---- at work ---- */

struct member {
    struct tape tape;
    const struct tensor *hidden;        /* of the batch */
};

struct teacher_worker {
    const struct teacher *teacher;
    struct member *members;
    float *logits;                      /* (PIECE,V), of a member behind the first */
    float *sum, *row;                   /* (PIECE,V) and (V), for teacher_gold */
};

struct teacher_worker *teacher_worker_new(const struct teacher *t)
{
    struct teacher_worker *w = xcalloc(1, sizeof *w);
    w->teacher = t;
    w->members = xcalloc((size_t)t->count, sizeof *w->members);
    for (int i = 0; i < t->count; i++)
        w->members[i].tape.params = &t->models[i]->params;
    return w;
}

void teacher_worker_free(struct teacher_worker *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->teacher->count; i++)
        tape_release(&w->members[i].tape);
    free(w->members);
    free(w->logits);
    free(w->sum);
    free(w->row);
    free(w);
}

void teacher_begin(struct teacher_worker *w, const struct batch *b)
{
    for (int i = 0; i < w->teacher->count; i++) {
        struct member *m = &w->members[i];
        tape_reset(&m->tape);
        m->tape.params = &w->teacher->models[i]->params;
        struct batch own = *b;          /* the same tokens under the model's own number of the task */
        own.task = w->teacher->task[i];
        m->hidden = model_hidden(w->teacher->models[i], &m->tape, &own);
    }
}

static void member_logits(const struct teacher_worker *w, int i, float *logits, int first, int rows)
{
    const struct tensor *hidden = w->members[i].hidden;
    model_layer_logits(w->teacher->models[i], &w->teacher->output[i], logits,
                       hidden->data + (size_t)first * (size_t)hidden->cols, rows);
}

enum { PIECE = 32 };                    /* rows that all members do at a time */

static void soften(const struct teacher *t, float *x, int rows, int V)
{
    for (int r = 0; r < rows && !t->number; r++)
        kernel->softmax(x + (size_t)r * V, x + (size_t)r * V, 1 / t->config.temperature, V);
}

/* The sum over members, by their shares, of probabilities or of logits as they are, since a constant
 * added to a row does not change its geometric mean. */
static void sum_members(struct teacher_worker *w, float *sum, bool probabilities, int first, int rows, int V)
{
    const struct teacher *t = w->teacher;
    size_t N = (size_t)rows * (size_t)V;
    for (int i = 0; i < t->count; i++) {
        float *x = i ? w->logits : sum;
        member_logits(w, i, x, first, rows);
        if (probabilities)
            soften(t, x, rows, V);
        if (t->count > 1)
            kernel->scale(x, t->share[i], N);
        if (i)
            kernel->add(sum, x, N);
    }
}

static void piece(struct teacher_worker *w, float *q, int first, int rows, int V)
{
    bool probabilities = w->teacher->config.average == AVERAGE_PROBABILITY;
    sum_members(w, q, probabilities, first, rows, V);
    if (!probabilities)
        soften(w->teacher, q, rows, V);
}

static void room_for_members(struct teacher_worker *w, int V)
{
    if (w->teacher->count > 1 && !w->logits)
        w->logits = xaligned((size_t)PIECE * (size_t)V * sizeof *w->logits);
}

void teacher_rows(struct teacher_worker *w, float *q, int first, int rows)
{
    int V = teacher_vocab(w->teacher), most = w->teacher->count > 1 ? PIECE : rows;
    room_for_members(w, V);
    for (int done = 0; done < rows; done += most)
        piece(w, q + (size_t)done * (size_t)V, first + done, rows - done < most ? rows - done : most, V);
}

/* ---- gold at several temperatures ---- */

static double gold_logp(const struct teacher_worker *w, const float *x, int32_t gold, float temperature, int V)
{
    return (double)(x[gold] / temperature) - (double)kernel->softmax(w->row, x, 1 / temperature, V);
}

/* Of a single model, or of the geometric mean, whose logits are the mean of the models'. */
static void gold_of_logits(struct teacher_worker *w, double *logp, const float *temperature, int count,
                           const int32_t *target, int first, int rows, int V)
{
    sum_members(w, w->sum, false, first, rows, V);
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < count; k++)
            logp[r * count + k] = gold_logp(w, w->sum + (size_t)r * (size_t)V, target[r], temperature[k], V);
}

static void gold_of_mean(struct teacher_worker *w, double *logp, const float *temperature, int count,
                         const int32_t *target, int first, int rows, int V)
{
    for (int i = 0; i < rows * count; i++)
        logp[i] = 0;
    for (int i = 0; i < w->teacher->count; i++) {
        member_logits(w, i, w->sum, first, rows);
        for (int r = 0; r < rows; r++)
            for (int k = 0; k < count; k++)
                logp[r * count + k] += (double)w->teacher->share[i]
                    * exp(gold_logp(w, w->sum + (size_t)r * (size_t)V, target[r], temperature[k], V));
    }
    for (int i = 0; i < rows * count; i++)
        logp[i] = log(logp[i] + 1e-300);
}

void teacher_gold(struct teacher_worker *w, double *logp, const float *temperature, int count,
                  const int32_t *target, int first, int rows)
{
    const struct teacher *t = w->teacher;
    int V = teacher_vocab(t);
    bool mean = t->count > 1 && t->config.average == AVERAGE_PROBABILITY;
    room_for_members(w, V);
    if (!w->sum) {
        w->sum = xaligned((size_t)PIECE * (size_t)V * sizeof *w->sum);
        w->row = xaligned((size_t)V * sizeof *w->row);
    }
    for (int done = 0; done < rows; done += PIECE)
        (mean ? gold_of_mean : gold_of_logits)(w, logp + (size_t)done * (size_t)count, temperature, count,
                                               target + done, first + done,
                                               rows - done < PIECE ? rows - done : PIECE, V);
}
