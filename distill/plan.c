/* What of a recipe is done, what is not and why, and what that may cost. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/table.h"
#include "distill/manifest.h"
#include "distill/run_stage.h"
#include "distill/stamp.h"

void stage_run_open(struct stage_run *out, const struct run *run, size_t index)
{
    const struct recipe *recipe = run->recipe;
    *out = (struct stage_run){
        .stage = &recipe->stages[index], .recipe = recipe->name, .recipe_hash = recipe->hash,
        .root = run->folder, .threads = run->threads, .stages = recipe->stages,
        .manifests = run->manifests, .previous = run->previous[index],
    };
    out->folder = path_join(run->folder, out->stage->name);
    out->figures = json_object();
}

void stage_run_close(struct stage_run *run)
{
    free(run->folder);
    json_decref(run->figures);
    strings_release(&run->outputs);
    *run = (struct stage_run){ 0 };
}

/* ---- state ---- */

static const char *input_not_done(const struct run *run, const struct stage *s)
{
    for (size_t i = 0; i < s->link_count; i++)
        if (run->plans[s->links[i].stage].state != PLAN_DONE)
            return run->recipe->stages[s->links[i].stage].name;
    return NULL;
}

static void forget(struct run *run, size_t index)
{
    json_decref(run->manifests[index]);
    json_decref(run->previous[index]);
    run->manifests[index] = run->previous[index] = NULL;
}

/* The stage stands finished in its folder: does it still match? */
static void judge_finished(struct run *run, size_t index, struct stage_run *sr,
                           const json_t *description, json_t *manifest)
{
    struct plan *plan = &run->plans[index];
    if (manifest_same(description, manifest, plan->why, sizeof plan->why)
        && manifest_intact(manifest, sr->folder, plan->why, sizeof plan->why)) {
        plan->state = PLAN_DONE;
        run->manifests[index] = json_incref(manifest);
    } else {
        run->previous[index] = json_incref(manifest);
    }
}

static void judge_begun(struct plan *plan, const struct stage_run *sr, const json_t *description)
{
    json_t *begun = manifest_read(sr->folder, BEGUN_FILE);
    char why[sizeof plan->why];
    if (begun && manifest_same(description, begun, why, sizeof why)) {
        plan->state = PLAN_RESUME;
        snprintf(plan->why, sizeof plan->why, "was interrupted");
    }
    json_decref(begun);
}

int plan_stage(struct run *run, size_t index, json_t **description, struct error *err)
{
    struct plan *plan = &run->plans[index];
    const char *waits = input_not_done(run, &run->recipe->stages[index]);
    struct stage_run sr;
    json_t *manifest;
    int ret = 0;

    forget(run, index);
    stage_run_open(&sr, run, index);
    manifest = manifest_read(sr.folder, MANIFEST_FILE);
    *plan = (struct plan){ .state = PLAN_RUN, .why = "new" };
    *description = NULL;
    if (waits) {
        snprintf(plan->why, sizeof plan->why, "after %s", waits);
        run->previous[index] = json_incref(manifest);
    } else if ((*description = manifest_describe(&sr, manifest, err))) {
        if (manifest)
            judge_finished(run, index, &sr, *description, manifest);
        if (plan->state != PLAN_DONE)
            judge_begun(plan, &sr, *description);
    } else {
        ret = recipe_blame_stage(run->recipe, index, err);
    }
    json_decref(manifest);
    stage_run_close(&sr);
    return ret;
}

int recipe_blame_stage(const struct recipe *recipe, size_t index, struct error *err)
{
    const struct stage *s = &recipe->stages[index];
    stage_say_keys(s, err);
    return error_prefix(err, "%s: stage '%s'", s->origin, s->name);
}

/* ---- cost ---- */

static double manifest_bytes(const json_t *manifest)
{
    return (double)stamps_size(json_object_get(manifest, "outputs"));
}

static double manifest_seconds(const json_t *manifest)
{
    return json_number_value(json_object_get(manifest, "seconds"));
}

/* What the stage's earlier self or, failing that, a stage of its kind needed. */
static void guess_from(struct stage_cost *cost, const json_t *manifest)
{
    if (manifest && cost->seconds < 0)
        cost->seconds = manifest_seconds(manifest);
    if (manifest && cost->bytes < 0)
        cost->bytes = manifest_bytes(manifest);
}

static void measured(struct stage_cost *cost, const json_t *manifest)
{
    cost->seconds = manifest_seconds(manifest);
    cost->bytes = manifest_bytes(manifest);
}

static void estimate(struct run *run, size_t index)
{
    const struct stage_kind *kind = run->recipe->stages[index].kind;
    struct stage_cost *cost = &run->costs[index];
    struct stage_run sr;
    *cost = stage_cost_unknown;
    stage_run_open(&sr, run, index);
    sr.costs = run->costs;
    if (kind->estimate)
        kind->estimate(&sr, cost);
    if (run->manifests[index])
        measured(cost, run->manifests[index]);
    guess_from(cost, run->previous[index]);
    for (size_t i = 0; i < run->recipe->count; i++)
        if (run->recipe->stages[i].kind == kind)
            guess_from(cost, run->manifests[i] ? run->manifests[i] : run->previous[i]);
    stage_run_close(&sr);
}

int run_plan(struct run *run, struct error *err)
{
    for (size_t i = 0; i < run->recipe->count; i++) {
        json_t *description;
        if (plan_stage(run, i, &description, err) < 0)
            return -1;
        json_decref(description);
    }
    for (size_t i = 0; i < run->recipe->count; i++)
        estimate(run, i);
    return 0;
}

/* ---- the plan as text ---- */

static const char *const state_text[] = { "done", "go on", "run" };

static void cost_text(char *seconds, char *bytes, size_t room, const struct stage_cost *cost,
                      const char *about)
{
    char amount[BYTES_TEXT];
    snprintf(seconds, room, "unknown");
    snprintf(bytes, room, "unknown");
    if (cost->seconds >= 0)
        snprintf(seconds, room, "%s%s", about, clock_text(cost->seconds));
    if (cost->bytes >= 0) {
        snprintf(bytes, room, "%s%s", about, bytes_text(amount, cost->bytes));
    }
}

/* Sums what is known; *all tells whether that was everything. */
static struct stage_cost cost_to_come(const struct run *run, bool *all, size_t *stages)
{
    struct stage_cost sum = { 0 };
    *all = true;
    *stages = 0;
    for (size_t i = 0; i < run->recipe->count; i++) {
        const struct stage_cost *cost = &run->costs[i];
        if (run->plans[i].state == PLAN_DONE)
            continue;
        ++*stages;
        *all &= cost->seconds >= 0 && cost->bytes >= 0;
        sum.seconds += fmax(0, cost->seconds);
        sum.bytes += fmax(0, cost->bytes);
    }
    return sum;
}

void run_print_plan(const struct run *run, FILE *out)
{
    struct table table = { 0 };
    char seconds[48], bytes[48];
    size_t stages;
    bool all;

    table_row(&table, "stage", "kind", "state", "why", "time", "disk", NULL);
    for (size_t i = 0; i < run->recipe->count; i++) {
        const struct plan *p = &run->plans[i];
        bool done = p->state == PLAN_DONE;
        cost_text(seconds, bytes, sizeof seconds, &run->costs[i], done ? "" : "~");
        table_row(&table, run->recipe->stages[i].name, run->recipe->stages[i].kind->name,
                  state_text[p->state], done ? "" : p->why, seconds, bytes, NULL);
    }
    table_print(&table, out);
    table_release(&table);
    struct stage_cost sum = cost_to_come(run, &all, &stages);
    cost_text(seconds, bytes, sizeof seconds, &sum, "");
    if (stages)
        fprintf(out, "\n%zu of %zu stages to run: %s %s, %s on disk%s\n", stages, run->recipe->count,
                all ? "about" : "at least", seconds, bytes, all ? "" : "; some are unknown");
    else
        fprintf(out, "\nall %zu stages are done\n", run->recipe->count);
}
