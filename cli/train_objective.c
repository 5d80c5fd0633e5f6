#include "cli/train_objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"
#include "seq2seq/model.h"

#define DEFAULT_OBJECTIVE "cross-entropy"

static const char *const mean_names[] = { "arithmetic", "geometric", NULL };

#define FIELD(member) offsetof(struct train_objective, member)
const struct option train_objective_options[] = {
    { "objective", OPTION_STRING, FIELD(name), DEFAULT_OBJECTIVE, 0, 0,
      "the loss: cross-entropy, or one that learns from a teacher, such as word-kd, whose options are those of "
      "recipes" },
    { "teacher", OPTION_LIST, FIELD(teachers), NULL, 0, 0,
      "model folders of the teachers, which run along; several teach as one" },
    { "teacher-weights", OPTION_LIST, FIELD(weights), NULL, 0, 0, "of several teachers, one each; without: equal ones" },
    { "teacher-mean", OPTION_CHOICE, FIELD(mean), "arithmetic", 0, 0,
      "of several teachers: the mean of their probabilities, or of their logarithms", mean_names },
    { "teacher-temperature", OPTION_STRING, FIELD(temperature), "1", 0, 0, TEACHER_TEMPERATURE_HELP },
    { "soft-targets", OPTION_STRING, FIELD(soft_path), NULL, 0, 0,
      "what teachers said of this corpus, kept by `coho label --soft-targets` (its folder soft), in place of teachers" },
    { 0 }
};

/* The value of the last --objective; what is not an option's value may be taken for one, which
 * then names no objective. */
static const char *named(int argc, char **argv)
{
    const char *name = DEFAULT_OBJECTIVE;
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--objective") && i + 1 < argc)
            name = argv[i + 1];
        else if (!strncmp(argv[i], "--objective=", 12))
            name = argv[i] + 12;
    return name;
}

void train_objective_choose(struct train_objective *o, int argc, char **argv)
{
    o->kind = objective_find(named(argc, argv), NULL);
    if (!o->kind)
        o->kind = objective_find(DEFAULT_OBJECTIVE, NULL);
    o->config = xcalloc(1, o->kind->config_size + 1);
}

struct option_group train_objective_group(const struct train_objective *o)
{
    return (struct option_group){ "objective", o->kind->options, o->config };
}

static int read_weights(float **out, const struct strings *texts, size_t teachers, struct error *err)
{
    *out = NULL;
    if (!texts->count)
        return 0;
    if (texts->count != teachers)
        return error_set(err, "--teacher-weights has %zu numbers for %zu teachers", texts->count, teachers);
    float *weights = xcalloc(texts->count, sizeof *weights);
    for (size_t i = 0; i < texts->count; i++) {
        char *end;
        weights[i] = strtof(texts->items[i], &end);
        if (end == texts->items[i] || *end || !(weights[i] > 0) || !isfinite(weights[i])) {
            free(weights);
            return error_set(err, "--teacher-weights: '%s' is not a number above 0", texts->items[i]);
        }
    }
    *out = weights;
    return 0;
}

int train_objective_check(const struct train_objective *o, struct error *err)
{
    bool given = o->teachers.count > 0 || o->soft_path;
    float *weights;
    if (!objective_find(o->name, err) || read_weights(&weights, &o->weights, o->teachers.count, err) < 0)
        return -1;
    free(weights);
    if (o->kind->wants_teacher && !given)
        return error_set(err, "--objective %s needs --teacher or --soft-targets", o->name);
    if (!o->kind->wants_teacher && given)
        return error_set(err, "--objective %s takes neither --teacher nor --soft-targets; for word-level distillation "
                         "say --objective word-kd", o->name);
    if (o->teachers.count && o->soft_path)
        return error_set(err, "--teacher and --soft-targets: give one of them");
    return teacher_temperature_check(o->temperature, o->kind, o->soft_path != NULL, err);
}

static int load_teachers(struct train_objective *o, int max_length, struct error *err)
{
    o->models = xcalloc(o->teachers.count + 1, sizeof *o->models);
    for (size_t i = 0; i < o->teachers.count; i++) {
        struct model *m = o->models[i] = model_load(o->teachers.items[i], err);
        if (!m)
            return -1;
        o->model_count++;
        int limit = model_max_length(m);
        if (limit && max_length >= limit)
            return error_set(err, "--max-length %d: the learned positions of '%s' end at %d; lower it", max_length,
                             o->teachers.items[i], limit);
    }
    return read_weights(&o->shares, &o->weights, o->teachers.count, err);
}

int train_objective_open(struct train_objective *o, const struct model *student, const struct store *corpus,
                         struct batch_source *dev, int max_length, int threads, struct error *err)
{
    if (load_teachers(o, max_length, err) < 0)
        return -1;
    if (o->soft_path) {
        o->soft = soft_targets_open(o->soft_path, true, err);
        if (!o->soft || soft_targets_bind(o->soft, corpus, err) < 0)
            return -1;
    }
    struct objective_needs needs = {
        student, (const struct model *const *)o->models, o->model_count, o->shares, (enum average)o->mean, o->soft,
    };
    if (teacher_temperature_find(&o->found, &needs, o->temperature, dev, threads, err) < 0)
        return -1;
    return objective_make(&o->objective, o->kind, &needs, o->config, err);
}

void train_objective_close(struct train_objective *o)
{
    if (o->objective.free)
        o->objective.free(o->objective.shared);
    soft_targets_close(o->soft);
    for (int i = 0; i < o->model_count; i++)
        model_free(o->models[i]);
    free(o->models);
    free(o->shares);
    free(o->config);
}

json_t *train_objective_describe(const struct train_objective *o)
{
    const struct option_group groups[] = { { NULL, o->kind->options, o->config }, { 0 } };
    json_t *it = options_to_json(groups);
    json_object_set_new(it, "name", json_string(o->kind->name));
    if (o->found.value != 1)
        json_object_set_new(it, "teacher-temperature", json_real((double)o->found.value));
    return it;
}

json_t *train_objective_teachers(const struct train_objective *o)
{
    if (o->soft)                        /* as `coho label` noted them */
        return json_deep_copy(json_object_get(soft_targets_info(o->soft)->about, "teachers"));
    json_t *all = json_array();
    for (int i = 0; i < o->model_count; i++) {
        char text[HASH_TEXT];
        hash_text(text, model_fingerprint(o->models[i]));
        json_t *one = json_pack("{s:s, s:s, s:O}", "folder", o->teachers.items[i], "fingerprint", text, "lineage",
                                o->models[i]->lineage);
        if (o->shares)
            json_object_set_new(one, "weight", json_real((double)o->shares[i]));
        json_array_append_new(all, one);
    }
    return all;
}
