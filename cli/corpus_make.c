/* coho corpus corrupt, munge, novelty, store: what is made of lines. */
#include "cli/corpus_job.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/store.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

int corpus_run_corrupt(struct corpus_job *job, struct error *err)
{
    struct corrupt_report r;
    struct table t = { 0 };
    if (corpus_corrupt(&r, job->options.output, job->source, &job->corrupt, err) < 0)
        return -1;
    if (job->options.json)
        return corpus_print_json(json_pack("{s:I, s:I, s:I}", "lines", (json_int_t)r.lines, "moved", (json_int_t)r.moved,
                                    "same", (json_int_t)r.same));
    table_row(&t, "", "lines", NULL);
    corpus_row(&t, "read", r.lines);
    corpus_row(&t, "moved", r.moved);
    corpus_row(&t, "that read the same", r.same);
    return corpus_print_table(&t);
}

int corpus_run_munge(struct corpus_job *job, struct error *err)
{
    struct munge_report r;
    struct table t = { 0 };
    if (corpus_munge(&r, job->options.output, job->source, &job->munge, err) < 0)
        return -1;
    if (job->options.json)
        return corpus_print_json(json_pack("{s:I, s:I, s:I, s:I}", "lines", (json_int_t)r.lines, "made", (json_int_t)r.made,
                                    "words", (json_int_t)r.words, "replaced", (json_int_t)r.replaced));
    table_row(&t, "", "count", NULL);
    corpus_row(&t, "lines read", r.lines);
    corpus_row(&t, "lines made", r.made);
    corpus_row(&t, "words of copies", r.words);
    corpus_row(&t, "of these replaced", r.replaced);
    return corpus_print_table(&t);
}

/* Open from the beginning: where they cannot be written is told before anything is learnt. */
struct novel_outputs {
    struct outfile lines, scores;
};

static int open_novel(struct novel_outputs *o, const struct corpus_job *job, struct error *err)
{
    if (outfile_open(&o->lines, job->options.output, err) < 0)
        return -1;
    return job->novel.scores ? outfile_open(&o->scores, job->novel.scores, err) : 0;
}

static int write_novel(struct novel_outputs *o, const struct novel_lines *n, struct error *err)
{
    for (size_t i = 0; i < n->count; i++) {
        if (n->take[i])
            fprintf(o->lines.stream, "%s\n", n->candidates.items[i]);
        if (o->scores.stream)
            fprintf(o->scores.stream, "%.6g\n", (double)n->scores[i]);
    }
    if (o->scores.stream && outfile_commit(&o->scores, err) < 0)
        return -1;
    return outfile_commit(&o->lines, err);
}

static int print_novel(const struct corpus_job *job, const struct novel_lines *n)
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
        return corpus_print_json(json);
    }
    table_row(&t, "", "count", NULL);
    corpus_row(&t, "known lines", (int64_t)n->known);
    corpus_row(&t, "candidates", (int64_t)n->count);
    corpus_row(&t, "chosen", (int64_t)n->chosen);
    if (job->novel.in_domain) {
        snprintf(number, sizeof number, "%.4f", n->auc_shuffled);
        table_row(&t, "AUC against shuffled", number, NULL);
    }
    if (job->novel.foreign) {
        snprintf(number, sizeof number, "%.4f", n->auc_foreign);
        table_row(&t, "AUC against foreign", number, NULL);
    }
    return corpus_print_table(&t);
}

static int check_novel_outputs(const struct corpus_job *job, struct error *err)
{
    const struct novelty_step *o = &job->novel;
    const char *read[] = { job->source, job->target, o->model, o->in_domain, o->foreign };
    if (outputs_differ(job->options.output, o->scores, err) < 0 ||
        files_differ_all(job->options.output, read, ARRAY_COUNT(read), err) < 0)
        return -1;
    return files_differ_all(o->scores, read, ARRAY_COUNT(read), err);
}

int corpus_run_novelty(struct corpus_job *job, struct error *err)
{
    const struct novelty_step *o = &job->novel;
    struct tokenizer *tokenizer = NULL;
    struct novel_lines lines = { 0 };
    struct novel_outputs outputs = { 0 };
    int ret = -1;
    if (o->foreign && !o->in_domain)
        return error_set(err, "--foreign needs --in-domain, the lines that it is compared with");
    if (novel_check(&o->config, err) == 0 && check_novel_outputs(job, err) == 0 &&
        (tokenizer = tokenizer_load(o->model, err)) && open_novel(&outputs, job, err) == 0) {
        const struct novel_job what = { tokenizer, job->source, job->target, o->in_domain, o->foreign };
        ret = novel_lines(&lines, &what, &o->config, err);
    }
    if (ret == 0)
        ret = write_novel(&outputs, &lines, err) < 0 ? -1 : print_novel(job, &lines);
    outfile_abort(&outputs.lines);
    outfile_abort(&outputs.scores);
    novel_lines_release(&lines);
    tokenizer_free(tokenizer);
    return ret;
}

static int print_store(const struct corpus_job *job, struct error *err)
{
    struct store *s = store_open(job->options.output, true, err);
    struct table t = { 0 };
    if (!s)
        return -1;
    int64_t pairs = store_count(s), source = store_source_tokens(s), target = store_target_tokens(s);
    store_close(s);
    if (job->options.json)
        return corpus_print_json(json_pack("{s:I, s:I, s:I}", "pairs", (json_int_t)pairs,
                                    "source_tokens", (json_int_t)source,
                                    "target_tokens", (json_int_t)target));
    table_row(&t, "", "count", NULL);
    corpus_row(&t, "pairs", pairs);
    corpus_row(&t, "source tokens", source);
    corpus_row(&t, "target tokens", target);
    return corpus_print_table(&t);
}

int corpus_run_store(struct corpus_job *job, struct error *err)
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
