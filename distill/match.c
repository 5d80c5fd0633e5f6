/* One stage after the other: which features, which weights, and some hundred updates. */
#include "distill/match.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "distill/kd.h"
#include "distill/objectives.h"
#include "seq2seq/architecture.h"
#include "seq2seq/workers.h"
#include "tensor/adam.h"
#include "tensor/gemm.h"
#include "tensor/product.h"
#include "tensor/tape.h"

#define FIELD(member) offsetof(struct match_config, member)
const struct option match_options[] = {
    { "updates", OPTION_INT, FIELD(updates), "200", 1, 1e9, "of each stage" },
    { "learning-rate", OPTION_FLOAT, FIELD(learning_rate), "0.003", 1e-9, 1, "at a stage's beginning; falls to 0" },
    { "clip-norm", OPTION_FLOAT, FIELD(clip_norm), "1", 0, 1e6, "largest norm of a gradient; 0: any" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 0, "of the weights, the projections and the order of the corpus" },
    { 0 }
};

struct lane {
    struct tape student, teacher;
    float *grads, *dprojection; /* blocks */
    float *y, *dy;              /* the projected features and their gradient */
    size_t room;
    double loss;                /* of its share, summed over numbers */
    double numbers;
};

struct matching {
    struct model *student;
    const struct model *teacher;
    const struct match_config *config;
    struct batch_source *data;
    struct pool *pool;
    struct lane *lanes;
    struct batch whole, *shares;
    float **grads, **dprojections;      /* the lanes' */
    struct adam_config adam_config;
    /* the stage at work */
    int stage;
    struct adam adam, projection_adam;
    struct param_set projection;        /* (teacher's width, student's width); empty: the same width */
    int projection_ref;
};

/* ---- the stages ---- */

static int layers_of(const struct matching *m)
{
    return m->student->config.encoder_layers;
}

static bool is_decoder(const struct matching *m)
{
    return m->stage == layers_of(m) + 1;
}

static bool is_softmax(const struct matching *m)
{
    return m->stage == layers_of(m) + 2;
}

static void stage_name(char name[32], const struct matching *m)
{
    if (m->stage == 0)
        snprintf(name, 32, "embeddings");
    else if (m->stage <= layers_of(m))
        snprintf(name, 32, "encoder_%d", m->stage);
    else
        snprintf(name, 32, is_decoder(m) ? "decoder" : "softmax");
}

static bool begins(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

/* Which stage a weight belongs to. */
static int stage_of(const struct matching *m, const char *weight)
{
    if (begins(weight, "encoder.norm"))
        return layers_of(m);
    if (begins(weight, "encoder."))
        return 1 + atoi(weight + strlen("encoder."));
    if (begins(weight, "decoder.") || begins(weight, "target."))
        return layers_of(m) + 1;
    return begins(weight, "output.") ? layers_of(m) + 2 : 0;
}

static void freeze_others(const struct matching *m, float *grads)
{
    const struct param_set *set = &m->student->params;
    for (size_t i = 0; i < set->count; i++)
        if (stage_of(m, set->items[i].name) != m->stage)
            memset(grads + set->items[i].offset, 0, (size_t)set->items[i].rows * (size_t)set->items[i].cols * sizeof(float));
}

/* What `model` has at the stage; of an encoder that ends after so many layers. */
static struct tensor *features(const struct matching *m, const struct model *model, struct tape *tape,
                               const struct batch *b)
{
    struct model cut = *model;
    if (is_decoder(m))
        return model_hidden(model, tape, b);
    cut.config.encoder_layers = (int)lround((double)m->stage * model->config.encoder_layers / layers_of(m));
    return model->arch->memory(&cut, tape, b->source, b->source_start, b->B);
}

/* ---- an update of features ---- */

static void lane_reserve(struct lane *lane, size_t numbers)
{
    if (numbers <= lane->room)
        return;
    free(lane->y);
    free(lane->dy);
    lane->room = numbers * 2;
    lane->y = xaligned(lane->room * sizeof(float));
    lane->dy = xaligned(lane->room * sizeof(float));
}

/* d = 2 (y - wanted); the sum of squares. */
static double difference(float *dy, const float *y, const float *wanted, size_t numbers)
{
    double sum = 0;
    for (size_t i = 0; i < numbers; i++) {
        float off = y[i] - wanted[i];
        sum += (double)(off * off);
        dy[i] = 2 * off;
    }
    return sum;
}

static void project(struct matching *m, struct lane *lane, struct tensor *own, const struct tensor *wanted)
{
    int N = own->rows, D = own->cols, to = wanted->cols;
    size_t numbers = (size_t)N * (size_t)to;
    float *dx = tensor_grad(&lane->student, own);
    if (!m->projection.count) {
        lane->loss = difference(dx, own->data, wanted->data, numbers);
        return;
    }
    const float *w = param_data(&m->projection, m->projection_ref);
    lane_reserve(lane, numbers);
    gemm_nt(lane->y, own->data, w, N, to, D, 0);
    lane->loss = difference(lane->dy, lane->y, wanted->data, numbers);
    gemm_nn(dx, lane->dy, w, N, D, to, 0);
    gemm_tn(lane->dprojection, lane->dy, own->data, to, D, N, 1);
}

static void lane_run(void *arg, int i)
{
    struct matching *m = arg;
    struct lane *lane = &m->lanes[i];
    const struct batch *b = &m->shares[i];
    lane->loss = lane->numbers = 0;
    if (!b->B)
        return;
    struct tensor *wanted = features(m, m->teacher, &lane->teacher, b);
    struct tensor *own = features(m, m->student, &lane->student, b);
    lane->numbers = (double)wanted->rows * wanted->cols;
    project(m, lane, own, wanted);
    tape_backward(&lane->student);
    tape_reset(&lane->student);
    tape_reset(&lane->teacher);
}

static void apply(struct matching *m, struct adam *a, struct param_set *set, float **grads, double numbers, float rate)
{
    adam_step(a, set, grads, pool_threads(m->pool), (float)(1 / numbers), rate, &m->adam_config, m->pool);
}

/* Returns the mean squared distance. */
static double update_features(struct matching *m, float rate)
{
    int count = pool_threads(m->pool);
    double loss = 0, numbers = 0;
    batch_split(&m->whole, m->shares, count);
    pool_run(m->pool, count, lane_run, m);
    for (int i = 0; i < count; i++) {
        loss += m->lanes[i].loss;
        numbers += m->lanes[i].numbers;
        freeze_others(m, m->grads[i]);
    }
    apply(m, &m->adam, &m->student->params, m->grads, numbers, rate);
    if (m->projection.count)
        apply(m, &m->projection_adam, &m->projection, m->dprojections, numbers, rate);
    return loss / numbers;
}

/* ---- a stage ---- */

static int next_batch(struct matching *m, struct error *err)
{
    int more = m->data->next(m->data->state, &m->whole, err);
    if (more == 0)
        more = m->data->next(m->data->state, &m->whole, err);
    return more == 0 ? error_set(err, "the training corpus has no sentence that fits; raise the length limit") : more;
}

static void open_projection(struct matching *m)
{
    struct rng rng;
    int from = m->student->config.dim, to = m->teacher->config.dim;
    if (from == to)
        return;
    param_add(&m->projection, &m->projection_ref, INIT_XAVIER, to, from, "projection");
    params_allocate(&m->projection);
    rng_seed(&rng, rng_stream((uint64_t)m->config->seed, "projection"), (uint64_t)m->stage);
    params_init(&m->projection, &rng);
    adam_init(&m->projection_adam, &m->projection, &m->adam_config);
    for (int i = 0; i < pool_threads(m->pool); i++)
        m->dprojections[i] = m->lanes[i].dprojection = block_new(&m->projection);
}

static void close_projection(struct matching *m)
{
    for (int i = 0; i < pool_threads(m->pool); i++) {
        free(m->lanes[i].dprojection);
        m->dprojections[i] = m->lanes[i].dprojection = NULL;
    }
    if (m->projection.count)
        adam_release(&m->projection_adam);
    params_release(&m->projection);
    m->projection = (struct param_set){ 0 };
}

static float rate_at(const struct matching *m, int update)
{
    return m->config->learning_rate * (1 - (float)update / (float)m->config->updates);
}

/* Sums the losses of the stage's last tenth. */
struct last_tenth {
    double sum;
    int count;
};

static void tail_add(struct last_tenth *t, const struct matching *m, int update, double loss)
{
    if (update < m->config->updates - (m->config->updates + 9) / 10)
        return;
    t->sum += loss;
    t->count++;
}

static int run_features(struct matching *m, struct last_tenth *tail, struct error *err)
{
    int ret = 0;
    open_projection(m);
    for (int u = 0; u < m->config->updates && ret == 0; u++) {
        if (interrupt_requested())
            ret = MATCH_STOPPED;
        else if ((ret = next_batch(m, err) < 0 ? -1 : 0) == 0)
            tail_add(tail, m, u, update_features(m, rate_at(m, u)));
    }
    close_projection(m);
    return ret;
}

/* The last stage: the output layer, by the teacher's distribution. */
static int update_softmax(struct matching *m, struct workers *w, int update, double *loss, struct error *err)
{
    struct loss_sums sums = { 0 };
    const struct moment when = { .progress = (double)update / m->config->updates, .update = update };
    if (workers_run(w, &m->whole, &when, 0, &sums, err) < 0)
        return -1;
    for (int i = 0; i < pool_threads(m->pool); i++)
        freeze_others(m, workers_grads(w)[i]);
    apply(m, &m->adam, &m->student->params, workers_grads(w), sums.tokens, rate_at(m, update));
    *loss = sums.loss / sums.tokens;
    return 0;
}

static int run_softmax(struct matching *m, struct last_tenth *tail, struct error *err)
{
    const struct objective_needs needs = { .student = m->student, .teachers = &m->teacher, .teacher_count = 1 };
    const struct kd_config config = { .alpha = { .from = 1 }, .temperature = 1 };
    struct objective objective;
    int ret = 0;
    if (objective_make(&objective, objective_find("word-kd", err), &needs, &config, err) < 0)
        return -1;
    struct workers *w = workers_new(m->student, &objective, m->pool, m->config->seed, m->student->arch->micro_tokens,
                                    PRECISION_FP32);
    for (int u = 0; u < m->config->updates && ret == 0; u++) {
        double loss = 0;
        if (interrupt_requested())
            ret = MATCH_STOPPED;
        else if ((ret = next_batch(m, err) < 0 || update_softmax(m, w, u, &loss, err) < 0 ? -1 : 0) == 0)
            tail_add(tail, m, u, loss);
    }
    workers_free(w);
    objective.free(objective.shared);
    return ret;
}

static int run_stage(struct matching *m, json_t *figures, struct error *err)
{
    struct last_tenth tail = { 0 };
    char name[32], key[64];
    adam_init(&m->adam, &m->student->params, &m->adam_config);
    int ret = is_softmax(m) ? run_softmax(m, &tail, err) : run_features(m, &tail, err);
    adam_release(&m->adam);
    if (ret)
        return ret;
    stage_name(name, m);
    snprintf(key, sizeof key, "loss_%s", name);
    json_object_set_new(figures, key, json_real(tail.sum / tail.count));
    log_info("%s: loss %.4f", name, tail.sum / tail.count);
    return 0;
}

/* ---- all of them ---- */

static void matching_open(struct matching *m, int threads)
{
    m->pool = pool_new(threads > 0 ? threads : cpu_count());
    int count = pool_threads(m->pool);
    m->lanes = xcalloc((size_t)count, sizeof *m->lanes);
    m->shares = xcalloc((size_t)count, sizeof *m->shares);
    m->grads = xcalloc((size_t)count, sizeof *m->grads);
    m->dprojections = xcalloc((size_t)count, sizeof *m->dprojections);
    m->adam_config = (struct adam_config){ .beta1 = 0.9f, .beta2 = 0.98f, .epsilon = 1e-9f,
                                           .clip_norm = m->config->clip_norm };
    for (int i = 0; i < count; i++) {
        struct lane *lane = &m->lanes[i];
        m->grads[i] = lane->grads = block_new(&m->student->params);
        lane->student = (struct tape){ .params = &m->student->params, .grads = lane->grads };
        lane->teacher = (struct tape){ .params = &m->teacher->params };
    }
}

static void matching_close(struct matching *m)
{
    for (int i = 0; i < pool_threads(m->pool); i++) {
        struct lane *lane = &m->lanes[i];
        tape_release(&lane->student);
        tape_release(&lane->teacher);
        free(lane->grads);
        free(lane->y);
        free(lane->dy);
        batch_release(&m->shares[i]);
    }
    batch_release(&m->whole);
    free(m->lanes);
    free(m->shares);
    free(m->grads);
    free(m->dprojections);
    pool_free(m->pool);
}

int match_shapes(const struct model_config *student, const struct model_config *teacher, struct error *err)
{
    if (architectures[student->arch] == &transformer_architecture && architectures[teacher->arch] == &transformer_architecture)
        return 0;
    return error_set(err, "features are matched between transformers; student and teacher must both be such");
}

static int check_models(const struct model *student, const struct model *teacher, struct error *err)
{
    if (match_shapes(&student->config, &teacher->config, err) < 0)
        return -1;
    if (!model_same_vocabularies(student, teacher))
        return error_set(err, "the student's vocabulary is not the teacher's, so their features have other places; "
                         "give both the same");
    return 0;
}

int match_model(struct model *student, const struct model *teacher, struct batch_source *data,
                const struct match_config *config, int threads, json_t *figures, struct error *err)
{
    struct matching m = { .student = student, .teacher = teacher, .config = config, .data = data };
    int ret = check_models(student, teacher, err);
    if (ret < 0)
        return -1;
    matching_open(&m, threads);
    for (m.stage = 0; m.stage <= layers_of(&m) + 2 && ret == 0; m.stage++)
        ret = run_stage(&m, figures, err);
    matching_close(&m);
    return ret;
}
