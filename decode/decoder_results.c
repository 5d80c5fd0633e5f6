/* What a worker found, kept as translations: copied, told as text, and put in order by risk. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decode/decoder.h"
#include "decode/mbr.h"

void translations_release(struct translation *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(t[i].best);
        free(t[i].text);
        free(t[i].source);
        t[i] = (struct translation){ 0 };
    }
}

/* Floats of attention that a hypothesis comes with. */
static size_t attention_floats(const struct hypothesis *h)
{
    return h->attention ? ((size_t)h->count + 1) * (size_t)h->source_count : 0;
}

/* Copies hypotheses into one block: the structs, then all ids, all log-probabilities, all attention. */
static struct hypothesis *copy_hypotheses(const struct hypothesis *best, int count)
{
    size_t tokens = 0, weights = 0;
    for (int i = 0; i < count; i++) {
        tokens += (size_t)best[i].count + 1;
        weights += attention_floats(&best[i]);
    }
    struct hypothesis *copy = xmalloc((size_t)count * sizeof *copy + weights * sizeof(float)
                                      + tokens * (sizeof(int32_t) + sizeof(float)));
    int32_t *ids = (int32_t *)(copy + count);
    float *logp = (float *)(ids + tokens), *attention = logp + tokens;
    for (int i = 0; i < count; i++) {
        size_t n = (size_t)best[i].count;
        copy[i] = best[i];
        copy[i].ids = ids;
        copy[i].token_logp = logp;
        if (n)
            memcpy(ids, best[i].ids, n * sizeof *ids);
        memcpy(logp, best[i].token_logp, (n + 1) * sizeof *logp);
        if (best[i].attention)
            copy[i].attention = memcpy(attention, best[i].attention,
                                       attention_floats(&best[i]) * sizeof *attention);
        ids += n + 1;
        logp += n + 1;
        attention += attention_floats(&best[i]);
    }
    return copy;
}

/* A piece may decode to a line end (byte fallback), but an output line has just one. */
static void keep_on_one_line(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\0')
            text[i] = ' ';
}

/* One block: the pointers, then the zero-terminated texts. */
static char **decode_text(const struct tokenizer *t, struct strbuf *scratch,
                          const struct hypothesis *best, int count)
{
    size_t pointers = (size_t)count * sizeof(char *);
    strbuf_reset(scratch);
    for (int i = 0; i < count; i++) {
        size_t start = scratch->length;
        tokenizer_decode(t, scratch, best[i].ids, (size_t)best[i].count);
        if (scratch->length > start)
            keep_on_one_line(scratch->text + start, scratch->length - start);
        strbuf_putc(scratch, '\0');
    }
    char **text = xmalloc(pointers + scratch->length);
    char *at = memcpy((char *)text + pointers, scratch->text, scratch->length);
    for (int i = 0; i < count; i++) {
        text[i] = at;
        at += strlen(at) + 1;
    }
    return text;
}

static int32_t *copy_ids(const int32_t *ids, int count)
{
    int32_t *copy = xmalloc(((size_t)count + 1) * sizeof *copy);
    if (count)
        memcpy(copy, ids, (size_t)count * sizeof *copy);
    return copy;
}

struct ranked {
    double utility;
    int number;
};

static int more_useful(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->utility != y->utility)
        return x->utility > y->utility ? -1 : 1;
    return x->number - y->number;
}

/* How much each hypothesis counts as a reference: samples alike, others by their probability. */
static double *weights_of(const struct worker *w, const struct translation *t)
{
    double most = -INFINITY, *weight = xcalloc((size_t)t->count, sizeof *weight);
    for (int i = 0; i < t->count; i++)
        most = fmax(most, t->best[i].logp);
    for (int i = 0; i < t->count; i++)
        weight[i] = w->decoder->config.sampled || most == -INFINITY ? 1 : exp(t->best[i].logp - most);
    return weight;
}

/* Puts the translations in the order of their expected utility, which becomes their score. */
static void choose_by_risk(struct worker *w, struct translation *t)
{
    size_t n = (size_t)t->count;
    double *weight = weights_of(w, t), *utility = xcalloc(n, sizeof *utility);
    struct ranked *order = xcalloc(n, sizeof *order);
    struct hypothesis *best = xcalloc(n, sizeof *best);
    char **text = xcalloc(n, sizeof *text);
    mbr_utilities(w->mbr, utility, (const char *const *)t->text, weight, t->count);
    for (int i = 0; i < t->count; i++)
        order[i] = (struct ranked){ utility[i], i };
    qsort(order, n, sizeof *order, more_useful);
    for (size_t i = 0; i < n; i++) {
        best[i] = t->best[order[i].number];
        best[i].score = order[i].utility;
        text[i] = t->text[order[i].number];
    }
    memcpy(t->best, best, n * sizeof *best);
    memcpy(t->text, text, n * sizeof *text);
    free(weight);
    free(utility);
    free(order);
    free(best);
    free(text);
}

void decoder_give(struct worker *w, size_t index, const struct hypothesis *best, int count)
{
    struct job *job = &w->decoder->job;
    struct translation *t = &job->out[index];
    t->best = copy_hypotheses(best, count);
    t->count = count;
    if (job->text)
        t->text = decode_text(w->decoder->translator.target, &w->text, best, count);
    if (w->decoder->config.watched)
        t->source = copy_ids(job->sources[index].items, t->source_tokens);
    if (w->mbr && job->text && count > 1)
        choose_by_risk(w, t);
}

void decoder_give_empty(struct worker *w, size_t index)
{
    float certain = 0;
    decoder_give(w, index, &(struct hypothesis){ .token_logp = &certain }, 1);
}
