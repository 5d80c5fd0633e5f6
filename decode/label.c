/* A labelling job: plan, share, label what is not done, join. */
#include "decode/label.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "decode/label_join.h"
#include "decode/label_shard.h"
#include "decode/label_size.h"

static const char *const soft_names[] = { "none", "top-k", "top-p", NULL };
static const char *const bad_text_names[] = { "mark", "refuse", "replace", NULL };

#define FIELD(member) offsetof(struct label_config, member)
const struct option label_options[] = {
    { "shard-lines", OPTION_LONG, FIELD(shard_lines), "10000", 1, 1e9,
      "lines of a shard: what a kill may cost, and what processes share" },
    { "soft-targets", OPTION_CHOICE, FIELD(soft), "none", 0, 0,
      "keep the teacher's likeliest pieces at every target token: none, top-k (so many), top-p (those that have "
      "most of the mass)", soft_names },
    { "soft-k", OPTION_INT, FIELD(soft_k), "16", 1, 65535, "pieces kept a token, at most" },
    { "soft-p", OPTION_FLOAT, FIELD(soft_p), "0.99", 0.01, 1,
      "top-p: no more pieces once they have this share of the mass" },
    { "soft-samples", OPTION_INT, FIELD(soft_samples), "0", 0, 1024,
      "pieces drawn beside those, a token, which stand for the mass of all others: students then learn, on average, "
      "the whole distribution" },
    { "bad-text", OPTION_CHOICE, FIELD(bad_text), "mark", 0, 0,
      "lines that are not UTF-8 or hold a zero byte: mark them and leave their labels empty, refuse the input, or "
      "replace the bad bytes", bad_text_names },
    { "keep-shards", OPTION_FLAG, FIELD(keep_shards), "false", 0, 0,
      "keep the shards' lists and manifests once they are joined" },
    { 0 }
};
#undef FIELD

enum utf8_policy label_utf8(int bad_text)
{
    return bad_text == BAD_TEXT_REFUSE ? UTF8_REFUSE : bad_text == BAD_TEXT_REPLACE ? UTF8_REPLACE : UTF8_KEEP;
}

int label_config_check(const struct label_config *c, struct error *err)
{
    if (c->soft || !c->soft_samples)
        return 0;
    return error_set(err, "soft-samples %d: pieces are drawn beside those that soft-targets keeps; set that to top-k or "
                     "top-p", c->soft_samples);
}

int label_check_options(const struct label_job *job, struct error *err)
{
    if (search_check(job->search, err) < 0 || label_config_check(job->config, err) < 0)
        return -1;
    if (job->shares < 1 || job->share < 0 || job->share >= job->shares)
        return error_set(err, "there is no share %d of %d: shares count from 1", job->share + 1, job->shares);
    for (size_t i = 0; i < job->inputs->count; i++)
        if (!strcmp(job->inputs->items[i], "-"))
            return error_set(err, "standard input cannot be labelled: a job reads its input again when it goes on; "
                             "write it to a file");
    return job->inputs->count ? 0 : error_set(err, "there is no input to label");
}

int label_soft_entries(const struct label_config *c)
{
    return c->soft_k + c->soft_samples;
}

/* ---- one process ---- */

struct running {
    const struct label_job *job;
    struct label_folder folder;
    struct label_plan plan;
    struct labeller labeller;
    struct label_report *report;
    int64_t first, end;                 /* its shards */
    bool *todo;                         /* of these */
    double told;                        /* when the last line about progress was written */
};

/* Of the share: what is done and whole, and what is not. */
static void take_stock(struct running *r)
{
    char why[600];
    for (int64_t shard = r->first; shard < r->end && !interrupt_requested(); shard++) {
        json_t *manifest = label_shard_manifest(&r->folder, &r->plan, shard, true, why, sizeof why);
        r->todo[shard - r->first] = !manifest;
        if (*why) {
            r->report->redone++;
            log_warning("%s: labelling that shard again", why);
        }
        json_decref(manifest);
    }
}

/* Where nobody watches, a line a minute. */
static void tell_progress(struct running *r)
{
    const struct progress *p = &r->labeller.progress;
    double now = clock_seconds(), seconds = now - p->start;
    if (progress_wanted() || now - r->told < 60 || seconds <= 0 || p->done == 0)
        return;
    double rate = (double)p->done / seconds;
    log_info("labelled %lld of %lld lines, %.1f/s, ETA %s", (long long)p->done, (long long)p->total, rate,
             clock_text((double)(p->total - p->done) / rate));
    r->told = now;
}

static int64_t lines_left(const struct running *r)
{
    int64_t lines = 0;
    for (int64_t shard = r->first; shard < r->end; shard++)
        if (r->todo[shard - r->first])
            lines += label_plan_lines(&r->plan, shard);
    return lines;
}

static int label_shards(struct running *r, struct error *err)
{
    int ret = 0;
    r->labeller.job = r->job;
    r->labeller.folder = &r->folder;
    r->labeller.plan = &r->plan;
    progress_start(&r->labeller.progress, "labelling", "lines", lines_left(r));
    r->told = clock_seconds();
    for (int64_t shard = r->first; shard < r->end && ret == 0 && !interrupt_requested(); shard++) {
        if (!r->todo[shard - r->first])
            continue;
        ret = label_shard(&r->labeller, shard, err);
        r->report->labelled += ret == 0;
        tell_progress(r);
    }
    progress_end(&r->labeller.progress);
    return ret;
}

static int make_folders(const struct running *r, struct error *err)
{
    char *shards = label_path(&r->folder, "shards"), *soft = label_path(&r->folder, LABEL_SOFT);
    int ret = dir_make(shards, err);
    if (ret == 0 && r->job->config->soft)
        ret = dir_make(soft, err);
    free(shards);
    free(soft);
    return ret;
}

static void report_counts(struct label_report *to, const struct label_counts *c)
{
    to->lines = c->lines;
    to->hypotheses = c->hypotheses;
    to->source_words = c->source_words;
    to->seconds = c->seconds;
    memcpy(to->marks, c->marks, sizeof c->marks);
}

/* Whether others have joined it all; what they left undone is tidied up. */
static int already_joined(struct running *r, bool deep, struct error *err)
{
    struct label_counts counts;
    int joined = label_joined(&r->folder, &r->plan, deep, &counts, err);
    if (joined < 0)
        return error_prefix(err, "'%s' was finished, but is no longer whole (delete it, and label again)",
                            r->folder.path);
    if (joined && label_tidy(&r->folder, r->job->config, err) < 0)
        return -1;
    if (joined) {
        report_counts(r->report, &counts);
        r->report->joined = true;
    }
    return joined;
}

/* Joins if this process is the last one; a shard of its own that turns out damaged is redone. */
static int join_all(struct running *r, int64_t *bad, struct error *err)
{
    struct label_counts counts;
    int ret = label_folder_take(&r->folder, TURN_JOIN, err);
    *bad = -1;
    if (ret == 0 && (ret = already_joined(r, false, err)) == 0) {
        ret = label_join(&r->folder, &r->plan, r->job->config, &counts, &r->report->waiting, bad, err);
        if (ret == 1) {
            report_counts(r->report, &counts);
            r->report->joined = true;
        }
    }
    label_folder_give(&r->folder, TURN_JOIN);
    return ret < 0 ? -1 : 0;
}

static int label_and_join(struct running *r, struct error *err)
{
    int64_t bad = -1;
    int ret;
    do {
        ret = label_shards(r, err);
        if (ret < 0 || interrupt_requested())
            return ret;
        ret = join_all(r, &bad, err);
        if (ret < 0 && bad >= r->first && bad < r->end) {
            log_warning("%s: labelling that shard again", err->text);
            memset(r->todo, 0, (size_t)(r->end - r->first) * sizeof *r->todo);
            r->todo[bad - r->first] = true;
            r->report->redone++;
        }
    } while (ret < 0 && bad >= r->first && bad < r->end);
    if (ret < 0 && bad >= 0)
        error_prefix(err, "a shard of another share is damaged; run that share again");
    return ret;
}

/* Plans, and takes the share, in one turn, so that a refused process leaves no trace. */
static int begin(struct running *r, struct error *err)
{
    if (label_folder_take(&r->folder, TURN_PLAN, err) < 0)
        return -1;
    int ret = label_plan_make(&r->plan, r->job, &r->folder, err);
    if (ret == 0) {
        label_plan_share(&r->plan, r->job->share, r->job->shares, &r->first, &r->end);
        r->report->shards = r->plan.shards;
        r->todo = xcalloc((size_t)(r->end - r->first) + 1, sizeof *r->todo);
        ret = label_folder_claim(&r->folder, r->first, r->end, err);
    }
    label_folder_give(&r->folder, TURN_PLAN);
    return ret;
}

/* Marks as to do what of a finished job's soft targets is damaged: how many shards, -1 where that cannot be
 * mended here. */
static int64_t take_damage(struct running *r, struct error *err)
{
    struct error lists;
    bool *damaged = xcalloc((size_t)r->plan.shards + 1, sizeof *damaged);
    int64_t count = label_soft_damaged(&r->folder, &r->plan, damaged, &lists);
    for (int64_t shard = 0; shard < r->plan.shards && count > 0; shard++) {
        if (!damaged[shard])
            continue;
        if (shard < r->first || shard >= r->end) {
            count = error_prefix(err, "a shard of another share is damaged; run that share again");
            break;
        }
        char *path = label_shard_path(&r->folder, LABEL_SOFT, shard, ".soft");
        log_warning("'%s' is missing, or has changed since it was made: labelling that shard again", path);
        r->todo[shard - r->first] = true;
        r->report->redone++;
        free(path);
    }
    free(damaged);
    return count;
}

/* A finished job whose soft targets alone are damaged: these shards are labelled again, which must give what
 * they were.  1, or -1 with what is wrong, which err says already. */
static int mend(struct running *r, struct error *err)
{
    if (take_damage(r, err) <= 0)
        return -1;
    if (make_folders(r, err) < 0 || label_shards(r, err) < 0)
        return -1;
    return interrupt_requested() ? -1 : already_joined(r, true, err);
}

static int run(struct running *r, struct error *err)
{
    if (begin(r, err) < 0)
        return -1;
    int ret = already_joined(r, true, err);
    if (ret < 0)
        ret = mend(r, err);
    if (ret != 0)
        return ret < 0 ? -1 : 0;
    if (make_folders(r, err) < 0)
        return -1;
    label_sweep(&r->folder, r->first, r->end);
    take_stock(r);
    int64_t left = lines_left(r);
    label_size_tell(r->job, &r->plan, left);
    if (label_size_check(r->job, &r->plan, left, "free some space and run again", err) < 0)
        return -1;
    return label_and_join(r, err);
}

int label_run(const struct label_job *job, struct label_report *report, struct error *err)
{
    struct running r = { .job = job, .folder = { .lock = -1 }, .report = report };
    struct error ours = { 0 };
    *report = (struct label_report){ 0 };
    if (label_check_options(job, err) < 0)
        return -1;
    int ret = label_folder_open(&r.folder, job->folder, &ours);
    if (ret == 0)
        ret = run(&r, &ours);
    labeller_release(&r.labeller);
    label_plan_release(&r.plan);
    label_folder_close(&r.folder);
    free(r.todo);
    if (interrupt_requested() && !report->joined)
        return LABEL_STOPPED;
    return ret < 0 ? error_set(err, "%s", ours.text) : 0;
}

int label_verify(const char *folder, struct label_report *report, struct error *err)
{
    struct label_folder f = { folder, -1 };
    struct label_plan plan = { 0 };
    struct label_counts counts = { 0 };
    json_t *inputs = NULL;
    int ret = label_plan_read(&plan, &inputs, &f, err);
    *report = (struct label_report){ .shards = plan.shards };
    if (ret == 0 && (ret = label_joined(&f, &plan, true, &counts, err)) < 0)
        error_prefix(err, "'%s' is no longer whole (the same `coho label` again mends soft targets; else delete it)",
                     folder);
    if (ret == 0)
        ret = error_set(err, "'%s' is not finished: run the same `coho label` again to go on", folder);
    if (ret > 0)
        ret = label_plan_compare(&plan, inputs, folder, err);
    if (ret == 0 && counts.lines != plan.lines)
        ret = error_set(err, "'%s' has labels for %lld lines where the input has %lld", folder,
                        (long long)counts.lines, (long long)plan.lines);
    if (ret == 0) {
        report_counts(report, &counts);
        report->joined = true;
    }
    label_plan_release(&plan);
    json_decref(inputs);
    return ret;
}
