#include "cli/train_objective.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"
#include "distill/kd.h"
#include "seq2seq/model.h"

#define DEFAULT_OBJECTIVE "cross-entropy"

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
      "what teachers said of this corpus, kept in its folder by `coho label --soft-targets`; those of --teacher then "
      "do not run along, but must be the ones that said it" },
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

int train_objective_check(const struct train_objective *o, struct error *err)
{
    bool given = o->teachers.count > 0 || o->soft_path;
    float *weights;
    if (!objective_find(o->name, err)
        || model_weights_parse(&weights, "--teacher-weights", &o->weights, (int)o->teachers.count, err) < 0)
        return -1;
    free(weights);
    if (o->kind->wants_teacher && !given)
        return error_set(err, "--objective %s needs --teacher or --soft-targets", o->name);
    if (!o->kind->wants_teacher && given)
        return error_set(err, "--objective %s takes neither --teacher nor --soft-targets; for word-level distillation "
                         "say --objective word-kd", o->name);
    if (kd_check(o->kind->method, o->config, (int)o->teachers.count, o->soft_path != NULL, err) < 0)
        return -1;
    return teacher_temperature_check(o->temperature, o->kind, o->soft_path != NULL, err);
}

static int load_teachers(struct train_objective *o, int max_length, struct error *err)
{
    if (models_load(&o->models, &o->teachers, MODELS_WHOLE, err) < 0 ||
        models_weigh(&o->models, "--teacher-weights", &o->weights, err) < 0)
        return -1;
    for (int i = 0; i < o->models.count; i++) {
        int limit = model_max_length(o->models.items[i]);
        if (limit && max_length >= limit)
            return error_set(err, "--max-length %d: the learned positions of '%s' end at %d; lower it", max_length,
                             o->teachers.items[i], limit);
    }
    return 0;
}

/* "first', 'second", to stand between quotes; the caller's. */
static char *names_of(const struct strings *folders)
{
    struct strbuf names = { 0 };
    for (size_t i = 0; i < folders->count; i++)
        strbuf_printf(&names, "%s%s", i ? "', '" : "", folders->items[i]);
    return names.text;
}

/* Whether the soft targets are of the teachers named, of no others, and averaged in the same way. */
static int check_makers(const struct train_objective *o, struct error *err)
{
    const struct soft_info *info = soft_targets_info(o->soft);
    const struct teacher_config config = { (enum average)o->mean, info->temperature, o->models.weights };
    uint64_t *fingerprints = xcalloc((size_t)o->models.count, sizeof *fingerprints);
    char *names = names_of(&o->teachers);
    for (int i = 0; i < o->models.count; i++)
        fingerprints[i] = model_fingerprint(o->models.items[i]);
    int ret = soft_targets_check_teachers(o->soft, fingerprints, o->models.count, names, err);
    struct teacher *teacher = ret == 0 ? teacher_new(models_list(&o->models), o->models.count, &config, err) : NULL;
    if (ret == 0 && (!teacher || teacher_fingerprint(teacher) != info->teacher))
        ret = error_set(err, "soft targets '%s' were made by '%s' in another order, or with other weights or "
                        "another mean than --teacher-weights and --teacher-mean say; give those, or label the corpus "
                        "again", soft_targets_path(o->soft), names);
    teacher_free(teacher);
    free(fingerprints);
    free(names);
    return ret;
}

static int open_soft(struct train_objective *o, const struct store *corpus, struct error *err)
{
    o->soft = soft_targets_open(o->soft_path, true, err);
    if (!o->soft || soft_targets_bind(o->soft, corpus, err) < 0)
        return -1;
    if (!o->teachers.count)
        return 0;
    if (models_load(&o->models, &o->teachers, MODELS_WHOLE, err) < 0 ||
        models_weigh(&o->models, "--teacher-weights", &o->weights, err) < 0 || check_makers(o, err) < 0)
        return -1;
    models_release(&o->models);         /* they do not run along */
    return 0;
}

int train_objective_open(struct train_objective *o, const struct model *student, const struct store *corpus,
                         struct batch_source *dev, int max_length, int threads, struct error *err)
{
    if ((o->soft_path ? open_soft(o, corpus, err) : load_teachers(o, max_length, err)) < 0)
        return -1;
    struct objective_needs needs = {
        student, models_list(&o->models), o->models.count, o->models.weights, (enum average)o->mean, o->soft,
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
    models_release(&o->models);
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
    for (int i = 0; i < o->models.count; i++) {
        char text[HASH_TEXT];
        hash_text(text, model_fingerprint(o->models.items[i]));
        json_t *one = json_pack("{s:s, s:s, s:O}", "folder", o->teachers.items[i], "fingerprint", text, "lineage",
                                o->models.items[i]->lineage);
        if (o->models.weights)
            json_object_set_new(one, "weight", json_real((double)o->models.weights[i]));
        json_array_append_new(all, one);
    }
    return all;
}
