/* The stage `quantize`: a model with its matrices in int8, as `coho model quantize` writes it: what a student is shipped
 * as.  Training with `quantize-aware` prepares it. */
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "distill/facts.h"
#include "distill/kinds.h"
#include "distill/model_stage.h"
#include "distill/stamp.h"
#include "seq2seq/model.h"

static const struct stage_input inputs[] = {
    { "model", "model", true, false },
    { NULL }
};

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    facts_pass(out, v, "model");
}

static void set_lineage(const struct stage_run *run, struct model *m)
{
    const struct stage_link *link = stage_link(run->stage, "model");
    json_t *it = json_pack("{s:s, s:s, s:s, s:o}", "name", run->stage->name, "recipe", run->recipe, "quantized", "int8",
                           "start", stage_ancestor(run, link, model_fingerprint(m)));
    json_decref(m->lineage);
    m->lineage = it;
}

static void set_figures(struct stage_run *run, const char *before)
{
    double trained = manifest_figure(stage_input_manifest(run, "model"), "train_seconds");
    char *file = stage_path(run, "model.safetensors");
    json_object_set_new(run->figures, "bytes", json_integer(path_bytes(file)));
    json_object_set_new(run->figures, "bytes_before", json_integer(path_bytes(before)));
    if (trained >= 0)
        json_object_set_new(run->figures, "train_seconds", json_real(trained));
    free(file);
}

static int run_quantize(struct stage_run *run, struct error *err)
{
    char *folder = stage_input_folder(run, "model"), *weights = path_join(folder, "model.safetensors");
    struct model *m = model_load(folder, err);
    int ret = -1;
    if (m) {
        set_lineage(run, m);
        json_object_set_new(run->figures, "parameters", json_integer(model_parameters(m)));
        ret = model_save_int8(m, run->folder, err);
        model_free(m);
    }
    if (ret == 0) {
        set_figures(run, weights);
        stage_model_outputs(run);
    }
    free(weights);
    free(folder);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    cost->weights = stage_input_cost(run, "model")->weights;
    cost->seconds = 0;
    cost->bytes = cost->weights;
}

const struct stage_kind stage_quantize = {
    .name = "quantize", .summary = "rounding a model to int8", .makes = "model", .version = 1,
    .inputs = inputs, .facts = facts, .run = run_quantize, .estimate = estimate,
};
