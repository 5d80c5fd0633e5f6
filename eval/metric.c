/* The table of metrics, and what is the same for all of them: one segment after another, blocks
 * of segments in parallel, sums, reports. */
#include "eval/metric.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "eval/metric_row.h"
#include "eval/tokenizers.h"

static void settle_chrfpp(struct metric_config *c)
{
    c->chrf.word_order = 2;
}

#define ROW(id) .width = id##_width, .state_new = id##_state_new, .state_free = id##_state_free, \
    .refs = id##_refs, .hyp = id##_hyp, .score = id##_metric_score, .sampled = id##_sampled, .describe = id##_describe,   \
    .sign = id##_sign

static const struct metric metrics[] = {
    { .name = "bleu",   ROW(bleu), .shuffled = bleu_shuffled },
    { .name = "chrf",   ROW(chrf) },
    { .name = "chrf++", ROW(chrf), .settle = settle_chrfpp },
    { .name = "ter",    ROW(ter), .falls = true },
};
_Static_assert(METRIC_WIDTH_MAX >= 2 * CHRF_ORDER_MAX * 3, "chrF is the widest");

const struct metric *metric_row(int index)
{
    return index >= 0 && (size_t)index < ARRAY_COUNT(metrics) ? &metrics[index] : NULL;
}

const struct metric *metric_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(metrics); i++)
        if (!strcmp(metrics[i].name, name))
            return &metrics[i];
    return NULL;
}

const char *metric_name(const struct metric *m)
{
    return m->name;
}

bool metric_falls(const struct metric *m)
{
    return m->falls;
}

void metric_config_default(struct metric_config *config)
{
    const struct option_group groups[] = {
        { NULL, bleu_options, &config->bleu },
        { NULL, chrf_options, &config->chrf },
        { NULL, ter_options, &config->ter },
        { NULL, NULL, NULL },
    };
    *config = (struct metric_config){ 0 };
    options_default(groups);
}

int metric_config_open(struct metric_config *config, struct error *err)
{
    struct bleu_config *b = &config->bleu;
    const struct cutter *cutter = &cutters[b->tokenize];
    struct cutter_files files = { b->spm_model, b->mecab_dictionary, b->mecab_library };
    return cutter->open ? cutter->open(&b->model, cutter->name, &files, err) : 0;
}

void metric_config_close(struct metric_config *config)
{
    cutter_model_free(config->bleu.model);
    config->bleu.model = NULL;
}

static struct metric_config settled(const struct metric *m, const struct metric_config *config)
{
    struct metric_config c = *config;
    if (m->settle)
        m->settle(&c);
    return c;
}

int metric_width(const struct metric *m, const struct metric_config *config)
{
    struct metric_config c = settled(m, config);
    return m->width(&c);
}

double metric_decimal(float value)
{
    char text[32];
    snprintf(text, sizeof text, "%.7g", (double)value);
    return strtod(text, NULL);
}

/* ---- one segment ---- */

struct segment_scorer {
    const struct metric *metric;
    struct metric_config config;
    void *state;
    struct text *refs;                  /* those that are not absent */
    size_t refs_room;
    struct segment_scorer *next;                /* in the list of idle ones */
};

struct segment_scorer *segment_scorer_new(const struct metric *metric, const struct metric_config *config)
{
    struct segment_scorer *s = xcalloc(1, sizeof *s);
    s->metric = metric;
    s->config = settled(metric, config);
    s->state = metric->state_new(&s->config);
    return s;
}

void segment_scorer_free(struct segment_scorer *s)
{
    if (!s)
        return;
    s->metric->state_free(s->state);
    free(s->refs);
    free(s);
}

void segment_scorer_refs(struct segment_scorer *s, const struct text *refs, int nrefs)
{
    int present = 0;
    ARRAY_GROW(s->refs, s->refs_room, nrefs);
    for (int r = 0; r < nrefs; r++)
        if (refs[r].bytes)
            s->refs[present++] = refs[r];
    s->metric->refs(s->state, s->refs, present);
}

void segment_scorer_stats(double *stats, struct segment_scorer *s, struct text hyp)
{
    assert(hyp.bytes);
    s->metric->hyp(stats, s->state, hyp);
}

double segment_scorer_score(struct segment_scorer *s, struct text hyp)
{
    double stats[METRIC_WIDTH_MAX];
    segment_scorer_stats(stats, s, hyp);
    return s->metric->score(&s->config, stats);
}

/* ---- many segments: blocks in parallel ---- */

#define BLOCK 256                       /* segments; fixed, so that sums are always the same */

struct job {
    const struct metric *metric;
    const struct metric_config *config;
    const struct text *const *hyps;     /* (systems) */
    size_t systems;
    const struct text *refs;
    size_t n;
    int nrefs, width;
    double *rows;                       /* (systems, n, width) or NULL */
    double *sums;                       /* (blocks, systems, width) */
    struct segment_scorer *idle;
    pthread_mutex_t lock;
};

static struct segment_scorer *borrow(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    struct segment_scorer *s = job->idle;
    if (s)
        job->idle = s->next;
    pthread_mutex_unlock(&job->lock);
    return s ? s : segment_scorer_new(job->metric, job->config);
}

static void give_back(struct job *job, struct segment_scorer *s)
{
    pthread_mutex_lock(&job->lock);
    s->next = job->idle;
    job->idle = s;
    pthread_mutex_unlock(&job->lock);
}

/* Segment i of every system; sums (systems, width) grow by it. */
static void score_segment(double *sums, struct job *job, struct segment_scorer *s, struct text *refs,
                          size_t i)
{
    double scratch[METRIC_WIDTH_MAX];
    size_t width = (size_t)job->width;
    for (int r = 0; r < job->nrefs; r++)
        refs[r] = job->refs[(size_t)r * job->n + i];
    segment_scorer_refs(s, refs, job->nrefs);
    for (size_t k = 0; k < job->systems; k++) {
        double *stats = job->rows ? job->rows + (k * job->n + i) * width : scratch;
        segment_scorer_stats(stats, s, job->hyps[k][i]);
        for (size_t c = 0; c < width; c++)
            sums[k * width + c] += stats[c];
    }
}

static void score_block(void *arg, int index)
{
    struct job *job = arg;
    struct segment_scorer *s = borrow(job);
    struct text *refs = xcalloc((size_t)job->nrefs + 1, sizeof *refs);
    double *sums = job->sums + (size_t)index * job->systems * (size_t)job->width;
    size_t begin = (size_t)index * BLOCK, end = begin + BLOCK < job->n ? begin + BLOCK : job->n;

    for (size_t i = begin; i < end; i++)
        score_segment(sums, job, s, refs, i);
    free(refs);
    give_back(job, s);
}

/* total (systems, width). */
static void run_job(double *total, struct job *job, int threads)
{
    int blocks = (int)((job->n + BLOCK - 1) / BLOCK);
    int wanted = threads > 0 ? threads : cpu_count();
    size_t size = job->systems * (size_t)job->width;

    job->sums = xcalloc((size_t)blocks * size + 1, sizeof *job->sums);
    pthread_mutex_init(&job->lock, NULL);
    struct pool *pool = pool_new(wanted < blocks ? wanted : blocks > 0 ? blocks : 1);
    pool_run(pool, blocks, score_block, job);
    pool_free(pool);
    pthread_mutex_destroy(&job->lock);

    for (size_t k = 0; k < size; k++)
        total[k] = 0;
    for (size_t b = 0; b < (size_t)blocks; b++)
        for (size_t k = 0; k < size; k++)
            total[k] += job->sums[b * size + k];
    free(job->sums);
    while (job->idle) {
        struct segment_scorer *s = job->idle;
        job->idle = s->next;
        segment_scorer_free(s);
    }
}

void metric_systems(double *totals, double *rows, const struct metric *metric, const struct metric_config *config,
                    const struct text *const *hyps, size_t systems,
                    const struct text *refs, size_t n, int nrefs, int threads)
{
    struct job job = { metric, config, hyps, systems, refs, n, nrefs, metric_width(metric, config), rows };
    run_job(totals, &job, threads);
}

void metric_segments(double *stats, const struct metric *metric,
                     const struct metric_config *config, const struct text *hyps,
                     const struct text *refs, size_t n, int nrefs, int threads)
{
    double total[METRIC_WIDTH_MAX];
    metric_systems(total, stats, metric, config, &hyps, 1, refs, n, nrefs, threads);
}

int metric_refs_count(const struct text *refs, size_t n, int nrefs)
{
    int all = -1;
    for (size_t i = 0; i < n; i++) {
        int here = 0;
        for (int r = 0; r < nrefs; r++)
            here += refs[(size_t)r * n + i].bytes != NULL;
        if (i > 0 && here != all)
            return -1;
        all = here;
    }
    return n ? all : nrefs;
}

void metric_corpus(struct metric_report *report, const struct metric *metric,
                   const struct metric_config *config, const struct text *hyps,
                   const struct text *refs, size_t n, int nrefs, int threads)
{
    double total[METRIC_WIDTH_MAX];
    metric_systems(total, NULL, metric, config, &hyps, 1, refs, n, nrefs, threads);
    metric_report(report, metric, config, total, metric_refs_count(refs, n, nrefs));
}

double metric_sampled_score(const struct metric *metric, const struct metric_config *config,
                            const float *stats, bool *wide)
{
    struct metric_config c = settled(metric, config);
    return metric->sampled(&c, stats, wide);
}

double metric_shuffled_score(const struct metric *metric, const struct metric_config *config,
                             const double *stats)
{
    struct metric_config c = settled(metric, config);
    return (metric->shuffled ? metric->shuffled : metric->score)(&c, stats);
}

/* ---- reports ---- */

void metric_report(struct metric_report *report, const struct metric *metric,
                   const struct metric_config *config, const double *stats, int nrefs)
{
    struct metric_config c = settled(metric, config);
    struct strbuf signature = { 0 };

    *report = (struct metric_report){ .score = metric->score(&c, stats),
                                      .mean = NAN, .interval = NAN, .p = NAN };
    metric->describe(report, &c, stats);
    if (nrefs < 0)
        strbuf_puts(&signature, "nrefs:var|");
    else
        strbuf_printf(&signature, "nrefs:%d|", nrefs);
    metric->sign(&signature, &c);
    strbuf_printf(&signature, "|version:%s", METRIC_VERSION);
    snprintf(report->signature, sizeof report->signature, "%s", signature.text);
    strbuf_release(&signature);
}

void metric_report_sampling(struct metric_report *report, const char *key, int samples,
                            const uint64_t *seed)
{
    struct strbuf signature = { 0 };
    size_t refs = strcspn(report->signature, "|") + 1;
    strbuf_add(&signature, report->signature, refs);
    strbuf_printf(&signature, "%s:%d|seed:", key, samples);
    if (seed)
        strbuf_printf(&signature, "%llu|", (unsigned long long)*seed);
    else
        strbuf_puts(&signature, "none|");
    strbuf_puts(&signature, report->signature + refs);
    snprintf(report->signature, sizeof report->signature, "%s", signature.text);
    strbuf_release(&signature);
}

/* ---- one call ---- */

double metric_of_lines(const struct metric *metric, const char *const *hyps, const char *const *refs,
                          size_t n)
{
    struct metric_report report;
    struct metric_config config;
    struct text *texts = xcalloc(2 * n + 1, sizeof *texts);

    for (size_t i = 0; i < n; i++) {
        texts[i] = text_of(hyps[i]);
        texts[n + i] = text_of(refs[i]);
    }
    metric_config_default(&config);
    metric_corpus(&report, metric, &config, texts, texts + n, n, 1, 0);
    free(texts);
    return report.score;
}

double bleu_of_lines(const char *const *hyps, const char *const *refs, size_t n)
{
    return metric_of_lines(metric_find("bleu"), hyps, refs, n);
}

double chrf_of_lines(const char *const *hyps, const char *const *refs, size_t n)
{
    return metric_of_lines(metric_find("chrf"), hyps, refs, n);
}

static double score_sentence(const char *name, const char *hyp, const char *ref)
{
    struct metric_config config;
    struct text one = text_of(ref);
    double score;

    metric_config_default(&config);
    config.bleu.effective_order = true;
    struct segment_scorer *s = segment_scorer_new(metric_find(name), &config);
    segment_scorer_refs(s, &one, 1);
    score = segment_scorer_score(s, text_of(hyp));
    segment_scorer_free(s);
    return score;
}

double sentence_bleu(const char *hyp, const char *ref)
{
    return score_sentence("bleu", hyp, ref);
}

double sentence_chrf(const char *hyp, const char *ref)
{
    return score_sentence("chrf", hyp, ref);
}
