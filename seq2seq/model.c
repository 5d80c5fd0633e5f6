/* Models: made, seen while they train, asked. */
#include "seq2seq/model_shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/task.h"
#include "seq2seq/architecture.h"
#include "seq2seq/best_output.h"
#include "seq2seq/head.h"
#include "seq2seq/weights.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

/* Sentences start with the target's <s>, and end on both sides with its </s>. */
static int marks_check(const struct tokenizer *source, const struct tokenizer *target,
                       struct error *err)
{
    if (tokenizer_bos(target) < 0 || tokenizer_eos(target) < 0)
        return error_set(err, "the target vocabulary has no %s, which a translation needs; train one "
                         "without --bos-id -1 and --eos-id -1", tokenizer_bos(target) < 0 ? "<s>" : "</s>");
    if (tokenizer_eos(source) != tokenizer_eos(target))
        return error_set(err, "</s> is piece %d of the source vocabulary and %d of the target's; "
                         "train them with the same --eos-id", tokenizer_eos(source), tokenizer_eos(target));
    return 0;
}

static void find_specials(struct model *m)
{
    const struct tokenizer *t = m->target_tokenizer;
    const int32_t ids[] = { tokenizer_unk(t), tokenizer_bos(t), tokenizer_pad(t) };
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
        if (ids[i] >= 0)
            m->special[m->special_count++] = ids[i];
}

static int tasks_check(const struct model_config *config, const struct task *tasks, int count, struct error *err)
{
    bool translates = count == 0;
    for (int i = 0; i < count; i++) {
        translates |= tasks[i].kind == TASK_TRANSLATE;
        for (int k = 0; k < i; k++)
            if (!strcmp(tasks[i].name, tasks[k].name))
                return error_set(err, "two tasks are called '%s'", tasks[i].name);
    }
    if (translates && !config->decoder_layers)
        return error_set(err, "decoder-layers 0: translation needs a decoder");
    if (!translates && config->decoder_layers)
        return error_set(err, "decoder-layers %d: none of the tasks is a translation; give 0", config->decoder_layers);
    return 0;
}

struct model *model_shape(const struct model_config *config, const struct task *tasks, int task_count,
                          struct tokenizer *source, struct tokenizer *target, bool packed, struct error *err)
{
    const struct architecture *arch = architectures[config->arch];
    if (tasks_check(config, tasks, task_count, err) < 0)
        return NULL;
    if (model_config_check(config, source == target, err) < 0 || marks_check(source, target, err) < 0)
        return NULL;
    struct model *m = xcalloc(1, sizeof *m);
    m->config = *config;
    m->config.source_vocab = tokenizer_vocab(source);
    m->config.target_vocab = tokenizer_vocab(target);
    m->arch = arch;
    m->refs = xcalloc(1, arch->refs_size);
    m->source_tokenizer = source;
    m->target_tokenizer = target;
    m->lineage = json_object();
    find_specials(m);
    m->tasks = xcalloc((size_t)task_count + 1, sizeof *m->tasks);
    m->task_count = task_count;
    for (int i = 0; i < task_count; i++)
        task_copy(&m->tasks[i], &tasks[i]);
    arch->declare(&m->params, m->refs, &m->config);
    heads_declare(m);
    if (packed)
        params_reserve(&m->params);
    else
        params_allocate(&m->params);
    return m;
}

struct model *model_new(const struct model_config *config, struct tokenizer *source,
                        struct tokenizer *target, int64_t seed, struct error *err)
{
    return model_new_tasks(config, NULL, 0, source, target, seed, err);
}

struct model *model_new_tasks(const struct model_config *config, const struct task *tasks, int task_count,
                              struct tokenizer *source, struct tokenizer *target, int64_t seed,
                              struct error *err)
{
    struct rng rng;
    struct model *m = model_shape(config, tasks, task_count, source, target, false, err);
    if (!m)
        return NULL;
    rng_seed(&rng, (uint64_t)seed, 0);
    params_init(&m->params, &rng);
    return m;
}

void model_free(struct model *m)
{
    if (!m)
        return;
    if (m->arch->release)
        m->arch->release(m->refs);
    free(m->refs);
    for (int i = 0; i < m->task_count; i++)
        task_release(&m->tasks[i]);
    free(m->tasks);
    free(m->heads);
    params_release(&m->params);
    safetensors_close(&m->file);
    screen_free(m->screen);
    vocabularies_free(m->source_tokenizer, m->target_tokenizer);
    json_decref(m->lineage);
    free(m->folder);
    free(m);
}

/* ---- a view of a model in training ---- */

struct model *model_view_new(void)
{
    return xcalloc(1, sizeof(struct model));
}

void model_view_update(struct model *view, const struct model *m)
{
    struct packed *packed = view->params.packed;
    if (!packed)
        packed = xcalloc(m->params.count, sizeof *packed);
    weights_pack_block(packed, m);
    *view = *m;
    view->params.packed = packed;
    view->screen = NULL;
}

void model_view_free(struct model *view)
{
    for (size_t i = 0; i < view->params.count; i++)
        packed_release(&view->params.packed[i]);
    free(view->params.packed);
    free(view);
}

/* ---- queries ---- */

int64_t model_parameters(const struct model *m)
{
    return (int64_t)m->params.weights;
}

uint64_t model_fingerprint(const struct model *m)
{
    return weights_fingerprint(m);
}

bool model_same_vocabularies(const struct model *a, const struct model *b)
{
    return tokenizer_fingerprint(a->source_tokenizer) == tokenizer_fingerprint(b->source_tokenizer)
        && tokenizer_fingerprint(a->target_tokenizer) == tokenizer_fingerprint(b->target_tokenizer);
}

int32_t model_bos(const struct model *m)
{
    return tokenizer_bos(m->target_tokenizer);
}

int32_t model_eos(const struct model *m)
{
    return tokenizer_eos(m->target_tokenizer);
}

int64_t model_bytes(const struct model *m)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        const struct packed *w = param_packed(&m->params, (int)i);
        bytes += w ? (int64_t)packed_bytes(w->kind, w->N, w->K) + 8 * (int64_t)w->N
                   : (int64_t)p->rows * p->cols * (int64_t)sizeof(float);
    }
    return bytes;
}

/* Weights pass by once a step, keys and values are each row's own: the smaller the weights, the fewer rows
 * are enough. */
int model_rows(const struct model *m)
{
    if (!m->params.packed)
        return 0;
    for (size_t i = 0; i < m->params.count; i++)
        if (param_packed(&m->params, (int)i) && m->params.packed[i].kind == PACKED_INT8)
            return 32;
    return 64;
}

int model_stepper(struct stepper *out, const struct model *m)
{
    return m->arch->stepper(out, m);
}

int model_find_task(const struct model *m, const char *name)
{
    for (int i = 0; i < m->task_count; i++)
        if (!strcmp(m->tasks[i].name, name))
            return i;
    return -1;
}

static bool has_head(const struct model *m, int task)
{
    return m->task_count && m->tasks[task].kind != TASK_TRANSLATE;
}

struct output_layer model_output(const struct model *m, int task)
{
    struct output_layer out = { .outputs = m->config.target_vocab };
    if (has_head(m, task))
        return (struct output_layer){ m->heads[task].weight, m->heads[task].bias,
                                      task_outputs(&m->tasks[task]) };
    m->arch->output(m->refs, &out.weight, &out.bias);
    return out;
}

int model_most_outputs(const struct model *m)
{
    int most = m->config.decoder_layers ? m->config.target_vocab : 1;
    for (int i = 0; i < m->task_count; i++) {
        int outputs = model_output(m, i).outputs;
        most = outputs > most ? outputs : most;
    }
    return most;
}

void model_layer_logits(const struct model *m, const struct output_layer *layer, float *logits,
                        const float *hidden, int rows)
{
    const struct packed *packed = param_packed(&m->params, layer->weight);
    if (packed) {
        packed_product(logits, (size_t)layer->outputs, hidden, (size_t)m->config.dim, rows, packed,
                       (struct after){ .bias = param_data(&m->params, layer->bias) }, NULL);
        return;
    }
    gemm_nt(logits, hidden, param_data(&m->params, layer->weight), rows, layer->outputs, m->config.dim, 0);
    kernel->add_bias(logits, param_data(&m->params, layer->bias), rows, layer->outputs);
}

struct tensor *model_hidden(const struct model *m, struct tape *tape, const struct batch *b)
{
    if (has_head(m, b->task))
        return head_hidden(m, tape, b);
    return m->arch->hidden(m, tape, b);
}

void model_logits(const struct model *m, float *logits, const float *hidden, int rows)
{
    struct output_layer layer = { .outputs = m->config.target_vocab };
    m->arch->output(m->refs, &layer.weight, &layer.bias);
    model_layer_logits(m, &layer, logits, hidden, rows);
}
