/* What a stage `train` cannot be, told before anything of the recipe has run. */
#include "distill/stage_train.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "decode/models.h"
#include "decode/validate.h"
#include "distill/facts.h"
#include "distill/kd.h"
#include "distill/objectives.h"
#include "distill/teacher_temperature.h"

#define SAME_PIECES "word-level targets are numbered by pieces: give both the same 'vocabulary', or use sequence-level " \
                    "distillation (seq-kd), which passes through text"

static int blame(struct stage_view *v, const char *key)
{
    v->key = key;
    return -1;
}

static int check_corpora(struct stage_view *v, struct error *err)
{
    const struct stage *s = v->stage;
    const struct train_stage *c = s->config;
    int unlabelled = stage_link_count(s, "unlabelled");
    if (mixing_check(&c->mixing, (size_t)(stage_link_count(s, "corpus") + unlabelled), err) < 0)
        return blame(v, "mixing-weights");
    if (unlabelled && !c->mixing.weights.count)
        return error_set(err, "unlabelled text needs mixing-weights, of the corpus and then of it, such as "
                         "[1, ramp 0 3 20%% 80%%]: a student that has learnt nothing labels nothing");
    return facts_have_targets(v, "corpus", err);
}

/* Soft targets in the place of a teacher. */
static int check_soft(struct stage_view *v, const struct objective_kind *kind, struct error *err)
{
    const struct stage *s = v->stage;
    const struct train_stage *c = s->config;
    bool teacher = stage_link(s, "teacher") != NULL;
    v->key = "soft-targets";
    if (stage_link(s, "unlabelled"))
        return error_set(err, "soft-targets are of a corpus: there are none of unlabelled text; take a teacher");
    if (stage_link_count(s, "corpus") > 1)
        return error_set(err, "soft-targets are those of one corpus: give one, or a teacher");
    if (teacher || !kind->wants_teacher)
        return error_set(err, teacher ? "a teacher and soft-targets: give one of them"
                         : "objective %s takes no soft-targets; for word-level distillation say objective: word-kd",
                         kind->name);
    if (on_policy_wanted(&c->on_policy))
        return error_set(err, "on-policy: soft-targets know only the corpus's own outputs; take a teacher");
    v->key = NULL;
    return 0;
}

/* That the corpus has them, of the right pieces, and such that they serve. */
static int check_soft_corpus(struct stage_view *v, const struct objective_kind *kind, struct error *err)
{
    const struct train_stage *c = v->stage->config;
    const struct stage_facts *corpus = facts_of(v, "corpus");
    const char *name = v->stages[stage_link(v->stage, "corpus")->stage].name;
    const struct kd_drawn drawn = { name, corpus->drawn, corpus->soft_temperature };
    float temperature = kd_temperature(v->stage->variant, strtof(c->teacher_temperature, NULL));
    v->key = "soft-targets";
    if (!corpus->soft)
        return error_set(err, "soft-targets: the corpus '%s' has none; label it with `soft-targets: top-k` and, to keep "
                         "its own targets, `gold: true`", name);
    if (kd_check_drawn(kind->method, temperature, &drawn, err) < 0)
        return -1;
    return facts_same_vocabulary(v, "corpus", facts_of(v, "vocabulary")->vocabulary, SAME_PIECES, err);
}

static int check_teacher(struct stage_view *v, const struct objective_kind *kind, struct error *err)
{
    const struct train_stage *c = v->stage->config;
    int teachers = stage_link_count(v->stage, "teacher");
    float *weights;
    if (model_weights_parse(&weights, "teacher-weights", &c->teacher_weights, teachers, err) < 0)
        return blame(v, "teacher-weights");
    free(weights);
    if (kind->wants_teacher && !teachers && !c->soft) {
        error_set(err, "objective %s needs a 'teacher', the name of a stage that makes a model, or soft-targets: true",
                  kind->name);
        return blame(v, "objective");
    }
    if (!kind->wants_teacher && teachers) {
        error_set(err, "objective %s takes no 'teacher'; for word-level distillation say objective: word-kd", kind->name);
        return blame(v, "teacher");
    }
    if (kd_check(kind->method, v->stage->variant, teachers, c->soft, err) < 0
        || kd_self_check(kind->method, v->stage->variant, c->train.max_updates, err) < 0
        || facts_translate(v, "teacher", err) < 0
        || facts_same_vocabulary(v, "teacher", facts_of(v, "vocabulary")->vocabulary, SAME_PIECES, err) < 0)
        return -1;
    return facts_direction(v, "teacher", false, err);
}

static int check_start(struct stage_view *v, struct error *err)
{
    const struct train_stage *c = v->stage->config;
    const struct stage_facts *start = facts_of(v, "start");
    if (initial_check(&c->initial, stage_link(v->stage, "start") != NULL, c->model.encoder_layers,
                      c->model.decoder_layers, err) < 0
        || facts_same_vocabulary(v, "start", facts_of(v, "vocabulary")->vocabulary, "give both the same 'vocabulary'",
                                 err) < 0)
        return -1;
    if (!start->shaped || start->tasks || initial_fits(&c->model, &start->config, &c->initial, err) == 0)
        return 0;
    error_prefix(err, "'start' from '%s'", v->stages[stage_link(v->stage, "start")->stage].name);
    return blame(v, "start");
}

struct train_courses train_stage_courses(const struct stage *s)
{
    const struct train_stage *c = s->config;
    return (struct train_courses){ .groups = s->groups, .unused = c->on_policy.replay ? NULL : "replay-fresh",
                                   .weights = &c->mixing.weights, .config = &c->train };
}

/* What this kind of training alone may want one for. */
static int check_dev(struct stage_view *v, struct error *err)
{
    const struct train_stage *c = v->stage->config;
    if (!facts_of(v, "corpus")->no_dev)
        return 0;
    v->key = "teacher-temperature";
    if (!strcmp(c->teacher_temperature, "fit"))
        return error_set(err, "teacher-temperature: fit needs a dev set, and there is none; give one, or a number");
    v->key = NULL;
    return 0;
}

int train_stage_check(struct stage_view *v, struct error *err)
{
    const struct train_stage *c = v->stage->config;
    const struct objective_kind *kind = objective_find(c->objective, err);
    if (!kind)
        return blame(v, "objective");
    if (check_corpora(v, err) < 0 || (c->soft && check_soft(v, kind, err) < 0) || check_teacher(v, kind, err) < 0)
        return -1;
    if (teacher_temperature_check(c->teacher_temperature, kind, c->soft, err) < 0)
        return blame(v, "teacher-temperature");
    if (c->soft && check_soft_corpus(v, kind, err) < 0)
        return -1;
    if (on_policy_check(&c->on_policy, err) < 0)
        return -1;
    if (on_policy_wanted(&c->on_policy) && (!kind->wants_teacher || kind->method->gold_only || kind->method->similarity)) {
        error_set(err, "on-policy: objective %s has no word of a teacher on the student's own outputs; take one that "
                  "does, such as jsd", kind->name);
        return blame(v, "on-policy");
    }
    const struct train_courses courses = train_stage_courses(v->stage);
    int longest = c->batching.max_length;
    if (check_dev(v, err) < 0 || facts_training(v, &courses, &c->model, err) < 0
        || model_config_takes(&c->model, longest, err) < 0 || facts_take(v, "teacher", longest, err) < 0)
        return -1;
    return check_start(v, err);
}
