/* The stage `match`: a student whose features are the teacher's, stage by stage (match.h).  A training
 * with `start` goes on from it. */
#include <stdlib.h>

#include "base/log.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/match.h"
#include "distill/model_stage.h"
#include "distill/train_cost.h"
#include "seq2seq/model.h"
#include "tokenize/vocabularies.h"

struct match_stage {
    struct match_config match;
    struct model_config model;
    struct batching_config batching;
};

#define FIELD(member) offsetof(struct match_stage, member)
static const struct stage_options tables[] = {
    { match_options, FIELD(match) }, { model_options, FIELD(model) }, { batching_options, FIELD(batching) }, { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "corpus", "corpus", true, false },
    { "teacher", "model", true, false },
    { NULL }
};

static int check(struct stage_view *v, struct error *err)
{
    const struct match_stage *c = v->stage->config;
    const struct stage_facts *teacher = facts_of(v, "teacher");
    int longest = c->batching.max_length;
    if (model_config_takes(&c->model, longest, err) < 0 || model_config_check(&c->model, !teacher->separate, err) < 0
        || facts_have_targets(v, "corpus", err) < 0 || facts_direction(v, "teacher", false, err) < 0
        || facts_take(v, "teacher", longest, err) < 0)
        return -1;
    if (!teacher->shaped || match_shapes(&c->model, &teacher->config, err) == 0)
        return 0;
    v->key = "teacher";
    return -1;
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct match_stage *c = v->stage->config;
    facts_pass(out, v, "teacher");
    facts_languages(out, v);
    out->shaped = true;
    out->config = c->model;
}

struct job {
    struct stage_run *run;
    const struct match_stage *config;
    struct corpus_files corpus;
    struct model *teacher, *student;
    struct store *store;
    struct batch_source data;
};

/* With the teacher's vocabularies. */
static int new_student(struct job *j, struct error *err)
{
    struct tokenizer *source, *target;
    if (vocabularies_copy(&source, &target, j->teacher->source_tokenizer, j->teacher->target_tokenizer, err) < 0)
        return -1;
    j->student = model_new(&j->config->model, source, target, j->config->match.seed, err);
    if (!j->student)
        vocabularies_free(source, target);
    return j->student ? 0 : -1;
}

static int open_all(struct job *j, struct error *err)
{
    char *ids = stage_path(j->run, "train.ids");
    struct batching_config batching = j->config->batching;
    int ret = -1;
    batching.seed = j->config->match.seed;
    if (input_corpus(&j->corpus, j->run, "corpus", err) == 0 && (j->teacher = input_model(j->run, "teacher", err)) &&
        model_takes(j->teacher, batching.max_length, "the teacher", err) == 0 && new_student(j, err) == 0 &&
        store_build(ids, j->corpus.train.source, j->corpus.train.target, j->student->source_tokenizer,
                    j->student->target_tokenizer, j->run->threads, err) == 0 &&
        (j->store = store_open(ids, true, err)))
        ret = batching_open(&j->data, j->store, model_bos(j->student), model_eos(j->student), &batching, NULL, err);
    free(ids);
    return ret;
}

static void set_lineage(struct job *j)
{
    const struct stage_run *run = j->run;
    const struct option_group groups[] = { { NULL, match_options, (void *)(uintptr_t)&j->config->match }, { NULL } };
    const struct stage_link *teacher = stage_link(run->stage, "teacher");
    json_t *objective = options_to_json(groups);
    json_object_set_new(objective, "name", json_string("feature-matching"));
    stage_lineage_set(run, j->student, j->config->match.seed, objective, NULL,
                      json_pack("[o]", stage_ancestor(run, teacher, model_fingerprint(j->teacher))));
}

static int finish(struct job *j, struct error *err)
{
    json_object_set_new(j->run->figures, "parameters", json_integer((json_int_t)model_parameters(j->student)));
    set_lineage(j);
    int ret = model_save(j->student, j->run->folder, err);
    if (ret == 0)
        ret = stage_lineage_write(j->run, j->student, err);
    if (ret == 0)
        ret = stage_remove(j->run, "train.ids", err);
    stage_model_outputs(j->run);
    return ret;
}

static int run_match(struct stage_run *run, struct error *err)
{
    struct job j = { .run = run, .config = run->stage->config };
    int ret = open_all(&j, err);
    double started = clock_seconds();
    if (ret == 0)
        ret = match_model(j.student, j.teacher, &j.data, &j.config->match, run->threads, run->figures, err);
    json_object_set_new(run->figures, "train_seconds", json_real(clock_seconds() - started));
    if (ret == 0)
        ret = finish(&j, err);
    else if (ret == MATCH_STOPPED)
        ret = STAGE_STOPPED;
    if (j.data.free)
        j.data.free(j.data.state);
    store_close(j.store);
    model_free(j.student);
    model_free(j.teacher);
    corpus_files_release(&j.corpus);
    return ret;
}

/* Each stage is a pass of the teacher and some part of an update of the student. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct match_stage *c = run->stage->config;
    double teacher = stage_input_cost(run, "teacher")->weights;
    double words = (double)c->match.updates * train_cost_batch(&c->batching) * (c->model.encoder_layers + 3);
    if (teacher >= 0)
        cost->seconds = forecast_scoring(words, teacher, run->threads);
}

const struct stage_kind stage_match = {
    .name = "match", .summary = "matching a teacher's features stage by stage", .makes = "model", .version = 1,
    .varies = true,
    .config_size = sizeof(struct match_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .run = run_match, .estimate = estimate,
};
