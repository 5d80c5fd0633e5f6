/* Running the stages of a recipe one after another. */
#include "distill/run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "distill/lock.h"
#include "distill/manifest.h"
#include "distill/run_stage.h"

void run_open(struct run *out, const struct recipe *recipe, const char *folder, int threads)
{
    *out = (struct run){
        .recipe = recipe, .folder = xstrdup(folder), .threads = threads > 0 ? threads : cpu_count(),
        .plans = xcalloc(recipe->count, sizeof *out->plans),
        .costs = xcalloc(recipe->count, sizeof *out->costs),
        .manifests = xcalloc(recipe->count, sizeof *out->manifests),
        .previous = xcalloc(recipe->count, sizeof *out->previous),
    };
}

void run_close(struct run *run)
{
    for (size_t i = 0; run->recipe && i < run->recipe->count; i++) {
        json_decref(run->manifests[i]);
        json_decref(run->previous[i]);
    }
    free(run->manifests);
    free(run->previous);
    free(run->plans);
    free(run->costs);
    free(run->folder);
    json_decref(run->settings);
    *run = (struct run){ 0 };
}

/* ---- a stage's folder ---- */

static bool ours(const char *folder)
{
    char *manifest = path_join(folder, MANIFEST_FILE), *begun = path_join(folder, BEGUN_FILE);
    bool known = file_exists(manifest) || file_exists(begun) || rmdir(folder) == 0;
    free(manifest);
    free(begun);
    return known;
}

/* Empties the folder unless it holds an interrupted run to go on with, and marks it as begun. */
static int begin_folder(const struct stage_run *sr, const json_t *description, struct error *err)
{
    char *begun = path_join(sr->folder, BEGUN_FILE);
    int ret = 0;
    if (!sr->resumed && file_exists(sr->folder))
        ret = ours(sr->folder) ? dir_remove(sr->folder, err)
            : error_set(err, "%s is in the way and not of this program's making; move it away, or "
                        "choose another folder with -o", sr->folder);
    if (ret == 0)
        ret = dir_make(sr->folder, err);
    if (ret == 0)
        ret = json_write(description, begun, err);
    free(begun);
    return ret;
}

static int finish_folder(struct run *run, size_t index, struct stage_run *sr,
                         const json_t *description, double seconds, struct error *err)
{
    char *path = path_join(sr->folder, MANIFEST_FILE), *begun = path_join(sr->folder, BEGUN_FILE);
    json_t *manifest = manifest_finish(sr, description, seconds, err);
    int ret = manifest ? json_write(manifest, path, err) : -1;
    if (ret == 0) {
        unlink(begun);
        run->plans[index].state = PLAN_DONE;
        json_decref(run->manifests[index]);
        run->manifests[index] = json_incref(manifest);
    }
    json_decref(manifest);
    free(path);
    free(begun);
    return ret;
}

/* ---- one stage ---- */

/* An error that a signal caused is no failure. */
static int work(struct stage_run *sr, struct error *err)
{
    int ret = sr->stage->kind->run(sr, err);
    progress_show(true, "%s", "");
    return ret != 0 && interrupt_requested() ? RUN_STOPPED : ret;
}

static void announce(const struct run *run, size_t index)
{
    const struct stage *s = &run->recipe->stages[index];
    const struct plan *p = &run->plans[index];
    log_info("[%zu/%zu] %s: %s (%s)", index + 1, run->recipe->count, s->name, s->kind->summary, p->why);
}

static int run_one(struct run *run, size_t index, const json_t *description, struct error *err)
{
    struct stage_run sr;
    double start = clock_seconds();
    int ret;

    stage_run_open(&sr, run, index);
    sr.resumed = run->plans[index].state == PLAN_RESUME;
    announce(run, index);
    ret = begin_folder(&sr, description, err);
    if (ret == 0)
        ret = work(&sr, err);
    if (ret == 0)
        ret = finish_folder(run, index, &sr, description, clock_seconds() - start, err);
    if (ret == 0)
        log_info("[%zu/%zu] %s: done in %s", index + 1, run->recipe->count, sr.stage->name,
                 clock_text(clock_seconds() - start));
    stage_run_close(&sr);
    return ret < 0 ? recipe_blame_stage(run->recipe, index, err) : ret;
}

static int reach_stage(struct run *run, size_t index, struct error *err)
{
    json_t *description;
    int ret = plan_stage(run, index, &description, err);
    if (ret == 0 && run->plans[index].state != PLAN_DONE)
        ret = interrupt_requested() ? RUN_STOPPED : run_one(run, index, description, err);
    json_decref(description);
    return ret;
}

/* ---- the whole ---- */

/* run.json and recipe.yml: what was asked for, for people and for `coho report`. */
static int describe_run(const struct run *run, struct error *err)
{
    char *json = path_join(run->folder, "run.json"), *copy = path_join(run->folder, "recipe.yml");
    json_t *about = json_pack("{s:s, s:s, s:s, s:i, s:s}", "name", run->recipe->name, "recipe",
                              run->recipe->path, "recipe_hash", run->recipe->hash, "threads",
                              run->threads, "program", "coho " COHO_VERSION);
    json_object_set(about, "set", run->settings);
    int ret = json_write(about, json, err) < 0 || file_copy(copy, run->recipe->path, err) < 0 ? -1 : 0;
    json_decref(about);
    free(json);
    free(copy);
    return ret;
}

int run_execute(struct run *run, struct error *err)
{
    int lock = -1, ret = 0;
    if (dir_make(run->folder, err) < 0 || (lock = lock_take(run->folder, err)) < 0)
        return -1;
    ret = describe_run(run, err);
    for (size_t i = 0; i < run->recipe->count && ret == 0; i++)
        ret = reach_stage(run, i, err);
    lock_release(lock);
    return ret;
}
