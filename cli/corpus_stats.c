/* coho corpus stats: what a corpus is like. */
#include "cli/corpus_job.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/memory.h"
#include "corpora/stats.h"
#include "distill/corpus_section.h"
#include "tokenize/tokenizer.h"

static void stats_row(struct table *t, const char *name, const char *source, const char *target,
                      bool paired)
{
    table_row(t, name, source, paired ? target : NULL, NULL);
}

static void count_row(struct table *t, const char *name, int64_t source, int64_t target,
                      bool paired)
{
    char cells[2][24];
    snprintf(cells[0], sizeof cells[0], "%" PRId64, source);
    snprintf(cells[1], sizeof cells[1], "%" PRId64, target);
    stats_row(t, name, cells[0], cells[1], paired);
}

static void mean_row(struct table *t, const char *name, int64_t source, int64_t target,
                     const struct corpus_stats *s)
{
    char cells[2][32];
    snprintf(cells[0], sizeof cells[0], "%.1f",
             s->source.lines ? (double)source / (double)s->source.lines : 0);
    snprintf(cells[1], sizeof cells[1], "%.1f",
             s->target.lines ? (double)target / (double)s->target.lines : 0);
    stats_row(t, name, cells[0], cells[1], s->paired);
}

static void print_stats(const struct corpus_job *job, const struct corpus_stats *s)
{
    const struct side_stats *a = &s->source, *b = &s->target;
    struct table t = { 0 };
    bool apart = job->target;           /* else both sides are in one input */
    stats_row(&t, "", s->paired && !apart ? "source" : job->source, apart ? job->target : "target", s->paired);
    count_row(&t, "lines", a->lines, b->lines, s->paired);
    count_row(&t, "empty", a->empty, b->empty, s->paired);
    count_row(&t, "words", a->words, b->words, s->paired);
    count_row(&t, "different words", a->types, b->types, s->paired);
    count_row(&t, "of those once", a->hapaxes, b->hapaxes, s->paired);
    mean_row(&t, "words a line", a->words, b->words, s);
    mean_row(&t, "characters a line", a->characters, b->characters, s);
    count_row(&t, "median words", stats_percentile(a, 0.5), stats_percentile(b, 0.5), s->paired);
    count_row(&t, "95% have at most", stats_percentile(a, 0.95), stats_percentile(b, 0.95), s->paired);
    count_row(&t, "longest, words", a->longest, b->longest, s->paired);
    count_row(&t, "longest, line", a->longest_line, b->longest_line, s->paired);
    count_row(&t, "duplicates", a->duplicates, b->duplicates, s->paired);
    if (s->paired) {
        corpus_row(&t, "identical pairs", s->identical);
        corpus_row(&t, "duplicate pairs", s->duplicates);
    }
    corpus_print_table(&t);
}

static void print_vocabulary(const struct corpus_stats *s)
{
    const struct side_stats *a = &s->source, *b = &s->target;
    struct table t = { 0 };
    char cells[3][2][32];
    const struct side_stats *sides[2] = { a, b };
    for (int i = 0; i < 2; i++) {
        const struct side_stats *side = sides[i];
        snprintf(cells[0][i], 32, "%.3f", side->words ? (double)side->pieces / (double)side->words : 0);
        snprintf(cells[1][i], 32, "%.4f%%", side->pieces ? 100.0 * (double)side->unknown / (double)side->pieces : 0);
        snprintf(cells[2][i], 32, "%d of %d", side->used, side->vocabulary);
    }
    stats_row(&t, "vocabulary", "source", "target", s->paired);
    count_row(&t, "pieces", a->pieces, b->pieces, s->paired);
    stats_row(&t, "pieces a word", cells[0][0], cells[0][1], s->paired);
    stats_row(&t, "unknown", cells[1][0], cells[1][1], s->paired);
    stats_row(&t, "in use", cells[2][0], cells[2][1], s->paired);
    putchar('\n');
    corpus_print_table(&t);
}

static void print_overlap(const struct overlap_stats *o)
{
    printf("\nof %" PRId64 " held-out lines %" PRId64 " are in the corpus; of their words %.2f%% are not, of their "
           "runs of four words %.2f%% are\n", o->lines, o->found,
           o->words ? 100.0 * (double)o->unseen / (double)o->words : 0,
           o->grams ? 100.0 * (double)o->grams_found / (double)o->grams : 0);
}

static int tell_stats(const struct corpus_job *job, const struct corpus_stats *stats, struct error *err)
{
    json_t *json = corpus_stats_json(stats);
    int ret = job->options.html ? corpus_page_write(job->options.html, job->source, json, err) : 0;
    if (ret < 0 || !job->options.json) {
        json_decref(json);
        json = NULL;
    }
    if (ret < 0)
        return -1;
    corpus_warn_repairs(stats->repaired);
    if (json)
        return corpus_print_json(json);
    print_stats(job, stats);
    if (stats->source.vocabulary)
        print_vocabulary(stats);
    if (stats->overlap.lines)
        print_overlap(&stats->overlap);
    return 0;
}

/* The page must not replace what is read. */
static int check_page(const struct corpus_job *job, struct error *err)
{
    const struct corpus_options *o = &job->options;
    const char *read[] = { job->source, job->target, o->model, o->target_model };
    if (files_differ_all(o->html, read, ARRAY_COUNT(read), err) < 0)
        return -1;
    return files_differ_all(o->html, (const char *const *)o->against.items, o->against.count, err);
}

int corpus_run_stats(struct corpus_job *job, struct error *err)
{
    const struct corpus_options *o = &job->options;
    struct stats_config config = { .against = &o->against, .import = &job->config.clean.import };
    struct tokenizer *source = NULL, *target = NULL;
    struct corpus_stats stats;
    int ret = -1;
    if (check_page(job, err) == 0 &&
        (!o->model || (source = tokenizer_load(o->model, err))) &&
        (!o->target_model || (target = tokenizer_load(o->target_model, err)))) {
        config.source_model = source;
        config.target_model = target ? target : source;
        ret = corpus_stats(&stats, job->source, job->target, &config, err);
    }
    if (ret == 0)
        ret = tell_stats(job, &stats, err);
    tokenizer_free(source);
    tokenizer_free(target);
    return ret;
}
