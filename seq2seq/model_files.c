/* Models as folders: config.json, weights, vocabularies, lineage. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "corpora/task.h"
#include "seq2seq/best_output.h"
#include "seq2seq/model_shape.h"
#include "seq2seq/safetensors.h"
#include "seq2seq/weights.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

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
    char *path = path_join(folder, "config.json");
    json_t *root = json_read(path, err);
    const char *format = json_string_value(json_object_get(root, "format"));
    int ret = -1;
    *d = (struct description){ 0 };
    if (!root)
        goto done;
    if (!format || strcmp(format, "coho-model-1")) {
        error_set(err, "'%s' is not the configuration of a coho model ('format' is %s)", path,
                  format ? format : "absent");
        goto done;
    }
    if (model_config_read(&d->config, json_object_get(root, "model"), err) < 0
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
    m->folder = xstrdup(folder);
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
