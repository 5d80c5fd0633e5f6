/* coho corpus: from raw parallel text to training data, step by step or at once. */
#include <stdlib.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/corpus_job.h"
#include "decode/pair_scorer.h"

#define FIELD(member) offsetof(struct corpus_options, member)
#define OUTPUT_ROW(help) \
    { "output", OPTION_STRING, FIELD(output), NULL, 0, 0, help, NULL, 'o', true }
#define REPORT_ROWS \
    { "json", OPTION_FLAG, FIELD(json), "false", 0, 0, "the report as JSON" }, \
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", 0, 0, "no messages, no progress", NULL, 'q' }

static const struct option prefix_options[] = {
    OUTPUT_ROW("start of the files' names: OUTPUT.src and OUTPUT.trg"), REPORT_ROWS, { 0 }
};
static const struct option model_options[] = {
    { "score-model", OPTION_STRING, FIELD(score_model), NULL, 0, 0,
      "a model of the target given the source, for max-cross-entropy" },
    { "reverse-model", OPTION_STRING, FIELD(reverse_model), NULL, 0, 0,
      "a model of the source given the target, for max-dual-cross-entropy" },
    { 0 }
};
static const struct option folder_options[] = {
    OUTPUT_ROW("folder for train.src, train.trg, dev.src …"), REPORT_ROWS, { 0 }
};
static const struct option file_options[] = { OUTPUT_ROW("the file"), REPORT_ROWS, { 0 } };
static const struct option report_options[] = { REPORT_ROWS, { 0 } };
static const struct option stats_options[] = {
    { "model", OPTION_STRING, FIELD(model), NULL, 0, 0,
      "SentencePiece model of the source, and of the target without --target-model, for pieces", NULL, 'm' },
    { "target-model", OPTION_STRING, FIELD(target_model), NULL, 0, 0,
      "SentencePiece model of the target" },
    { "against", OPTION_LIST, FIELD(against), NULL, 0, 0,
      "held-out texts in the source's language: how much of them the corpus has" },
    { "html", OPTION_STRING, FIELD(html), NULL, 0, 0, "a page with plots as well" },
    REPORT_ROWS, { 0 }
};
static const struct option store_options[] = {
    OUTPUT_ROW("the store"),
    { "model", OPTION_STRING, FIELD(model), NULL, 0, 0,
      "SentencePiece model of the source, and of the target without --target-model",
      NULL, 'm', true },
    { "target-model", OPTION_STRING, FIELD(target_model), NULL, 0, 0,
      "SentencePiece model of the target" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    REPORT_ROWS, { 0 }
};

#define NOVEL(member) offsetof(struct novelty_step, member)
static const struct option novel_step_options[] = {
    { "model", OPTION_STRING, NOVEL(model), NULL, 0, 0, "SentencePiece model of the lines", NULL, 'm', true },
    { "scores", OPTION_STRING, NOVEL(scores), NULL, 0, 0, "a file for the novelty of each candidate, a number a line" },
    { "in-domain", OPTION_STRING, NOVEL(in_domain), NULL, 0, 0,
      "held-out lines like the known ones: how well novelty tells them from their own words in another order" },
    { "foreign", OPTION_STRING, NOVEL(foreign), NULL, 0, 0, "and from these lines, which are of another kind" },
    { 0 }
};

enum { GROUPS_MOST = 12 };

/* To add a step: write its run function, which returns the exit status or -1, and add a row. */
static const struct step {
    struct command_step head;
    int inputs_least;
    int (*run)(struct corpus_job *job, struct error *err);
    const struct option *options;
    bool imports, filters, splits, checks;
    const struct option *own;           /* options of the step alone, of the struct … */
    size_t own_offset;                  /* … at this place of the job */
    int inputs_most;                    /* 0: two */
    bool learns_novelty, reads;         /* reads: imports, and writes no text */
} steps[] = {
    { { "import", "[OPTIONS] SOURCE [TARGET] -o OUTPUT",
      "any format to two line-aligned files, as it is" }, 1, corpus_run_clean, prefix_options, true },
    { { "clean", "[OPTIONS] SOURCE [TARGET] -o OUTPUT",
      "filters and drops duplicates, with counts" }, 1, corpus_run_clean, prefix_options, true, true },
    { { "split", "[OPTIONS] SOURCE [TARGET] -o FOLDER",
      "train, dev and test sets without a common source" }, 1, corpus_run_prepare, folder_options,
      true, false, true },
    { { "prepare", "[OPTIONS] SOURCE [TARGET] -o FOLDER",
      "import, clean and split at once" }, 1, corpus_run_prepare, folder_options, true, true, true },
    { { "check", "[OPTIONS] SOURCE [TARGET]",
      "what is wrong with a corpus; status 1 where that is an error" }, 1, corpus_run_check, report_options,
      false, false, false, true },
    { { "stats", "[OPTIONS] SOURCE [TARGET]",
      "lines, words, lengths, duplicates, vocabulary, overlap" }, 1, corpus_run_stats, stats_options, .reads = true },
    { { "store", "[OPTIONS] SOURCE TARGET -m MODEL -o STORE",
      "text to a checksummed file of ids" }, 2, corpus_run_store, store_options },
    { { "corrupt", "[OPTIONS] TARGET -o OUTPUT",
      "a known share of wrong targets, for trials" }, 1, corpus_run_corrupt, file_options,
      .own = corrupt_options, .own_offset = offsetof(struct corpus_job, corrupt), .inputs_most = 1 },
    { { "munge", "[OPTIONS] SOURCE -o OUTPUT",
      "new lines by replacing words, for a teacher to label" }, 1, corpus_run_munge, file_options,
      .own = munge_options, .own_offset = offsetof(struct corpus_job, munge), .inputs_most = 1 },
    { { "novelty", "[OPTIONS] KNOWN CANDIDATES -m MODEL -o OUTPUT",
      "of unlabelled lines those that are new, but not the newest" }, 2, corpus_run_novelty, file_options,
      .own = novel_step_options, .own_offset = offsetof(struct corpus_job, novel), .learns_novelty = true },
    { { 0 } }
};

static void list_groups(struct option_group groups[GROUPS_MOST], const struct step *step,
                        struct corpus_job *job)
{
    struct clean_config *clean = &job->config.clean;
    *groups++ = (struct option_group){ NULL, step->options, &job->options };
    if (step->own)
        *groups++ = (struct option_group){ step->head.name, step->own, (char *)job + step->own_offset };
    if (step->learns_novelty) {
        *groups++ = (struct option_group){ "choice", novel_options, &job->novel.config };
        *groups++ = (struct option_group){ "learning", novelty_options, &job->novel.config.novelty };
    }
    if (step->imports) {
        *groups++ = (struct option_group){ NULL, source_list_options, clean };
        *groups++ = (struct option_group){ NULL, clean_run_options, clean };
        *groups++ = (struct option_group){ "import", import_options, &clean->import };
    }
    if (step->reads)
        *groups++ = (struct option_group){ "import", import_options, &clean->import };
    if (step->filters) {
        *groups++ = (struct option_group){ "edits", edit_options, &clean->edit };
        *groups++ = (struct option_group){ "filters", filter_options, &clean->filter };
        *groups++ = (struct option_group){ "models", model_options, &job->options };
        *groups++ = (struct option_group){ "duplicates", dedup_options, clean };
    }
    if (step->checks) {
        *groups++ = (struct option_group){ "checks", check_options, &job->check };
        *groups++ = (struct option_group){ "import", import_options, &job->check.import };
    }
    if (step->splits)
        *groups++ = (struct option_group){ "sets", split_options, &job->config.split };
    *groups = (struct option_group){ NULL, NULL, NULL };
}

/* Takes the inputs from the command line; 0, or the exit status. */
static int take_inputs(struct corpus_job *job, const struct step *step, const char **rest, int count)
{
    bool listed = step->imports && job->config.clean.sources;
    if (count < step->inputs_least && !listed)
        return command_misuse(job->self, "%s missing: %s",
                              count == 0 ? "inputs are" : "an input is", step->head.usage);
    int most = step->inputs_most ? step->inputs_most : 2;
    if (count > most)
        return command_misuse(job->self, "unexpected '%s': there %s at most", rest[most],
                              most == 1 ? "is one input" : "are two inputs");
    job->source = count > 0 ? rest[0] : NULL;
    job->target = count > 1 ? rest[1] : NULL;
    return 0;
}

static int run_with_models(struct corpus_job *job, const struct step *step, struct error *err)
{
    const struct corpus_options *o = &job->options;
    struct clean_config *clean = &job->config.clean;
    struct pair_scorer scorer = { 0 };
    if (o->score_model || o->reverse_model) {
        if (pair_scorer_open(&scorer, o->score_model, o->reverse_model, clean->threads, err) < 0)
            return -1;
        clean->scorer = &scorer;
    }
    int ret = step->run(job, err);
    pair_scorer_close(&scorer);
    return ret;
}

static int run_step(const void *row, int argc, char **argv)
{
    const struct step *step = row;
    char *name = xasprintf("corpus %s", step->head.name);
    struct command self = { name, step->head.summary, step->head.usage, NULL };
    struct corpus_job job = { .self = &self };
    struct option_group groups[GROUPS_MOST];
    const char **rest = xcalloc((size_t)argc, sizeof *rest);
    struct error err = { 0 };
    int count = 0;
    list_groups(groups, step, &job);
    options_default(groups);
    int status = command_parse(&self, groups, argc, argv, rest, &count);
    if (status < 0 && !(status = take_inputs(&job, step, rest, count))) {
        log_quiet(job.options.quiet);
        interrupt_install();
        status = run_with_models(&job, step, &err);
        if (status < 0)
            status = command_fail(&self, &err);
    }
    options_release(groups);
    free(rest);
    free(name);
    return status;
}

static void list_formats(FILE *out)
{
    fprintf(out, "\nformats (--format):\n");
    for (int i = 0; corpus_formats[i]; i++)
        fprintf(out, "  %-18s %s\n", corpus_formats[i]->name, corpus_formats[i]->summary);
}

int cmd_corpus(const struct command *self, int argc, char **argv)
{
    return command_steps(self, &(struct command_steps){ steps, sizeof *steps, run_step, list_formats }, argc, argv);
}
