/* Learning, scoring, choosing, and what the scores are worth. */
#include "distill/novel_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/rng.h"

#define FIELD(member) offsetof(struct novel_config, member)
const struct option novel_options[] = {
    { "from", OPTION_FLOAT, FIELD(from), "0.5", 0, 1, "lines are taken from this quantile of novelty on …" },
    { "to", OPTION_FLOAT, FIELD(to), "0.95", 0, 1, "… up to this one: the newest are mostly noise" },
    { 0 }
};

int novel_check(const struct novel_config *c, struct error *err)
{
    if (c->from < c->to)
        return 0;
    return error_set(err, "from %g and to %g: no line lies between; raise `to` or lower `from`", (double)c->from,
                     (double)c->to);
}

/* ---- choosing ---- */

struct rank {
    float score;
    size_t line;
};

static int compare(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

size_t novel_choose(bool *take, const float *scores, size_t count, float from, float to)
{
    struct rank *ranks = xcalloc(count + 1, sizeof *ranks);
    size_t first = (size_t)llround((double)from * (double)count), last = (size_t)llround((double)to * (double)count);
    for (size_t i = 0; i < count; i++)
        ranks[i] = (struct rank){ scores[i], i };
    qsort(ranks, count, sizeof *ranks, compare);
    memset(take, 0, count * sizeof *take);
    for (size_t i = first; i < last; i++)
        take[ranks[i].line] = true;
    free(ranks);
    return last > first ? last - first : 0;
}

/* ---- what the scores are worth ---- */

/* The words of each line in a random order. */
static void shuffle_words(struct strings *out, const struct strings *lines, uint64_t seed)
{
    for (size_t i = 0; i < lines->count; i++) {
        struct strings words = { 0 };
        struct strbuf line = { 0 };
        struct rng rng;
        char *copy = xstrdup(lines->items[i]), *save = NULL;
        for (char *w = strtok_r(copy, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
            strings_add(&words, w);
        rng_seed(&rng, rng_stream(seed, "shuffled"), i);
        rng_shuffle(&rng, words.items, words.count, sizeof *words.items);
        for (size_t k = 0; k < words.count; k++)
            strbuf_printf(&line, "%s%s", k ? " " : "", words.items[k]);
        strings_add(out, line.text ? line.text : "");
        strings_release(&words);
        strbuf_release(&line);
        free(copy);
    }
}

static float *scores_of(struct novelty *n, const struct strings *lines)
{
    float *scores = xcalloc(lines->count + 1, sizeof *scores);
    novelty_scores(n, scores, lines);
    return scores;
}

static double auc_of(struct novelty *n, const struct strings *in_domain, const struct strings *other)
{
    float *below = scores_of(n, in_domain), *above = scores_of(n, other);
    double auc = novelty_auc(below, in_domain->count, above, other->count);
    free(below);
    free(above);
    return auc;
}

/* ---- all of it ---- */

struct texts {
    struct strings known, in_domain, foreign;
};

static int read_text(struct strings *out, const char *path, const char *what_for, struct error *err)
{
    if (!path)
        return 0;
    if (lines_read(out, path, 0, err) < 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i][strspn(out->items[i], " \t")])
            return 0;
    return error_set(err, "'%s' holds no text to %s", path, what_for);
}

/* Before anything is learnt, which takes longer. */
static int read_all(struct texts *t, struct novel_lines *out, const struct novel_job *job, struct error *err)
{
    if (read_text(&t->known, job->known, "learn from", err) < 0
        || read_text(&out->candidates, job->candidates, "choose from", err) < 0
        || read_text(&t->in_domain, job->in_domain, "measure with", err) < 0)
        return -1;
    return job->in_domain ? read_text(&t->foreign, job->foreign, "measure with", err) : 0;
}

static void measure(struct novel_lines *out, struct novelty *n, const struct texts *t, const struct novel_job *job,
                    uint64_t seed)
{
    struct strings shuffled = { 0 };
    out->auc_shuffled = out->auc_foreign = (double)NAN;
    if (!job->in_domain)
        return;
    shuffle_words(&shuffled, &t->in_domain, seed);
    out->auc_shuffled = auc_of(n, &t->in_domain, &shuffled);
    if (job->foreign)
        out->auc_foreign = auc_of(n, &t->in_domain, &t->foreign);
    strings_release(&shuffled);
}

static int choose(struct novel_lines *out, struct novelty *n, const struct novel_job *job, const struct novel_config *c,
                  struct error *err)
{
    out->count = out->candidates.count;
    out->scores = scores_of(n, &out->candidates);
    out->take = xcalloc(out->count + 1, sizeof *out->take);
    out->chosen = novel_choose(out->take, out->scores, out->count, c->from, c->to);
    if (out->chosen)
        return 0;
    return error_set(err, "of the %zu lines of '%s' none lies between the quantiles from %g and to %g; give more lines, or "
                     "a wider range", out->count, job->candidates, (double)c->from, (double)c->to);
}

static int learn_and_choose(struct novel_lines *out, struct novelty *n, const struct novel_job *job,
                            const struct novel_config *c, struct error *err)
{
    struct texts t = { 0 };
    int ret = read_all(&t, out, job, err);
    if (ret == 0 && (ret = novelty_learn(n, &t.known, &out->loss, err)) < 0)
        error_prefix(err, "'%s'", job->known);
    if (ret == 0 && (ret = choose(out, n, job, c, err)) == 0) {
        out->known = t.known.count;
        measure(out, n, &t, job, (uint64_t)c->novelty.seed);
    }
    strings_release(&t.known);
    strings_release(&t.in_domain);
    strings_release(&t.foreign);
    return ret;
}

int novel_lines(struct novel_lines *out, const struct novel_job *job, const struct novel_config *config,
                struct error *err)
{
    struct novelty *n = novelty_new(job->tokenizer, &config->novelty);
    *out = (struct novel_lines){ 0 };
    int ret = learn_and_choose(out, n, job, config, err);
    novelty_free(n);
    if (ret < 0)
        novel_lines_release(out);
    return ret;
}

void novel_lines_release(struct novel_lines *n)
{
    strings_release(&n->candidates);
    free(n->scores);
    free(n->take);
    n->scores = NULL;
    n->take = NULL;
}
