#ifndef CLI_CORPUS_JOB_H
#define CLI_CORPUS_JOB_H

#include <jansson.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "base/table.h"
#include "cli/command.h"
#include "corpora/check.h"
#include "corpora/corrupt.h"
#include "corpora/munge.h"
#include "corpora/prepare.h"
#include "distill/novel_lines.h"

/* The steps of `coho corpus`, a file a kind, and what they have in common. */
struct corpus_options {
    char *output, *model, *target_model, *score_model, *reverse_model;
    int threads;
    char *html;
    struct strings against;
    bool json, quiet;
};

/* New lines beside known ones. */
struct novelty_step {
    struct novel_config config;
    char *model, *scores, *in_domain, *foreign;
};

/* What every step needs: its options, and the two inputs. */
struct corpus_job {
    const struct command *self;
    struct corpus_options options;
    struct check_config check;
    struct corrupt_config corrupt;
    struct munge_config munge;
    struct novelty_step novel;
    struct prepare_config config;       /* zeros, where a step has no such options: no filter */
    const char *source, *target;        /* NULL: not given */
};

/* Each does a step and prints its report; returns the exit status, or -1. */
int corpus_run_clean(struct corpus_job *job, struct error *err);        /* import, too */
int corpus_run_prepare(struct corpus_job *job, struct error *err);      /* split, too */
int corpus_run_check(struct corpus_job *job, struct error *err);
int corpus_run_stats(struct corpus_job *job, struct error *err);
int corpus_run_corrupt(struct corpus_job *job, struct error *err);
int corpus_run_munge(struct corpus_job *job, struct error *err);
int corpus_run_novelty(struct corpus_job *job, struct error *err);
int corpus_run_store(struct corpus_job *job, struct error *err);

/* ---- reports ---- */

int corpus_print_json(json_t *json);            /* and it is gone; returns 0 */
int corpus_print_table(struct table *t);         /* likewise */
void corpus_row(struct table *t, const char *name, int64_t number);
void corpus_warn_repairs(int64_t repaired);      /* of lines that were not UTF-8 */

#endif
