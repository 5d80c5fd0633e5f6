/* The stages `corrupt` and `munge`: a corpus with a known share of wrong targets (corpora/corrupt.h),
 * and new source lines that wait for a teacher's labels (corpora/munge.h). */
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "corpora/corrupt.h"
#include "corpora/munge.h"
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/inputs.h"
#include "distill/kinds.h"

static const struct stage_input inputs[] = {
    { "corpus", "corpus", true, false },
    { NULL }
};
static const struct stage_options corrupt_tables[] = { { corrupt_options, 0 }, { NULL } };
static const struct stage_options munge_tables[] = { { munge_options, 0 }, { NULL } };

static void facts_corrupt(struct stage_facts *out, const struct stage_view *v)
{
    facts_derive(out, v, "corpus");
    out->gold = true;
}

static void facts_munge(struct stage_facts *out, const struct stage_view *v)
{
    facts_derive(out, v, "corpus");
    out->no_targets = true;
}

static int check_corrupt(struct stage_view *v, struct error *err)
{
    return facts_have_targets(v, "corpus", err);
}

/* The corpus given, and what one made of it has in common with it. */
static int open_both(const struct stage_run *run, struct corpus_files *in, struct corpus_files *out, struct error *err)
{
    int ret = input_corpus(in, run, "corpus", err);
    if (ret == 0)
        corpus_files_derive(out, in, run->stages[stage_link(run->stage, "corpus")->stage].name);
    return ret;
}

/* The name of a side's file in the folder of the stage, which is an output; the caller's. */
static char *side_name(struct stage_run *run, const char *language)
{
    char *name = xasprintf("train.%s", language);
    stage_output(run, name);
    return name;
}

static int finish(struct stage_run *run, struct corpus_files *in, struct corpus_files *out, int ret, struct error *err)
{
    if (ret == 0)
        ret = corpus_set_count(&out->train, run->folder, err);
    if (ret == 0)
        ret = corpus_files_write(out, run->folder, err);
    stage_output(run, CORPUS_FILE);
    corpus_files_release(in);
    corpus_files_release(out);
    return ret;
}

/* ---- wrong targets ---- */

static int run_corrupt(struct stage_run *run, struct error *err)
{
    struct corpus_files in = { 0 }, out = { 0 };
    struct corrupt_report report = { 0 };
    int ret = open_both(run, &in, &out, err);
    if (ret == 0) {
        out.train = (struct corpus_set){ corpus_sibling(in.train.source), side_name(run, in.target_lang), 0, 0, 0 };
        char *target = stage_path(run, out.train.target);
        ret = corpus_corrupt(&report, target, in.train.target, run->stage->config, err);
        free(target);
    }
    json_object_set_new(run->figures, "pairs", json_integer((json_int_t)report.lines));
    json_object_set_new(run->figures, "moved", json_integer((json_int_t)report.moved));
    json_object_set_new(run->figures, "same", json_integer((json_int_t)report.same));
    return finish(run, &in, &out, ret, err);
}

/* ---- new lines ---- */

static int run_munge(struct stage_run *run, struct error *err)
{
    struct corpus_files in = { 0 }, out = { 0 };
    struct munge_report report = { 0 };
    int ret = open_both(run, &in, &out, err);
    if (ret == 0) {
        out.train = (struct corpus_set){ side_name(run, in.source_lang), side_name(run, in.target_lang), 0, 0, 0 };
        char *source = stage_path(run, out.train.source), *target = stage_path(run, out.train.target);
        ret = corpus_munge(&report, source, in.train.source, run->stage->config, err);
        if (ret == 0)
            ret = corpus_empty_side(target, report.made, err);
        free(source);
        free(target);
    }
    json_object_set_new(run->figures, "lines", json_integer((json_int_t)report.made));
    json_object_set_new(run->figures, "words", json_integer((json_int_t)report.words));
    json_object_set_new(run->figures, "replaced", json_integer((json_int_t)report.replaced));
    return finish(run, &in, &out, ret, err);
}

/* ---- what it will take ---- */

#define PACE 10e6               /* bytes a second, measured on one core */

static void estimate(const struct stage_run *run, struct stage_cost *cost, double times)
{
    const struct stage_cost *corpus = stage_input_cost(run, "corpus");
    cost->eval_words = corpus->eval_words;
    if (corpus->train_words >= 0)
        cost->train_words = corpus->train_words * times;
    if (corpus->bytes < 0)
        return;
    cost->bytes = corpus->bytes * times;
    cost->seconds = cost->bytes / PACE;
}

static void estimate_corrupt(const struct stage_run *run, struct stage_cost *cost)
{
    estimate(run, cost, 1);
}

static void estimate_munge(const struct stage_run *run, struct stage_cost *cost)
{
    const struct munge_config *c = run->stage->config;
    estimate(run, cost, c->copies + c->originals);
}

const struct stage_kind stage_corrupt = {
    .name = "corrupt", .summary = "putting a share of the targets in wrong places", .makes = "corpus", .version = 1,
    .config_size = sizeof(struct corrupt_config), .options = corrupt_tables, .inputs = inputs,
    .check = check_corrupt, .facts = facts_corrupt, .run = run_corrupt, .estimate = estimate_corrupt,
};

const struct stage_kind stage_munge = {
    .name = "munge", .summary = "making source lines by replacing words", .makes = "corpus", .version = 1,
    .config_size = sizeof(struct munge_config), .options = munge_tables, .inputs = inputs,
    .facts = facts_munge, .run = run_munge, .estimate = estimate_munge,
};
