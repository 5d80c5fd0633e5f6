/* Scores of translations: one system, several, or sentence by sentence. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/eval.h"
#include "eval/page.h"
#include "eval/significance.h"

/* The systems' statistics, segment by segment, where a test needs them. */
static double *stats_for_test(const struct eval_job *job, const struct metric *metric, size_t systems)
{
    const struct eval_options *o = &job->options;
    if (!o->confidence && !eval_is_paired(&job->options))
        return NULL;
    return xcalloc(systems * job->set.n * (size_t)metric_width(metric, &job->config) + 1, sizeof(double));
}

static void run_test(struct significance *out, const struct eval_job *job, const struct sampled *data)
{
    const struct eval_options *o = &job->options;
    if (o->paired_bs)
        significance_paired_bootstrap(out, data, o->paired_bs_n, job->seed, o->threads);
    else if (o->paired_ar)
        significance_paired_randomization(out, data, o->paired_ar_n, job->seed, o->threads);
    else
        significance_bootstrap(out, data, o->confidence_n, job->seed, o->threads);
}

static void test_systems(struct metric_report *reports, size_t step, const struct eval_job *job,
                         const struct sampled *data)
{
    const struct eval_options *o = &job->options;
    struct significance *found = xcalloc(data->systems, sizeof *found);
    run_test(found, job, data);
    for (size_t s = 0; s < data->systems; s++) {
        struct metric_report *r = &reports[s * step];
        r->mean = found[s].mean;
        r->interval = found[s].interval;
        r->p = found[s].p;
        metric_report_sampling(r, o->paired_ar ? "ar" : "bs",
                               o->paired_bs ? o->paired_bs_n : o->paired_ar ? o->paired_ar_n : o->confidence_n,
                               job->seed.random ? NULL : &job->seed.value);
    }
    free(found);
}

/* One metric of every system: reports[s * step]. */
static void score_systems(struct metric_report *reports, size_t step, const struct eval_job *job,
                          const struct metric *metric)
{
    const struct testset *set = &job->set;
    size_t systems = set->systems_count, width = (size_t)metric_width(metric, &job->config);
    const struct text **hyps = xcalloc(systems, sizeof *hyps);
    double *totals = xcalloc(systems * width + 1, sizeof *totals);
    double *scores = xcalloc(systems, sizeof *scores), *stats = stats_for_test(job, metric, systems);
    int nrefs = metric_refs_count(set->refs, set->n, set->nrefs);

    for (size_t s = 0; s < systems; s++)
        hyps[s] = set->systems[s].hyps;
    metric_systems(totals, stats, metric, &job->config, hyps, systems, set->refs, set->n, set->nrefs,
                   job->options.threads);
    for (size_t s = 0; s < systems; s++) {
        metric_report(&reports[s * step], metric, &job->config, totals + s * width, nrefs);
        scores[s] = reports[s * step].score;
    }
    if (stats)
        test_systems(reports, step, job,
                     &(struct sampled){ metric, &job->config, stats, scores, systems, set->n });
    free(hyps);
    free(totals);
    free(scores);
    free(stats);
}

static void write_one_system(struct strbuf *out, const struct eval_job *job, const struct metric_report *reports)
{
    const struct eval_options *o = &job->options;
    if (o->score_only)
        report_scores(out, reports, job->metrics_count, o->width, o->format == FORMAT_JSON);
    else if (o->format == FORMAT_JSON)
        report_jsons(out, reports, job->metrics_count, o->width);
    else
        report_texts(out, reports, job->metrics_count, o->width, o->short_keys);
}

/* The first system is the baseline of a paired test, and says so. */
static char *shown_name(const struct eval_job *job, size_t system)
{
    const char *name = job->set.systems[system].name;
    bool piped = job->options.input.count == 0;
    if (!eval_is_paired(&job->options))
        return xstrdup(name);
    if (system == 0)
        return piped ? xstrdup("Baseline") : xasprintf("Baseline: %s", name);
    return piped ? xasprintf("System %zu", system) : xstrdup(name);
}

static void write_systems(struct strbuf *out, const struct eval_job *job, const struct report_systems *r)
{
    struct report_systems shown = *r;
    char **names = xcalloc(r->systems, sizeof *names);
    for (size_t s = 0; s < r->systems; s++)
        names[s] = shown_name(job, s);
    shown.names = (const char *const *)names;
    if (job->options.format == FORMAT_JSON)
        report_systems_json(out, &shown);
    else if (job->options.format == FORMAT_LATEX)
        report_systems_latex(out, &shown);
    else
        report_systems_text(out, &shown);
    for (size_t s = 0; s < r->systems; s++)
        free(names[s]);
    free(names);
}

static void write_sentences(struct strbuf *out, const struct eval_job *job)
{
    const struct eval_options *o = &job->options;
    const struct testset *set = &job->set;
    const struct metric *metric = job->metrics[0];
    size_t width = (size_t)metric_width(metric, &job->config);
    double *stats = xcalloc(set->n * width, sizeof *stats);

    metric_segments(stats, metric, &job->config, set->systems[0].hyps, set->refs, set->n,
                    set->nrefs, o->threads);
    for (size_t i = 0; i < set->n; i++) {
        struct metric_report r;
        metric_report(&r, metric, &job->config, stats + i * width, set->nrefs);
        if (o->score_only)
            strbuf_printf(out, "%.*f", o->width, r.score);
        else if (o->json)
            report_json(out, &r, o->width, true);
        else
            report_text(out, &r, o->width, o->short_keys);
        strbuf_putc(out, '\n');
    }
    free(stats);
}

/* ---- the page ---- */

/* What was translated, line by line. */
static int load_source(struct segments *source, const struct eval_job *job, struct error *err)
{
    const char *path = job->options.source;
    if (segments_load(source, path, 1, (struct encoding){ 0 }, err) < 0)
        return -1;
    if (source->count != job->set.n)
        return error_set(err, "%s has %zu lines but the references have %zu; they must match line by line", path,
                         source->count, job->set.n);
    return 0;
}

static int write_page(const struct eval_job *job, const struct report_systems *r, struct error *err)
{
    const struct eval_options *o = &job->options;
    struct segments source = { 0 };
    struct word_counts training = { 0 };
    struct eval_page page = {
        .title = "Translations compared", .set = &job->set, .scores = r, .metrics = job->metrics,
        .config = &job->config, .examples = o->examples, .threads = o->threads,
    };
    int ret = o->source ? load_source(&source, job, err) : 0;
    if (ret == 0 && o->training)
        ret = word_counts_read(&training, o->training, err);
    page.source = source.items;
    page.training = o->training ? &training : NULL;
    if (ret == 0)
        ret = eval_page_write(o->html, &page, err);
    segments_release(&source);
    word_counts_release(&training);
    return ret;
}

static int write_scores(struct strbuf *out, const struct eval_job *job, struct error *err)
{
    const struct eval_options *o = &job->options;
    size_t systems = job->set.systems_count, count = job->metrics_count;
    struct metric_report *reports = xcalloc(systems * count, sizeof *reports);
    struct report_systems r = {
        .systems = systems, .reports = reports, .count = count,
        .test = o->paired_bs ? PAIRED_BOOTSTRAP : o->paired_ar ? PAIRED_RANDOMIZATION : PAIRED_NONE,
        .samples = o->paired_bs ? o->paired_bs_n : o->paired_ar_n,
        .width = o->width, .short_keys = o->short_keys,
    };

    for (size_t m = 0; m < count; m++)
        score_systems(&reports[m], count, job, job->metrics[m]);
    if (systems > 1)
        write_systems(out, job, &r);
    else
        write_one_system(out, job, reports);
    int ret = o->html ? write_page(job, &r, err) : 0;
    free(reports);
    return ret;
}

int eval_scores(struct strbuf *out, const struct eval_job *job, struct error *err)
{
    if (!job->options.sentence_level)
        return write_scores(out, job, err);
    write_sentences(out, job);
    return 0;
}
