/* The stage `train-meta`: Meta Pseudo Labels (meta_labels.h).  The student learns from unlabelled text
 * alone, by the labels of a teacher that learns from what they do to the student; it is what the
 * stage makes, and the teacher lies in the folder `teacher` in it. */
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "distill/corpus_files.h"
#include "distill/dev_set.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/meta_labels.h"
#include "distill/model_stage.h"
#include "distill/train_corpora.h"
#include "distill/train_cost.h"
#include "seq2seq/train.h"
#include "seq2seq/train_courses.h"

#define TEACHER "teacher"
#define GOLD_IDS "train.ids"             /* the corpora, encoded, while the stage is at work */
#define UNLABELLED_IDS "unlabelled.ids"

struct meta_stage {
    float label_smoothing;
    int64_t validate_lines;
    struct model_config model;
    struct train_config train;
    struct batching_config batching;
    struct meta_config meta;
};

#define FIELD(member) offsetof(struct meta_stage, member)
static const struct option stage_options[] = {
    { "label-smoothing", OPTION_FLOAT, FIELD(label_smoothing), "0.1", 0, 0.99,
      "mass of the student's targets that is spread over all pieces" },
    VALIDATE_LINES(FIELD(validate_lines)),
    { 0 }
};
static const struct stage_options tables[] = {
    { stage_options, 0 },
    { meta_options, FIELD(meta) },
    { model_options, FIELD(model) },
    { train_options, FIELD(train) },
    { batching_options, FIELD(batching) },
    { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "corpus", "corpus", true, false },        /* labelled */
    { "unlabelled", "corpus", true, false },    /* whose targets are not looked at */
    { "vocabulary", "vocabulary", true, false },
    { "teacher", "model", true, false },        /* the weights that the teacher starts with */
    { "start", "model", false, false },         /* those of the student */
    { NULL }
};

static int check(struct stage_view *v, struct error *err)
{
    const struct meta_stage *c = v->stage->config;
    bool started = stage_link(v->stage, "start") != NULL;
    const struct stage *vocabulary = facts_of(v, started ? "start" : "vocabulary")->vocabulary;
    const struct train_courses courses = { .groups = v->stage->groups, .config = &c->train };
    int longest = c->batching.max_length;
    if (facts_training(v, &courses, &c->model, err) < 0)
        return -1;
    if (c->train.accumulate > 1)
        return error_set(err, "accumulate: the teacher is told what each batch did; take 1, and larger batches");
    if (!started && model_config_takes(&c->model, longest, err) < 0)
        return -1;
    if (facts_translate(v, "teacher", err) < 0 || facts_translate(v, "start", err) < 0
        || facts_same_vocabulary(v, "teacher", vocabulary, "the teacher's labels are pieces: give both the same", err) < 0
        || facts_have_targets(v, "corpus", err) < 0 || facts_take(v, "start", longest, err) < 0
        || facts_take(v, "teacher", longest, err) < 0)
        return -1;
    return facts_direction(v, "teacher", false, err);
}

/* The student's. */
static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct meta_stage *c = v->stage->config;
    bool started = stage_link(v->stage, "start") != NULL;
    facts_pass(out, v, started ? "start" : "vocabulary");
    facts_languages(out, v);
    if (!started) {
        out->shaped = true;
        out->config = c->model;
    }
}

/* ---- what training needs ---- */

struct training {
    struct stage_run *run;
    const struct meta_stage *config;
    struct corpus_files corpus, unlabelled;
    struct model *student, *teacher;
    uint64_t start, first_teacher;              /* fingerprints of the weights started from */
    struct store *gold_store, *unlabelled_store;
    struct batch_source train;
    struct dev_set dev;
    struct objective objective;
    struct train_report report;
};

static int open_models(struct training *t, struct error *err)
{
    bool started = stage_has(t->run, "start");
    if (!(t->teacher = input_model(t->run, "teacher", err)))
        return -1;
    t->first_teacher = model_fingerprint(t->teacher);
    t->student = started ? input_model(t->run, "start", err)
                         : stage_model_new(t->run, &t->config->model, NULL, 0, t->config->train.seed, err);
    if (!t->student)
        return -1;
    if (started)
        t->start = model_fingerprint(t->student);
    if (!model_same_vocabularies(t->student, t->teacher))
        return error_set(err, "the student's vocabulary is not the teacher's, whose labels are pieces; give both "
                         "the same");
    int longest = t->config->batching.max_length;
    return model_takes(t->student, longest, "the student", err) < 0
        || model_takes(t->teacher, longest, "the teacher", err) < 0 ? -1 : 0;
}

/* ---- data ---- */

static int open_batches(const struct training *t, struct batch_source *out, const char *input, const struct store *store,
                        struct error *err)
{
    struct batching_config c = t->config->batching;
    c.seed = t->config->train.seed;
    if (batching_open(out, store, model_bos(t->student), model_eos(t->student), &c, NULL, err) == 0)
        return 0;
    return error_prefix(err, "'%s'", t->run->stages[stage_link(t->run->stage, input)->stage].name);
}

static int least(int a, int b)
{
    return !a || (b && b < a) ? b : a;
}

static int open_labels(struct training *t, struct batch_source *unlabelled, struct batch_source *labelled,
                       struct error *err)
{
    const struct meta_stage *c = t->config;
    int limit = least(model_max_length(t->student), model_max_length(t->teacher)), longest = c->batching.max_length;
    const struct meta_needs needs = {
        .student = t->student, .teacher = t->teacher, .clip_norm = c->train.clip_norm,
        .max_length = limit && limit <= longest ? limit - 1 : longest, .seed = c->train.seed, .threads = t->run->threads,
    };
    return meta_labels_open(&t->train, unlabelled, labelled, &needs, &c->meta, err);
}

static int open_train(struct training *t, struct error *err)
{
    struct batch_source unlabelled = { 0 }, labelled = { 0 };
    int ret = -1;
    t->gold_store = train_corpora_encode(t->run, GOLD_IDS, &t->corpus.train, t->student, err);
    if (t->gold_store)
        t->unlabelled_store = train_corpora_encode_unlabelled(t->run, UNLABELLED_IDS, &t->unlabelled.train, t->student, err);
    if (t->unlabelled_store && open_batches(t, &labelled, "corpus", t->gold_store, err) == 0
        && open_batches(t, &unlabelled, "unlabelled", t->unlabelled_store, err) == 0)
        ret = open_labels(t, &unlabelled, &labelled, err);
    if (labelled.free)
        labelled.free(labelled.state);
    if (unlabelled.free)
        unlabelled.free(unlabelled.state);
    return ret;
}

static int open_dev(struct training *t, struct error *err)
{
    const struct meta_stage *c = t->config;
    return dev_set_open(&t->dev, t->run, &t->corpus.dev, t->student, &c->batching, c->train.micro_tokens,
                        c->validate_lines, err);
}

static void training_release(struct training *t)
{
    if (t->objective.free)
        t->objective.free(t->objective.shared);
    if (t->train.free)
        t->train.free(t->train.state);
    dev_set_release(&t->dev);
    store_close(t->gold_store);
    store_close(t->unlabelled_store);
    model_free(t->student);
    model_free(t->teacher);
    corpus_files_release(&t->corpus);
    corpus_files_release(&t->unlabelled);
}

/* ---- lineage ---- */

static void set_lineage(struct training *t)
{
    const struct stage_run *run = t->run;
    const struct option_group groups[] = { { NULL, meta_options, (void *)(uintptr_t)&t->config->meta }, { NULL } };
    json_t *objective = options_to_json(groups);
    json_object_set_new(objective, "name", json_string("meta-pseudo-labels"));
    json_t *data = json_pack("{s:o, s:o}", "corpus", train_corpora_describe_one(run, stage_link(run->stage, "corpus"), t->gold_store),
                             "unlabelled", train_corpora_describe_one(run, stage_link(run->stage, "unlabelled"), t->unlabelled_store));
    json_t *teachers = json_pack("[o]", stage_ancestor(run, stage_link(run->stage, "teacher"), t->first_teacher));
    stage_lineage_set(run, t->student, t->config->train.seed, objective, data, teachers);
    stage_lineage_start(run, t->student, t->start);
}

/* ---- the stage ---- */

static int prepare(struct training *t, struct error *err)
{
    if (input_corpus(&t->corpus, t->run, "corpus", err) < 0 || input_corpus(&t->unlabelled, t->run, "unlabelled", err) < 0
        || open_models(t, err) < 0 || open_train(t, err) < 0 || open_dev(t, err) < 0)
        return -1;
    t->objective = objective_cross_entropy(t->config->label_smoothing);
    set_lineage(t);
    return 0;
}

static int train(struct training *t, struct error *err)
{
    const struct train_data data = dev_set_beside(&t->train, &t->dev);
    return stage_train_model(t->run, t->student, &t->objective, &data, &t->config->train, &t->report, err);
}

static int save_teacher(struct training *t, struct error *err)
{
    char *folder = stage_path(t->run, TEACHER);
    int ret = dir_make(folder, err);
    if (ret == 0)
        ret = model_save(t->teacher, folder, err);
    if (ret == 0)
        stage_output(t->run, TEACHER "/model.safetensors");
    free(folder);
    return ret;
}

static int finish(struct training *t, struct error *err)
{
    if (save_teacher(t, err) < 0 || stage_train_finish(t->run, t->student, &t->report, err) < 0
        || stage_remove(t->run, GOLD_IDS, err) < 0)
        return -1;
    return stage_remove(t->run, UNLABELLED_IDS, err);
}

static int run_train_meta(struct stage_run *run, struct error *err)
{
    struct training t = { .run = run, .config = run->stage->config };
    int ret = -1;
    if (prepare(&t, err) == 0 && train(&t, err) == 0)
        ret = t.report.interrupted ? STAGE_STOPPED : finish(&t, err);
    training_release(&t);
    return ret;
}

/* An update of the student, one of the teacher on twice the text, sampling, and two looks at gold. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct meta_stage *c = run->stage->config;
    double weights = stage_input_cost(run, "teacher")->weights, guess = -1;
    double words = (double)c->train.max_updates * train_cost_batch(&c->batching);
    cost->weights = weights;
    if (weights >= 0 && c->train.max_updates > 0)
        guess = forecast_training(words, weights, run->threads) + forecast_training(2 * words, weights, run->threads)
            + forecast_decoding(words, weights, 1, run->threads) + forecast_scoring(2 * words, weights, run->threads);
    cost->seconds = train_cost_seconds(run, &c->train, guess);
    if (weights >= 0)
        cost->bytes = weights * sizeof(float) * (2 + (c->train.keep_checkpoints + 1) * 6);
}

const struct stage_kind stage_train_meta = {
    .name = "train-meta", .summary = "training a student and its teacher", .makes = "model", .version = 2,
    .varies = true,
    .config_size = sizeof(struct meta_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .run = run_train_meta, .estimate = estimate,
};
