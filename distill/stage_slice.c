/* The stage `slice`: the slim network of leading channels inside a model, as a model of its own:
 * what knowledge evolution ships (Taha 2021). */
#include <stdlib.h>

#include "base/error.h"
#include "distill/facts.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/model_stage.h"
#include "distill/slice.h"
#include "tokenize/vocabularies.h"

struct slice_stage {
    float keep;
};

static const struct option slice_options[] = {
    { "keep", OPTION_FLOAT, offsetof(struct slice_stage, keep), "0.5", 0.01, 1, "share of the width that is cut out" },
    { 0 }
};
static const struct stage_options tables[] = { { slice_options, 0 }, { NULL } };
static const struct stage_input inputs[] = { { "model", "model", true, false }, { NULL } };

static int check(struct stage_view *v, struct error *err)
{
    const struct slice_stage *c = v->stage->config;
    const struct stage_facts *whole = facts_of(v, "model");
    struct model_config slim;
    if (!whole->shaped || slice_config(&slim, &whole->config, c->keep, err) == 0)
        return 0;
    error_prefix(err, "'model' from '%s'", v->stages[stage_link(v->stage, "model")->stage].name);
    v->key = "model";
    return -1;
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct slice_stage *c = v->stage->config;
    struct model_config slim;
    facts_pass(out, v, "model");
    if (out->shaped && slice_config(&slim, &out->config, c->keep, NULL) == 0)
        out->config = slim;
}

/* The slim model has tokenizers of its own. */
static struct model *slim_new(const struct model *whole, float share, struct error *err)
{
    struct tokenizer *source, *target;
    struct model_config config;
    if (slice_config(&config, &whole->config, share, err) < 0 ||
        vocabularies_copy(&source, &target, whole->source_tokenizer, whole->target_tokenizer, err) < 0)
        return NULL;
    struct model *slim = model_new(&config, source, target, 1, err);
    if (!slim)
        vocabularies_free(source, target);
    return slim;
}

static void set_lineage(const struct stage_run *run, struct model *slim, const struct model *whole)
{
    const struct slice_stage *c = run->stage->config;
    json_t *before = stage_ancestor(run, stage_link(run->stage, "model"), model_fingerprint(whole));
    json_decref(slim->lineage);
    slim->lineage = json_pack("{s:s, s:s, s:f, s:o}", "name", run->stage->name, "recipe", run->recipe,
                              "sliced", (double)c->keep, "start", before);
}

static int run_slice(struct stage_run *run, struct error *err)
{
    const struct slice_stage *c = run->stage->config;
    struct model *whole = input_model(run, "model", err);
    struct model *slim = whole ? slim_new(whole, c->keep, err) : NULL;
    double trained = manifest_figure(stage_input_manifest(run, "model"), "train_seconds");
    int ret = -1;
    if (slim && slice_copy(slim, whole, err) == 0) {
        set_lineage(run, slim, whole);
        ret = model_save(slim, run->folder, err);
        stage_model_outputs(run);
        json_object_set_new(run->figures, "parameters", json_integer(model_parameters(slim)));
        if (trained >= 0)
            json_object_set_new(run->figures, "train_seconds", json_real(trained));
    }
    model_free(slim);
    model_free(whole);
    return ret;
}

const struct stage_kind stage_slice = {
    .name = "slice", .summary = "cutting the slim network out of a model", .makes = "model", .version = 1,
    .config_size = sizeof(struct slice_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .run = run_slice,
};
