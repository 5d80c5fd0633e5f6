/* coho corpus check: what is wrong with a corpus. */
#include "cli/corpus_job.h"

#include <inttypes.h>

static void finding_row(struct table *t, const struct check *c, const struct finding *f, int64_t lines)
{
    struct strbuf first = { 0 };
    char count[24], share[24];
    snprintf(count, sizeof count, "%" PRId64, f->count);
    snprintf(share, sizeof share, "%.3f%%", 100.0 * (double)f->count / (double)(lines ? lines : 1));
    for (int i = 0; i < CHECK_LINES && f->lines[i]; i++)
        strbuf_printf(&first, "%s%" PRId64, i ? ", " : "", f->lines[i]);
    table_row(t, c->name, count, share, c->level == CHECK_ERROR ? "error  " : "warning", c->summary,
              first.text ? first.text : "", NULL);
    strbuf_release(&first);
}

static int print_check(const struct corpus_job *job, const struct check_report *r)
{
    struct table t = { 0 };
    if (job->options.json)
        return corpus_print_json(check_report_json(r));
    table_row(&t, "check", "lines", "share", "level  ", "what was found", "first in", NULL);
    for (int i = 0; checks[i].name; i++)
        if (r->found[i].count)
            finding_row(&t, &checks[i], &r->found[i], r->lines[0]);
    corpus_print_table(&t);
    for (int i = 0; checks[i].name; i++)
        if (r->found[i].detail)
            printf("%s: %s\n", checks[i].name, r->found[i].detail);
    printf("%s: %" PRId64 " lines%s", r->failed ? "failed" : "passed", r->lines[0], r->paired ? "" : "\n");
    if (r->paired)
        printf(", correlation of lengths %.3f\n", r->correlation);
    return 0;
}

/* Findings that count are told by the exit status alone: there is no more to say. */
int corpus_run_check(struct corpus_job *job, struct error *err)
{
    struct check_report report;
    if (corpus_check(&report, job->source, job->target, &job->check, err) < 0)
        return -1;
    int ret = print_check(job, &report);
    ret = report.failed ? 1 : ret;
    check_report_release(&report);
    return ret;
}
