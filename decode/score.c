/* Given translations, scored or continued.  To score, a single model passes over packed batches of whole sentences; any
 * other stepper is made to say the target, token by token, by the search engine. */
#include "decode/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "corpora/pairs.h"
#include "decode/decoder.h"
#include "seq2seq/model.h"

enum { PASS_TOKENS = 1500 };            /* source and target tokens of one full pass */

static void give_scored(struct worker *w, const struct batch *b, int i, const float *logp)
{
    const struct decoder *d = w->decoder;
    int first = b->target_start[i], count = b->target_start[i + 1] - first;
    double sum = 0;
    for (int t = 0; t < count; t++)
        sum += logp[first + t];
    struct hypothesis h = { .ids = b->output + first, .count = count - 1, .token_logp = logp + first,
                            .logp = sum, .score = search_score(&d->config, sum, count) };
    decoder_give(w, (size_t)b->index[i], &h, 1);
}

static void fill_batch(struct worker *w)
{
    const struct job *job = &w->decoder->job;
    const struct place *place;
    struct batch *b = &w->batch;
    batch_reset(b);
    while (b->source_tokens + b->target_tokens < PASS_TOKENS && decoder_take(w, &place)) {
        const struct ids *target = &job->targets[place->index];
        batch_add(b, job->sources[place->index].items, place->tokens, target->items,
                  (int)target->count - 1, w->stepper.bos, w->stepper.eos, (int64_t)place->index, 1);
    }
}

/* Work of a single model. */
static void pass(void *decoder, int worker)
{
    struct decoder *d = decoder;
    struct worker *w = &d->workers[worker];
    struct batch *b = &w->batch;
    if (!w->scorer)
        w->scorer = scorer_new(d->translator.single);
    for (fill_batch(w); b->B > 0; fill_batch(w)) {
        ARRAY_GROW(w->logp, w->logp_room, b->target_tokens);
        scorer_run(w->scorer, b, w->logp);
        for (int i = 0; i < b->B; i++)
            give_scored(w, b, i, w->logp);
    }
}

/* Cuts targets to what is allowed; those that are to be scored end in </s>. */
static int finish_targets(struct decoder *d, struct translation *out, size_t n, bool whole,
                          struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct ids *target = &d->target.items[i];
        if (target->count > (size_t)d->max_source) {
            if (decoder_too_long(d, i, target->count, err) < 0) {
                translations_release(out, n);
                return -1;
            }
            out[i].cut_tokens = (int)target->count - d->max_source;
            target->count = (size_t)d->max_source;
        }
        ARRAY_GROW(target->items, target->room, target->count + 1);
        if (whole)
            target->items[target->count++] = d->workers[0].stepper.eos;
    }
    return 0;
}

/* whole: the targets are to be scored; otherwise the outputs begin with them.  Messages about a
 * target name its file. */
static int take_spans(struct decoder *d, struct translation *out, const struct span *sources,
                      const struct span *targets, size_t n, const char *target_name, bool whole,
                      struct error *err)
{
    const char *source_name = d->name;
    double start = clock_seconds();
    decoder_encode(d, &d->source, d->translator.source, sources, n);
    decoder_encode(d, &d->target, d->translator.target, targets, n);
    decoder_begin(d, out, d->source.items, d->target.items, n, !whole);
    decoder_name_input(d, target_name, d->first);
    int ret = finish_targets(d, out, n, whole, err);
    decoder_name_input(d, source_name, d->first);
    if (ret == 0)
        ret = decoder_run(d, whole && d->translator.single && !d->config.watched ? pass : decoder_search,
                          err);
    encoded_trim(&d->source, n);
    encoded_trim(&d->target, n);
    for (size_t i = 0; i < n && ret == 0; i++)
        d->stats.source_words += decoder_count_words(&sources[i]);
    d->stats.seconds += clock_seconds() - start;
    return ret;
}

static int take_texts(struct decoder *d, struct translation *out, const char *const *sources,
                      const char *const *targets, size_t n, bool whole, struct error *err)
{
    struct window source = { 0 }, target = { 0 };
    for (size_t i = 0; i < n; i++) {
        window_add(&source, sources[i], strlen(sources[i]));
        window_add(&target, targets[i], strlen(targets[i]));
    }
    int ret = take_spans(d, out, window_spans(&source), window_spans(&target), n, NULL, whole, err);
    window_release(&source);
    window_release(&target);
    return ret;
}

/* Fills both windows; 1 when there may be more, 0 at the end, -1. */
static int read_pairs(struct window *source, struct window *target, struct pairs *in, int most,
                      struct error *err)
{
    int more = 1;
    window_clear(source);
    window_clear(target);
    while (!window_full(source, most) && !window_full(target, most)
           && (more = pairs_next(in, err)) > 0) {
        window_add(source, in->source.text, in->source.length);
        window_add(target, in->target.text, in->target.length);
    }
    return more;
}

static const char *shown(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

static int take_stream(struct decoder *d, struct pairs *in, bool whole,
                       int (*write)(void *arg, const struct translation *t, int64_t number,
                                    struct error *err),
                       void *arg, struct error *err)
{
    struct translation *out = xcalloc((size_t)d->config.window, sizeof *out);
    struct window source = { 0 }, target = { 0 };
    int64_t number = 1;
    int more = 1, ret = -1;
    while (more > 0) {
        struct error reading;
        more = read_pairs(&source, &target, in, d->config.window, &reading);
        decoder_name_input(d, shown(in->source.path), number);
        if (take_spans(d, out, window_spans(&source), window_spans(&target), source.count,
                       shown(in->target.path), whole, err) < 0)
            goto done;
        if (decoder_write(out, source.count, &number, write, arg, err) < 0)
            goto done;
        if (more < 0) {                                 /* what stood before is written */
            error_set(err, "%s", reading.text);
            goto done;
        }
    }
    ret = 0;
done:
    window_release(&source);
    window_release(&target);
    free(out);
    return ret;
}

/* ---- the four ways in ---- */

int decoder_score(struct decoder *d, struct translation *out, const char *const *sources,
                  const char *const *targets, size_t n, struct error *err)
{
    return take_texts(d, out, sources, targets, n, true, err);
}

int decoder_continue(struct decoder *d, struct translation *out, const char *const *sources,
                     const char *const *targets, size_t n, struct error *err)
{
    return take_texts(d, out, sources, targets, n, false, err);
}

int decoder_score_stream(struct decoder *d, struct pairs *in,
                         int (*write)(void *arg, const struct translation *t, int64_t number,
                                      struct error *err),
                         void *arg, struct error *err)
{
    return take_stream(d, in, true, write, arg, err);
}

int decoder_continue_stream(struct decoder *d, struct pairs *in,
                            int (*write)(void *arg, const struct translation *t, int64_t number,
                                         struct error *err),
                            void *arg, struct error *err)
{
    return take_stream(d, in, false, write, arg, err);
}
