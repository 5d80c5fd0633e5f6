#ifndef DISTILL_RUN_H
#define DISTILL_RUN_H

#include <stdbool.h>
#include <stdio.h>

#include "distill/recipe.h"

struct error;

/* A recipe at work in a folder: a folder a stage, each with its manifest.
 *
 *     struct run run = {0};
 *     if (run_open(&run, &recipe, "runs/x", threads, err) < 0) …
 *     run_plan(&run, err);  run_print_plan(&run, stdout);         // what would be done
 *     status = run_execute(&run, err);                            // do it
 *     run_close(&run);
 *
 * A stage whose manifest matches is not run again.  A stage that was interrupted goes on where
 * its kind can, and starts afresh otherwise. */
enum plan_state {
    PLAN_DONE,          /* its manifest matches and its outputs are intact */
    PLAN_RESUME,        /* an interrupted run of exactly this stage is there */
    PLAN_RUN            /* must be run; `why` says why */
};

struct plan {
    enum plan_state state;
    char why[160];
};

struct run {
    const struct recipe *recipe;
    char *folder;
    int threads;
    json_t *settings;           /* the --set texts, kept in run.json; may be NULL */
    struct plan *plans;         /* one a stage */
    struct stage_cost *costs;   /* of a done stage: as measured; else an estimate */
    json_t **manifests;         /* of the stages that are done */
    json_t **previous;          /* of the stages that are not, but once were, or NULL */
};

/* The recipe must outlive the run.  Touches nothing yet.  threads 0: one a core. */
void run_open(struct run *out, const struct recipe *recipe, const char *folder, int threads);
void run_close(struct run *run);

/* What is done and what would run, with estimates; nothing is changed. */
int run_plan(struct run *run, struct error *err);
void run_print_plan(const struct run *run, FILE *out);

/* Runs what is not done.  RUN_STOPPED: a signal came; the same call goes on from there.  On a
 * failure the stages before it stay.  Refuses a folder in which another run is at work. */
int run_execute(struct run *run, struct error *err);
enum { RUN_STOPPED = 1 };

#endif
