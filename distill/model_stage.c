#include "distill/model_stage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/option.h"
#include "distill/inputs.h"
#include "distill/objectives.h"
#include "seq2seq/kept_models.h"
#include "seq2seq/model.h"
#include "seq2seq/train.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

struct model *stage_model_new(const struct stage_run *run, const struct model_config *config, const struct task *tasks,
                              int task_count, int64_t seed, struct error *err)
{
    struct tokenizer *source, *target;
    if (input_vocabulary(&source, &target, run, err) < 0)
        return NULL;
    struct model *m = model_new_tasks(config, tasks, task_count, source, target, seed, err);
    if (!m)
        vocabularies_free(source, target);
    return m;
}

int stage_objective_variant(const char *otherwise, const json_t *given, const struct option **options, size_t *size,
                            struct error *err)
{
    const char *name = json_string_value(json_object_get(given, "objective"));
    const struct objective_kind *kind = objective_find(name ? name : otherwise, err);
    if (!kind)
        return -1;
    *options = kind->options;
    *size = kind->config_size;
    return 0;
}

int stage_train_model(struct stage_run *run, struct model *m, const struct objective *objective,
                      const struct train_data *data, const struct train_config *given, struct train_report *report,
                      struct error *err)
{
    struct train_config config = *given;
    config.threads = run->threads;
    config.resume = run->resumed;
    return train_model(m, objective, data, &config, run->folder, report, err);
}

/* ---- lineage ---- */

json_t *stage_objective_describe(const struct stage_run *run, const char *name)
{
    const struct objective_kind *kind = objective_find(name, NULL);
    const struct option_group groups[] = { { NULL, kind->options, run->stage->variant }, { NULL } };
    json_t *it = options_to_json(groups);
    json_object_set_new(it, "name", json_string(kind->name));
    return it;
}

void stage_lineage_set(const struct stage_run *run, struct model *m, int64_t seed, json_t *objective, json_t *data,
                       json_t *teachers)
{
    char vocabulary[HASH_TEXT];
    hash_text(vocabulary, tokenizer_fingerprint(m->target_tokenizer));
    json_t *it = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "name", run->stage->name, "recipe", run->recipe,
                           "recipe_hash", run->recipe_hash, "program", "coho " COHO_VERSION, "seed", (json_int_t)seed,
                           "objective", objective);
    if (data)
        json_object_update(it, data);
    json_decref(data);
    json_object_set_new(it, "vocabulary", json_string(vocabulary));
    json_object_set_new(it, "teachers", teachers);
    json_decref(m->lineage);
    m->lineage = it;
}

json_t *stage_lineage_start(const struct stage_run *run, struct model *m, uint64_t fingerprint)
{
    if (!stage_has(run, "start"))
        return NULL;
    json_t *start = stage_ancestor(run, stage_link(run->stage, "start"), fingerprint);
    json_object_set_new(m->lineage, "start", start);
    return start;
}

json_t *stage_ancestor(const struct stage_run *run, const struct stage_link *link, uint64_t fingerprint)
{
    char *folder = stage_link_folder(run, link);
    json_t *it = stage_ancestor_in(run, link, folder, fingerprint);
    free(folder);
    return it;
}

json_t *stage_ancestor_in(const struct stage_run *run, const struct stage_link *link, const char *folder,
                          uint64_t fingerprint)
{
    char *path = path_join(folder, "lineage.json");
    struct error ignored;
    char text[HASH_TEXT];
    json_t *lineage = json_read_sealed(path, &ignored);
    hash_text(text, fingerprint);
    json_t *it = json_pack("{s:s, s:s, s:o*}", "stage", run->stages[link->stage].name,
                           "fingerprint", text, "lineage", lineage);
    free(path);
    return it;
}

/* ---- results ---- */

static void put(json_t *figures, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_new(figures, name, json_real(value));
}

static void train_figures(struct stage_run *run, const struct model *m, const struct train_report *r)
{
    json_t *figures = run->figures;
    double before = manifest_figure(stage_input_manifest(run, "start"), "train_seconds");
    put(figures, "parameters", (double)model_parameters(m));
    put(figures, "updates", (double)r->updates);
    put(figures, "best_update", (double)r->best_update);
    put(figures, "epochs", r->epochs);
    put(figures, "target_tokens", (double)r->target_tokens);
    put(figures, "own_train_seconds", r->seconds);
    put(figures, "train_seconds", r->seconds + (isfinite(before) ? before : 0));
    put(figures, "tokens_per_s", r->seconds > 0 ? (double)r->target_tokens / r->seconds : NAN);
    put(figures, "dev_nll", r->dev_nll);
    put(figures, "dev_bleu", r->dev_bleu);
    put(figures, "dev_chrf", r->dev_chrf);
    json_object_set_new(figures, "ended_by", json_string(r->why ? r->why : ""));
}

int stage_lineage_write(struct stage_run *run, struct model *m, struct error *err)
{
    char *path = stage_path(run, "lineage.json");
    json_object_set(m->lineage, "figures", run->figures);
    int ret = json_write_sealed(m->lineage, path, err);
    free(path);
    return ret;
}

static const char *const model_files[] = { "config.json", "model.safetensors", "lineage.json",
                                           "log.jsonl", "joint.spm", "source.spm", "target.spm" };

/* Those in `folder`, which is `within` the stage's ("" or with a slash behind). */
static void name_files(struct stage_run *run, const char *folder, const char *within)
{
    for (size_t i = 0; i < ARRAY_COUNT(model_files); i++) {
        char *path = path_join(folder, model_files[i]), *name = xasprintf("%s%s", within, model_files[i]);
        if (file_exists(path))
            stage_output(run, name);
        free(name);
        free(path);
    }
}

void stage_model_outputs(struct stage_run *run)
{
    int64_t *updates;
    size_t count = kept_models_find(&updates, run->folder);
    name_files(run, run->folder, "");
    for (size_t i = 0; i < count; i++) {
        char *folder = kept_model_folder(run->folder, updates[i]);
        char *within = xasprintf("%s/", folder + strlen(run->folder) + 1);
        name_files(run, folder, within);
        free(within);
        free(folder);
    }
    free(updates);
}

int stage_train_finish(struct stage_run *run, struct model *m, const struct train_report *r, struct error *err)
{
    train_figures(run, m, r);
    if (stage_lineage_write(run, m, err) < 0 || stage_remove(run, "checkpoints", err) < 0
        || stage_remove(run, "dev.ids", err) < 0)
        return -1;
    stage_model_outputs(run);
    return 0;
}

int stage_model_copy(struct stage_run *run, const char *folder, struct error *err)
{
    int ret = 0;
    for (size_t i = 0; i < ARRAY_COUNT(model_files) && ret == 0; i++) {
        char *from = path_join(folder, model_files[i]), *to = stage_path(run, model_files[i]);
        if (file_exists(from) && strcmp(model_files[i], "log.jsonl"))
            ret = file_copy(to, from, err);
        free(from);
        free(to);
    }
    return ret;
}
