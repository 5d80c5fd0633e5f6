/* The stage `prune`: the smallest weights of a model become zero.  What that costs in quality a
 * training with `start` and `keep-zeros` wins back (See, Luong & Manning 2016). */
#include <stdlib.h>

#include "distill/facts.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/model_stage.h"
#include "seq2seq/model.h"
#include "seq2seq/prune.h"

static const struct stage_options tables[] = { { prune_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "model", "model", true, false },
    { NULL }
};

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    facts_pass(out, v, "model");
}

static void set_figures(struct stage_run *run, int64_t zeros, int64_t of)
{
    double trained = manifest_figure(stage_input_manifest(run, "model"), "train_seconds");
    json_object_set_new(run->figures, "zeros", json_integer(zeros));
    json_object_set_new(run->figures, "share", json_real(of ? (double)zeros / (double)of : 0));
    if (trained >= 0)
        json_object_set_new(run->figures, "train_seconds", json_real(trained));
}

static void set_lineage(const struct stage_run *run, struct model *m)
{
    const struct prune_config *c = run->stage->config;
    const struct stage_link *link = stage_link(run->stage, "model");
    json_t *it = json_pack("{s:s, s:s, s:f, s:o}", "name", run->stage->name, "recipe", run->recipe,
                           "pruned", (double)c->share, "start", stage_ancestor(run, link, model_fingerprint(m)));
    json_decref(m->lineage);
    m->lineage = it;
}

static int run_prune(struct stage_run *run, struct error *err)
{
    struct model *m = input_model(run, "model", err);
    int64_t zeros, of;
    int ret = -1;
    if (!m)
        return -1;
    set_lineage(run, m);
    zeros = model_prune(m, run->stage->config, &of);
    ret = model_save(m, run->folder, err);
    model_free(m);
    set_figures(run, zeros, of);
    stage_model_outputs(run);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    cost->weights = stage_input_cost(run, "model")->weights;
    cost->seconds = 0;
    cost->bytes = cost->weights < 0 ? -1 : cost->weights * (double)sizeof(float);
}

const struct stage_kind stage_prune = {
    .name = "prune", .summary = "zeroing the smallest weights of a model", .makes = "model", .version = 1,
    .config_size = sizeof(struct prune_config), .options = tables, .inputs = inputs,
    .facts = facts, .run = run_prune, .estimate = estimate,
};
