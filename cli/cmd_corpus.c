/* coho corpus: from raw parallel text to training data, step by step or at once. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/table.h"
#include "base/thread.h"
#include "cli/command.h"
#include "corpora/check.h"
#include "corpora/corrupt.h"
#include "corpora/munge.h"
#include "corpora/prepare.h"
#include "corpora/stats.h"
#include "corpora/store.h"
#include "decode/pair_scorer.h"
#include "distill/corpus_section.h"
#include "distill/novel_lines.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

struct corpus_options {
    char *output, *model, *target_model, *score_model, *reverse_model;
    int threads;
    char *html;
    struct strings against;
    bool json, quiet;
};

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

/* New lines beside known ones. */
struct novel_step {
    struct novel_config config;
    char *model, *scores, *in_domain, *foreign;
};
#define NOVEL(member) offsetof(struct novel_step, member)
static const struct option novel_step_options[] = {
    { "model", OPTION_STRING, NOVEL(model), NULL, 0, 0, "SentencePiece model of the lines", NULL, 'm', true },
    { "scores", OPTION_STRING, NOVEL(scores), NULL, 0, 0, "a file for the novelty of each candidate, a number a line" },
    { "in-domain", OPTION_STRING, NOVEL(in_domain), NULL, 0, 0,
      "held-out lines like the known ones: how well novelty tells them from their own words in another order" },
    { "foreign", OPTION_STRING, NOVEL(foreign), NULL, 0, 0, "and from these lines, which are of another kind" },
    { 0 }
};

/* What every step needs: its options, and the two inputs. */
struct job {
    const struct command *self;
    struct corpus_options options;
    struct check_config check;
    struct corrupt_config corrupt;
    struct munge_config munge;
    struct novel_step novel;
    struct prepare_config config;       /* zeros, where a step has no such options: no filter */
    const char *source, *target;        /* NULL: not given */
};

/* ---- reports ---- */

static int print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
    return 0;
}

static void number_row(struct table *t, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    table_row(t, name, text, NULL);
}

/* Rows that are not 0 alone: nobody asked for the filters that did nothing. */
static void clean_rows(struct table *t, const struct clean_report *report)
{
    table_row(t, "", "pairs", NULL);
    number_row(t, "read", report->read);
    for (int i = 0; edits[i].name; i++)
        if (report->edited[i])
            number_row(t, edits[i].name, report->edited[i]);
    for (int i = 0; filters[i].name; i++)
        if (report->dropped[i])
            number_row(t, filters[i].name, report->dropped[i]);
    number_row(t, "kept", report->kept);
}

static void print_table(struct table *t)
{
    table_print(t, stdout);
    table_release(t);
}

static void warn_of_repairs(int64_t repaired)
{
    if (repaired)
        log_warning("%" PRId64 " lines were not UTF-8; their bad bytes count as U+FFFD", repaired);
}

/* ---- import, clean ---- */

static int run_clean(struct job *job, struct error *err)
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
    warn_of_repairs(report.repaired);
    if (job->options.json)
        return print_json(clean_report_json(&report));
    clean_rows(&t, &report);
    print_table(&t);
    return 0;
}

/* ---- check ---- */

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

static int print_check(const struct job *job, const struct check_report *r)
{
    struct table t = { 0 };
    if (job->options.json)
        return print_json(check_report_json(r));
    table_row(&t, "check", "lines", "share", "level  ", "what was found", "first in", NULL);
    for (int i = 0; checks[i].name; i++)
        if (r->found[i].count)
            finding_row(&t, &checks[i], &r->found[i], r->lines[0]);
    print_table(&t);
    for (int i = 0; checks[i].name; i++)
        if (r->found[i].detail)
            printf("%s: %s\n", checks[i].name, r->found[i].detail);
    printf("%s: %" PRId64 " lines%s", r->failed ? "failed" : "passed", r->lines[0], r->paired ? "" : "\n");
    if (r->paired)
        printf(", correlation of lengths %.3f\n", r->correlation);
    return 0;
}

/* Findings that count are told by the exit status alone: there is no more to say. */
static int run_check(struct job *job, struct error *err)
{
    struct check_report report;
    if (corpus_check(&report, job->source, job->target, &job->check, err) < 0)
        return -1;
    int ret = print_check(job, &report);
    ret = report.failed ? 1 : ret;
    check_report_release(&report);
    return ret;
}

/* ---- split, prepare ---- */

static int run_prepare(struct job *job, struct error *err)
{
    struct prepare_report report;
    struct table t = { 0 };
    if (corpus_prepare(&report, job->options.output, job->source, job->target, &job->config,
                       err) < 0)
        return -1;
    warn_of_repairs(report.clean.repaired);
    if (job->options.json)
        return print_json(prepare_report_json(&report));
    clean_rows(&t, &report.clean);
    for (int set = SPLIT_SETS - 1; set >= 0; set--)
        number_row(&t, split_names[set], report.sets[set]);
    if (report.left_out)
        number_row(&t, "left out", report.left_out);
    print_table(&t);
    return 0;
}

/* ---- stats ---- */

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

static void print_stats(const struct job *job, const struct corpus_stats *s)
{
    const struct side_stats *a = &s->source, *b = &s->target;
    struct table t = { 0 };
    stats_row(&t, "", job->source, job->target, s->paired);
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
        number_row(&t, "identical pairs", s->identical);
        number_row(&t, "duplicate pairs", s->duplicates);
    }
    print_table(&t);
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
    print_table(&t);
}

static void print_overlap(const struct overlap_stats *o)
{
    printf("\nof %" PRId64 " held-out lines %" PRId64 " are in the corpus; of their words %.2f%% are not, of their "
           "runs of four words %.2f%% are\n", o->lines, o->found,
           o->words ? 100.0 * (double)o->unseen / (double)o->words : 0,
           o->grams ? 100.0 * (double)o->grams_found / (double)o->grams : 0);
}

static int tell_stats(const struct job *job, const struct corpus_stats *stats, struct error *err)
{
    json_t *json = corpus_stats_json(stats);
    int ret = job->options.html ? corpus_page_write(job->options.html, job->source, json, err) : 0;
    if (ret < 0 || !job->options.json) {
        json_decref(json);
        json = NULL;
    }
    if (ret < 0)
        return -1;
    warn_of_repairs(stats->repaired);
    if (json)
        return print_json(json);
    print_stats(job, stats);
    if (stats->source.vocabulary)
        print_vocabulary(stats);
    if (stats->overlap.lines)
        print_overlap(&stats->overlap);
    return 0;
}

static int run_stats(struct job *job, struct error *err)
{
    const struct corpus_options *o = &job->options;
    struct stats_config config = { .against = &o->against };
    struct tokenizer *source = NULL, *target = NULL;
    struct corpus_stats stats;
    int ret = -1;
    if ((!o->model || (source = tokenizer_load(o->model, err))) &&
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

/* ---- corrupt, munge ---- */

static int run_corrupt(struct job *job, struct error *err)
{
    struct corrupt_report r;
    struct table t = { 0 };
    if (corpus_corrupt(&r, job->options.output, job->source, &job->corrupt, err) < 0)
        return -1;
    if (job->options.json)
        return print_json(json_pack("{s:I, s:I, s:I}", "lines", (json_int_t)r.lines, "moved", (json_int_t)r.moved,
                                    "same", (json_int_t)r.same));
    table_row(&t, "", "lines", NULL);
    number_row(&t, "read", r.lines);
    number_row(&t, "moved", r.moved);
    number_row(&t, "that read the same", r.same);
    print_table(&t);
    return 0;
}

static int run_munge(struct job *job, struct error *err)
{
    struct munge_report r;
    struct table t = { 0 };
    if (corpus_munge(&r, job->options.output, job->source, &job->munge, err) < 0)
        return -1;
    if (job->options.json)
        return print_json(json_pack("{s:I, s:I, s:I, s:I}", "lines", (json_int_t)r.lines, "made", (json_int_t)r.made,
                                    "words", (json_int_t)r.words, "replaced", (json_int_t)r.replaced));
    table_row(&t, "", "count", NULL);
    number_row(&t, "lines read", r.lines);
    number_row(&t, "lines made", r.made);
    number_row(&t, "words of copies", r.words);
    number_row(&t, "of these replaced", r.replaced);
    print_table(&t);
    return 0;
}

/* ---- novelty ---- */

static int write_novel(const struct job *job, const struct novel_lines *n, struct error *err)
{
    struct strings lines = { 0 };
    struct outfile out = { 0 }, scores = { 0 };
    int ret = -1;
    if (lines_read(&lines, job->target, 0, err) < 0 || outfile_open(&out, job->options.output, err) < 0 ||
        (job->novel.scores && outfile_open(&scores, job->novel.scores, err) < 0))
        goto done;
    for (size_t i = 0; i < n->count && i < lines.count; i++) {
        if (n->take[i])
            fprintf(out.stream, "%s\n", lines.items[i]);
        if (scores.stream)
            fprintf(scores.stream, "%.6g\n", (double)n->scores[i]);
    }
    ret = scores.stream && outfile_commit(&scores, err) < 0 ? -1 : outfile_commit(&out, err);
done:
    outfile_abort(&scores);
    outfile_abort(&out);
    strings_release(&lines);
    return ret;
}

static int print_novel(const struct job *job, const struct novel_lines *n)
{
    struct table t = { 0 };
    char number[32];
    if (job->options.json) {
        json_t *json = json_pack("{s:I, s:I, s:I, s:f}", "known", (json_int_t)n->known, "candidates",
                                 (json_int_t)n->count, "chosen", (json_int_t)n->chosen, "loss", n->loss);
        if (job->novel.in_domain)
            json_object_set_new(json, "auc_shuffled", json_real(n->auc_shuffled));
        if (job->novel.foreign)
            json_object_set_new(json, "auc_foreign", json_real(n->auc_foreign));
        return print_json(json);
    }
    table_row(&t, "", "count", NULL);
    number_row(&t, "known lines", (int64_t)n->known);
    number_row(&t, "candidates", (int64_t)n->count);
    number_row(&t, "chosen", (int64_t)n->chosen);
    if (job->novel.in_domain) {
        snprintf(number, sizeof number, "%.4f", n->auc_shuffled);
        table_row(&t, "AUC against shuffled", number, NULL);
    }
    if (job->novel.foreign) {
        snprintf(number, sizeof number, "%.4f", n->auc_foreign);
        table_row(&t, "AUC against foreign", number, NULL);
    }
    print_table(&t);
    return 0;
}

static int run_novelty(struct job *job, struct error *err)
{
    const struct novel_step *o = &job->novel;
    struct tokenizer *tokenizer = NULL;
    struct novel_lines lines = { 0 };
    int ret = -1;
    if (o->foreign && !o->in_domain)
        return error_set(err, "--foreign needs --in-domain, the lines that it is compared with");
    if (novel_check(&o->config, err) == 0 && files_differ(job->options.output, job->target, err) == 0 &&
        (tokenizer = tokenizer_load(o->model, err))) {
        const struct novel_job what = { tokenizer, job->source, job->target, o->in_domain, o->foreign };
        ret = novel_lines(&lines, &what, &o->config, err);
    }
    if (ret == 0)
        ret = write_novel(job, &lines, err) < 0 ? -1 : print_novel(job, &lines);
    novel_lines_release(&lines);
    tokenizer_free(tokenizer);
    return ret;
}

/* ---- store ---- */

static int print_store(const struct job *job, struct error *err)
{
    struct store *s = store_open(job->options.output, true, err);
    struct table t = { 0 };
    if (!s)
        return -1;
    int64_t pairs = store_count(s), source = store_source_tokens(s), target = store_target_tokens(s);
    store_close(s);
    if (job->options.json)
        return print_json(json_pack("{s:I, s:I, s:I}", "pairs", (json_int_t)pairs,
                                    "source_tokens", (json_int_t)source,
                                    "target_tokens", (json_int_t)target));
    table_row(&t, "", "count", NULL);
    number_row(&t, "pairs", pairs);
    number_row(&t, "source tokens", source);
    number_row(&t, "target tokens", target);
    print_table(&t);
    return 0;
}

static int run_store(struct job *job, struct error *err)
{
    const struct corpus_options *o = &job->options;
    struct tokenizer *source, *target;
    int ret = -1;
    if (vocabularies_open(&source, &target, o->model, o->target_model, err) == 0 &&
        store_build(o->output, job->source, job->target, source, target,
                    o->threads ? o->threads : cpu_count(), err) == 0)
        ret = print_store(job, err);
    vocabularies_free(source, target);
    return ret;
}

/* ---- the steps ---- */

enum { GROUPS_MOST = 12 };

/* To add a step: write its run function, which returns the exit status or -1, and add a row. */
static const struct step {
    struct command_step head;
    int inputs_least;
    int (*run)(struct job *job, struct error *err);
    const struct option *options;
    bool imports, filters, splits, checks;
    const struct option *own;           /* options of the step alone, of the struct … */
    size_t own_offset;                  /* … at this place of the job */
    int inputs_most;                    /* 0: two */
    bool learns_novelty;
} steps[] = {
    { { "import", "[OPTIONS] SOURCE [TARGET] -o OUTPUT",
      "any format to two line-aligned files, as it is" }, 1, run_clean, prefix_options, true },
    { { "clean", "[OPTIONS] SOURCE [TARGET] -o OUTPUT",
      "filters and drops duplicates, with counts" }, 1, run_clean, prefix_options, true, true },
    { { "split", "[OPTIONS] SOURCE [TARGET] -o FOLDER",
      "train, dev and test sets without a common source" }, 1, run_prepare, folder_options,
      true, false, true },
    { { "prepare", "[OPTIONS] SOURCE [TARGET] -o FOLDER",
      "import, clean and split at once" }, 1, run_prepare, folder_options, true, true, true },
    { { "check", "[OPTIONS] SOURCE [TARGET]",
      "what is wrong with a corpus; status 1 where that is an error" }, 1, run_check, report_options,
      false, false, false, true },
    { { "stats", "[OPTIONS] SOURCE [TARGET]",
      "lines, words, lengths, duplicates, vocabulary, overlap" }, 1, run_stats, stats_options },
    { { "store", "[OPTIONS] SOURCE TARGET -m MODEL -o STORE",
      "text to a checksummed file of ids" }, 2, run_store, store_options },
    { { "corrupt", "[OPTIONS] TARGET -o OUTPUT",
      "a known share of wrong targets, for trials" }, 1, run_corrupt, file_options,
      .own = corrupt_options, .own_offset = offsetof(struct job, corrupt), .inputs_most = 1 },
    { { "munge", "[OPTIONS] SOURCE -o OUTPUT",
      "new lines by replacing words, for a teacher to label" }, 1, run_munge, file_options,
      .own = munge_options, .own_offset = offsetof(struct job, munge), .inputs_most = 1 },
    { { "novelty", "[OPTIONS] KNOWN CANDIDATES -m MODEL -o OUTPUT",
      "of unlabelled lines those that are new, but not the newest" }, 2, run_novelty, file_options,
      .own = novel_step_options, .own_offset = offsetof(struct job, novel), .learns_novelty = true },
    { { 0 } }
};

static void list_groups(struct option_group groups[GROUPS_MOST], const struct step *step,
                        struct job *job)
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
static int take_inputs(struct job *job, const struct step *step, const char **rest, int count)
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

static int run_with_models(struct job *job, const struct step *step, struct error *err)
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
    struct job job = { .self = &self };
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
