/* Models: made, loaded, saved. */
#include "seq2seq/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/task.h"
#include "seq2seq/architecture.h"
#include "seq2seq/best_output.h"
#include "seq2seq/head.h"
#include "seq2seq/safetensors.h"
#include "seq2seq/weights.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

static const char *const arch_names[] = { "transformer", "lstm", NULL };
static const char *const tied_names[] = { "none", "decoder", "all", NULL };
static const char *const norm_names[] = { "post", "pre", NULL };
static const char *const position_names[] = { "sinusoidal", "learned", NULL };
static const char *const activation_names[] = { "relu", "gelu", "swiglu", NULL };
static const char *const decoder_names[] = { "attention", "ssru", NULL };
static const char *const pair_names[] = { "joint", "compare", NULL };
static const char *const pool_names[] = { "first", "mean", "attention", NULL };
const char *const products_names[] = { "stored", "float32", "bfloat16", "int8", NULL };
static const char *const direction_names[] = { "forward", "bidirectional", NULL };

#define FIELD(member) offsetof(struct model_config, member)
const struct option model_options[] = {
    { "arch", OPTION_CHOICE, FIELD(arch), "transformer", 0, 0, "architecture", arch_names },
    { "dim", OPTION_INT, FIELD(dim), "256", 2, 8192, "width of embeddings and layers" },
    { "ffn", OPTION_INT, FIELD(ffn), "1024", 1, 65536, "width of the transformer's feed-forward layers" },
    { "heads", OPTION_INT, FIELD(heads), "4", 1, 128, "attention heads; must divide dim" },
    { "encoder-layers", OPTION_INT, FIELD(encoder_layers), "6", 1, 64, "layers of the encoder" },
    { "decoder-layers", OPTION_INT, FIELD(decoder_layers), "6", 0, 64,
      "layers of the decoder; 0: none, for tasks without translation" },
    { "tied", OPTION_CHOICE, FIELD(tied), "all", 0, 0,
      "embeddings that share one table: decoder is target and output, all needs a joint vocabulary",
      tied_names },
    { "norm", OPTION_CHOICE, FIELD(norm_first), "pre", 0, 0,
      "layer normalisation before or after each sublayer", norm_names },
    { "positions", OPTION_CHOICE, FIELD(positions), "sinusoidal", 0, 0, "position embeddings", position_names },
    { "max-positions", OPTION_INT, FIELD(max_positions), "1024", 2, 1000000,
      "longest sentence in tokens for learned positions" },
    { "activation", OPTION_CHOICE, FIELD(activation), "relu", 0, 0, "of the feed-forward layers",
      activation_names },
    { "decoder-layer", OPTION_CHOICE, FIELD(decoder_layer), "attention", 0, 0,
      "what a decoder layer looks back with", decoder_names },
    { "encoder-direction", OPTION_CHOICE, FIELD(encoder_direction), "bidirectional", 0, 0,
      "of an LSTM encoder", direction_names },
    { "input-feeding", OPTION_FLAG, FIELD(input_feeding), "true", 0, 0,
      "an LSTM decoder sees its last attentional vector" },
    { "dropout", OPTION_FLOAT, FIELD(dropout), "0.1", 0, 0.95, "of embeddings and residual connections" },
    { "dropout-attention", OPTION_FLOAT, FIELD(dropout_attention), "0", 0, 0.95, "of attention weights" },
    { "dropout-ffn", OPTION_FLOAT, FIELD(dropout_ffn), "0", 0, 0.95, "inside feed-forward layers" },
    { "pool", OPTION_CHOICE, FIELD(pool), "mean", 0, 0,
      "what tells a text to the heads of tasks: its first state, their mean, or attention", pool_names },
    { "pair", OPTION_CHOICE, FIELD(pair), "joint", 0, 0,
      "two texts: read as one, or each by itself and then compared", pair_names },
    { "head-layer", OPTION_FLAG, FIELD(head_layer), "false", 0, 0,
      "heads of tasks have a layer of their own before the output" },
    { 0 }
};

/* The options and the two sizes that come from the tokenizers. */
static const struct option size_options[] = {
    { "source-vocab", OPTION_INT, FIELD(source_vocab), "0", 1, 1e9, "pieces of the source vocabulary" },
    { "target-vocab", OPTION_INT, FIELD(target_vocab), "0", 1, 1e9, "pieces of the target vocabulary" },
    { 0 }
};

int model_config_check(const struct model_config *c, bool joint, struct error *err)
{
    const struct architecture *arch = architectures[c->arch];
    if (c->tied == TIE_ALL && !joint)
        return error_set(err, "tied: all embeddings can be tied only with one joint vocabulary; "
                         "use tied decoder, or train a joint one");
    return arch->check ? arch->check(c, err) : 0;
}

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

/* Everything but the values of the weights. */
static struct model *model_shape(const struct model_config *config, const struct task *tasks, int task_count,
                                 struct tokenizer *source, struct tokenizer *target, bool packed,
                                 struct error *err)
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
    free(m);
}

/* ---- files ---- */

json_t *model_config_json(const struct model_config *c)
{
    struct model_config config = *c;
    return options_to_json((struct option_group[]){ { NULL, model_options, &config },
                                                    { NULL, size_options, &config }, { 0 } });
}

/* A checksum of the values as they stand in the file, so that options of later versions, which
 * are not there, do not change it. */
static void config_mark(char mark[HASH_TEXT], const json_t *values, const json_t *tasks)
{
    json_t *both = tasks ? json_pack("[O, O]", values, tasks) : json_incref((json_t *)(uintptr_t)values);
    char *text = json_dumps(both, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(7));
    json_decref(both);
    hash_text(mark, text ? hash_bytes(text, strlen(text), 0) : 0);
    free(text);
}

static void vocab_mark(char mark[HASH_TEXT], const struct tokenizer *t)
{
    size_t length;
    const void *bytes = tokenizer_bytes(t, &length);
    hash_text(mark, hash_bytes(bytes, length, 0));
}

static json_t *tasks_json(const struct model *m)
{
    json_t *tasks = json_array();
    for (int i = 0; i < m->task_count; i++)
        json_array_append_new(tasks, task_json(&m->tasks[i]));
    return tasks;
}

static int config_write(const struct model *m, const char *folder, struct error *err)
{
    json_t *root = json_pack("{s:s,s:s,s:o}", "format", "coho-model-1", "program", "coho " COHO_VERSION,
                             "model", model_config_json(&m->config));
    if (m->task_count)
        json_object_set_new(root, "tasks", tasks_json(m));
    char *path = path_join(folder, "config.json");
    int ret = json_write(root, path, err);
    free(path);
    json_decref(root);
    return ret;
}

/* The tasks of the file, if any, beside its options. */
struct description {
    struct model_config config;
    struct task *tasks;
    int task_count;
    char mark[HASH_TEXT];
};

static void description_release(struct description *d)
{
    for (int i = 0; i < d->task_count; i++)
        task_release(&d->tasks[i]);
    free(d->tasks);
}

static int tasks_read(struct description *d, const json_t *tasks, struct error *err)
{
    json_t *task;
    size_t i;
    d->tasks = xcalloc(json_array_size(tasks) + 1, sizeof *d->tasks);
    json_array_foreach(tasks, i, task) {
        if (task_from_json(&d->tasks[i], task, err) < 0)
            return -1;
        d->task_count++;
    }
    return 0;
}

static int config_read(struct description *d, const char *folder, struct error *err)
{
    struct model_config *config = &d->config;
    const struct option_group groups[] = { { NULL, model_options, config },
                                           { NULL, size_options, config }, { 0 } };
    char *path = path_join(folder, "config.json");
    json_t *root = json_read(path, err);
    const char *format = json_string_value(json_object_get(root, "format"));
    int ret = -1;
    *d = (struct description){ 0 };
    options_default(groups);
    if (!root)
        goto done;
    if (!format || strcmp(format, "coho-model-1")) {
        error_set(err, "'%s' is not the configuration of a coho model ('format' is %s)", path,
                  format ? format : "absent");
        goto done;
    }
    if (options_from_json(groups, json_object_get(root, "model"), err) < 0
        || tasks_read(d, json_object_get(root, "tasks"), err) < 0) {
        error_prefix(err, "%s", path);
        goto done;
    }
    config_mark(d->mark, json_object_get(root, "model"), json_object_get(root, "tasks"));
    ret = 0;
done:
    json_decref(root);
    free(path);
    return ret;
}

/* Marks of the files beside the weights. */
static json_t *marks_of(const struct model *m)
{
    char config[HASH_TEXT], source[HASH_TEXT], target[HASH_TEXT];
    json_t *values = model_config_json(&m->config), *tasks = m->task_count ? tasks_json(m) : NULL;
    config_mark(config, values, tasks);
    json_decref(tasks);
    vocab_mark(source, m->source_tokenizer);
    vocab_mark(target, m->target_tokenizer);
    json_decref(values);
    return json_pack("{s:s,s:s,s:s}", "config", config, "source_vocab", source, "target_vocab", target);
}

static int mark_check(const struct safetensors *st, const char *key, const char *found,
                      const char *folder, const char *file, struct error *err)
{
    const char *stated = safetensors_metadata(st, key);
    if (!stated || !strcmp(stated, found))
        return 0;
    return error_set(err, "'%s/%s' is damaged, or belongs to another model than '%s': its checksum is %s, "
                     "%s was saved; copy the folder again", folder, file, st->path, found, stated);
}

/* Files that changed since the weights were saved with them. */
static int marks_verify(const struct safetensors *st, const struct model *m, const char *config,
                        const char *folder, struct error *err)
{
    bool joint = m->source_tokenizer == m->target_tokenizer;
    char source[HASH_TEXT], target[HASH_TEXT];
    vocab_mark(source, m->source_tokenizer);
    vocab_mark(target, m->target_tokenizer);
    if (mark_check(st, "config", config, folder, "config.json", err) < 0 ||
        mark_check(st, "source_vocab", source, folder, joint ? "joint.spm" : "source.spm", err) < 0)
        return -1;
    return mark_check(st, "target_vocab", target, folder, joint ? "joint.spm" : "target.spm", err);
}

/* Opens the weights; `config`: the mark of the folder's config.json, or NULL where the model does not
 * come from it. */
static int weights_open(struct safetensors *st, const struct model *m, const char *folder, const char *config,
                        struct error *err)
{
    char *path = path_join(folder, "model.safetensors");
    int ret = safetensors_open(st, path, err);
    free(path);
    if (ret == 0 && config && marks_verify(st, m, config, folder, err) < 0) {
        safetensors_close(st);
        return -1;
    }
    return ret;
}

static int load_block(struct model *m, const char *folder, const char *config, struct error *err)
{
    struct safetensors st = { 0 };
    int ret = weights_open(&st, m, folder, config, err);
    if (ret == 0)
        ret = weights_read(m, &st, err);
    safetensors_close(&st);
    return ret;
}

static int load_packed(struct model *m, const char *folder, const char *config, enum precision_of_products kind,
                       struct error *err)
{
    bool borrowed = false;
    int ret = weights_open(&m->file, m, folder, config, err);
    if (ret == 0) {
        bool int8 = kind == PRODUCTS_STORED ? weights_are_int8(m, &m->file) : kind == PRODUCTS_INT8;
        ret = weights_pack(m, &m->file, int8 ? PACKED_INT8 : kind == PRODUCTS_BF16 ? PACKED_BF16 : PACKED_F32,
                           &borrowed, err);
    }
    if (!borrowed)
        safetensors_close(&m->file);
    if (ret == 0 && m->config.decoder_layers)
        m->screen = screen_new();
    return ret;
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

int model_load_weights(struct model *m, const char *folder, struct error *err)
{
    return load_block(m, folder, NULL, err);
}

static int save(const struct model *m, const char *folder, enum weights_form form, struct error *err)
{
    if (dir_make(folder, err) < 0 || config_write(m, folder, err) < 0 || vocabularies_save(m->source_tokenizer, m->target_tokenizer, folder, err) < 0)
        return -1;
    char *weights = path_join(folder, "model.safetensors"), *lineage = path_join(folder, "lineage.json");
    json_t *marks = marks_of(m);
    int ret = weights_write(m, weights, form, marks, err) < 0 ? -1 : json_write_sealed(m->lineage, lineage, err);
    json_decref(marks);
    free(weights);
    free(lineage);
    return ret;
}

int model_save(const struct model *m, const char *folder, struct error *err)
{
    return save(m, folder, WEIGHTS_FLOAT32, err);
}

int model_save_int8(const struct model *m, const char *folder, struct error *err)
{
    return save(m, folder, WEIGHTS_INT8, err);
}

int model_save_plain(const struct model *m, const char *folder, struct error *err)
{
    return save(m, folder, WEIGHTS_PLAIN, err);
}

static int lineage_read(struct model *m, const char *folder, struct error *err)
{
    char *path = path_join(folder, "lineage.json");
    json_t *lineage = file_exists(path) ? json_read_sealed(path, err) : json_object();
    int ret = json_is_object(lineage) ? 0 : -1;
    if (ret == 0) {
        json_decref(m->lineage);
        m->lineage = json_incref(lineage);
    } else if (lineage) {
        error_set(err, "'%s' holds no object; repair it, or delete it: the model works without", path);
    } else {
        error_set(err, "%s; repair it, or delete it: the model works without", err ? err->text : "");
    }
    json_decref(lineage);
    free(path);
    return ret;
}

/* Told apart from damage: a folder of something else, or of a training that was stopped early. */
static int folder_check(const char *folder, struct error *err)
{
    char *config = path_join(folder, "config.json"), *checkpoints = path_join(folder, "checkpoints");
    int ret = 0;
    if (!file_exists(config) && file_exists(checkpoints))
        ret = error_set(err, "'%s' holds no model yet, only checkpoints of its training, which was stopped "
                        "early; go on with --resume", folder);
    else if (!file_exists(config))
        ret = error_set(err, "'%s' is no model: it has no config.json; name a folder that `coho train` made",
                        folder);
    free(config);
    free(checkpoints);
    return ret;
}

static int sizes_match(const struct model_config *c, const struct tokenizer *source,
                       const struct tokenizer *target, const char *folder, struct error *err)
{
    if (c->source_vocab == tokenizer_vocab(source) && c->target_vocab == tokenizer_vocab(target))
        return 0;
    return error_set(err, "the model in '%s' has vocabularies of %d and %d pieces, its SentencePiece "
                     "models have %d and %d; they belong to another model", folder, c->source_vocab,
                     c->target_vocab, tokenizer_vocab(source), tokenizer_vocab(target));
}

static struct model *model_described(const struct description *d, const char *folder, bool packed,
                                     enum precision_of_products kind, struct error *err)
{
    struct tokenizer *source, *target;
    struct model *m = NULL;
    if (vocabularies_load(&source, &target, folder, err) < 0)
        return NULL;
    if (sizes_match(&d->config, source, target, folder, err) == 0)
        m = model_shape(&d->config, d->tasks, d->task_count, source, target, packed, err);
    if (!m) {
        vocabularies_free(source, target);
        return NULL;
    }
    if ((packed ? load_packed(m, folder, d->mark, kind, err) : load_block(m, folder, d->mark, err)) < 0 ||
        lineage_read(m, folder, err) < 0) {
        model_free(m);
        return NULL;
    }
    return m;
}

static struct model *load(const char *folder, bool packed, enum precision_of_products kind, struct error *err)
{
    struct description d = { 0 };
    struct model *m = NULL;
    if (folder_check(folder, err) < 0)
        return NULL;
    if (config_read(&d, folder, err) == 0)
        m = model_described(&d, folder, packed, kind, err);
    description_release(&d);
    return m;
}

struct model *model_load(const char *folder, struct error *err)
{
    return load(folder, false, PRODUCTS_FLOAT32, err);
}

struct model *model_load_decoder(const char *folder, enum precision_of_products kind, struct error *err)
{
    return load(folder, true, kind, err);
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

int32_t model_bos(const struct model *m)
{
    return tokenizer_bos(m->target_tokenizer);
}

int32_t model_eos(const struct model *m)
{
    return tokenizer_eos(m->target_tokenizer);
}

int model_max_length(const struct model *m)
{
    return m->config.arch == 0 && m->config.positions == POSITIONS_LEARNED ? m->config.max_positions : 0;
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
