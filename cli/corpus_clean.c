/* coho corpus import, clean, split, prepare: from raw text to sets of pairs. */
#include "cli/corpus_job.h"

#include <stdlib.h>

#include "base/memory.h"

/* Rows that are not 0 alone: nobody asked for the filters that did nothing. */
static void clean_rows(struct table *t, const struct clean_report *report)
{
    table_row(t, "", "pairs", NULL);
    corpus_row(t, "read", report->read);
    for (int i = 0; edits[i].name; i++)
        if (report->edited[i])
            corpus_row(t, edits[i].name, report->edited[i]);
    for (int i = 0; filters[i].name; i++)
        if (report->dropped[i])
            corpus_row(t, filters[i].name, report->dropped[i]);
    corpus_row(t, "kept", report->kept);
}

int corpus_run_clean(struct corpus_job *job, struct error *err)
{
    const struct prepare_config *c = &job->config;
    char *source_out = xasprintf("%s.%s", job->options.output, c->clean.import.source_lang);
    char *target_out = xasprintf("%s.%s", job->options.output, c->clean.import.target_lang);
    struct clean_report report;
    struct table t = { 0 };
    int ret = corpus_clean(&report, source_out, target_out, job->source, job->target, &c->clean,
                           err);
    free(source_out);
    free(target_out);
    if (ret < 0)
        return -1;
    corpus_warn_repairs(report.repaired);
    if (job->options.json)
        return corpus_print_json(clean_report_json(&report));
    clean_rows(&t, &report);
    return corpus_print_table(&t);
}

int corpus_run_prepare(struct corpus_job *job, struct error *err)
{
    struct prepare_report report;
    struct table t = { 0 };
    if (corpus_prepare(&report, job->options.output, job->source, job->target, &job->config,
                       err) < 0)
        return -1;
    corpus_warn_repairs(report.clean.repaired);
    if (job->options.json)
        return corpus_print_json(prepare_report_json(&report));
    clean_rows(&t, &report.clean);
    for (int set = SPLIT_SETS - 1; set >= 0; set--)
        corpus_row(&t, split_names[set], report.sets[set]);
    if (report.left_out)
        corpus_row(&t, "left out", report.left_out);
    return corpus_print_table(&t);
}
