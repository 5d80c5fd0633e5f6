#ifndef CLI_EVAL_H
#define CLI_EVAL_H

#include "cli/command.h"
#include "eval/answers.h"
#include "eval/metric.h"
#include "eval/report.h"
#include "eval/testset.h"

/* One run of `coho eval`: what its files share. */
enum eval_format { FORMAT_AUTO, FORMAT_JSON, FORMAT_TEXT, FORMAT_LATEX };

struct eval_options {
    struct strings input, metrics;
    int num_refs, bad_utf8;
    bool sentence_level, force, first_column;
    char *test_set, *language_pair, *encoding;
    bool confidence, paired_ar, paired_bs;
    int confidence_n, paired_ar_n, paired_bs_n, paired_jobs;
    int format, width;
    bool json, score_only, short_keys, no_color, quiet;
    int threads;
    char *html, *source, *training;
    int examples;
};

#define ANSWER_METRICS_MAX 16

/* Everything of one run. */
struct eval_job {
    const struct command *self;
    struct eval_options options;
    struct metric_config config;
    const struct metric *metrics[REPORT_METRICS_MAX];   /* in the table's order */
    size_t metrics_count;
    const struct answer_metric *answer_metrics[ANSWER_METRICS_MAX];     /* or these instead */
    size_t answer_metrics_count;
    struct testset set;
    const char *gold_path;              /* the file of references, where answers are compared */
    struct seed seed;
};

static inline bool eval_is_paired(const struct eval_options *o)
{
    return o->paired_bs || o->paired_ar;
}

/* Scores of translations, in the form wanted: appends what is to be printed, and writes the page
 * where one is wanted. */
int eval_scores(struct strbuf *out, const struct eval_job *job, struct error *err);

/* Looks for options of sacreBLEU that coho answers in another way: --version prints, those of test
 * sets are refused with what to do instead.  Returns the exit status, or -1: there are none. */
int eval_other_options(const struct command *self, int argc, char **argv);

/* The words, with the names of options in full that were cut short, as Python's argparse takes them
 * where one name alone begins so.  An array (argc, then NULL) and words of the caller's. */
char **eval_words(const struct option_group *groups, int argc, char **argv);
void eval_words_free(char **words);

#endif
