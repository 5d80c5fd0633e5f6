/* Ids to hypotheses on all threads.
 *
 * Sorted by length, the sentences are dealt out like cards: place p belongs to worker
 * p mod threads, so that each has long and short ones, and neighbours in length share a batch.
 * A worker that has dealt with its own share takes from the others' as long as more is waiting
 * there than it has under way. */
#include "decode/decoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/mbr.h"
#include "decode/shortlist.h"
#include "seq2seq/model.h"

enum { WARNINGS = 5 };          /* truncated lines told one by one before only their sum is */

/* --- a worker's feed --- */

static size_t share(const struct decoder *d, int worker)
{
    size_t threads = (size_t)d->threads;
    return (d->job.order_count + threads - 1 - (size_t)worker) / threads;
}

static size_t waiting(struct decoder *d, int worker)
{
    size_t all = share(d, worker), taken = atomic_load(&d->job.next[worker]);
    return taken < all ? all - taken : 0;
}

static bool take_from(struct decoder *d, int worker, const struct place **place)
{
    if (!waiting(d, worker))
        return false;
    size_t mine = atomic_fetch_add(&d->job.next[worker], 1);
    if (mine >= share(d, worker))
        return false;
    *place = &d->job.order[mine * (size_t)d->threads + (size_t)worker];
    return true;
}

bool decoder_take(struct worker *w, const struct place **place)
{
    struct decoder *d = w->decoder;
    if (take_from(d, w->number, place))
        return true;
    for (int i = 1; i < d->threads; i++) {
        int other = (w->number + i) % d->threads;
        if (waiting(d, other) > w->under_way && take_from(d, other, place))
            return true;
    }
    return false;
}

static bool stopped(const struct decoder *d)
{
    return !d->config.whole && interrupt_requested();
}

static bool feed_next(void *arg, struct sentence *out)
{
    struct worker *w = arg;
    const struct place *place;
    if (stopped(w->decoder) || !decoder_take(w, &place))
        return false;
    ARRAY_GROW(w->source, w->source_room, place->tokens + 1);
    if (place->tokens)
        memcpy(w->source, w->decoder->job.sources[place->index].items,
               (size_t)place->tokens * sizeof *w->source);
    w->source[place->tokens] = w->stepper.eos;
    *out = (struct sentence){ .index = (int64_t)place->index,
                              .line = w->decoder->first + (int64_t)place->index,
                              .source = w->source, .source_count = place->tokens + 1 };
    if (w->decoder->job.targets) {
        const struct ids *target = &w->decoder->job.targets[place->index];
        out->prefix = target->items;
        out->prefix_count = (int)target->count;
    }
    w->under_way++;
    return true;
}

static void feed_done(void *arg, int64_t index, const struct hypothesis *best, int count)
{
    struct worker *w = arg;
    w->under_way--;
    decoder_give(w, (size_t)index, best, count);
}

static bool any_waiting(struct decoder *d)
{
    for (int i = 0; i < d->threads; i++)
        if (waiting(d, i))
            return true;
    return false;
}

void decoder_search(void *arg, int index)
{
    struct decoder *d = arg;
    struct worker *w = &d->workers[index];
    const struct search_feed feed = { w, feed_next, feed_done };
    do
        search_run(w->search, &feed);
    while (any_waiting(d) && !stopped(d));
}

/* --- a call --- */

static const char *place_name(const struct decoder *d, size_t index, char *buffer, size_t size)
{
    if (d->name)
        snprintf(buffer, size, "%s:%lld", d->name, (long long)(d->first + (int64_t)index));
    else
        snprintf(buffer, size, "sentence %lld", (long long)(d->first + (int64_t)index));
    return buffer;
}

int decoder_too_long(struct decoder *d, size_t index, size_t tokens, struct error *err)
{
    char name[512];
    place_name(d, index, name, sizeof name);
    if (d->config.long_lines == LONG_REFUSE)
        return error_set(err, "%s: %zu tokens, more than the %d allowed; shorten it, raise "
                         "--max-source, or cut such lines with --long-lines truncate",
                         name, tokens, d->max_source);
    if (++d->warned <= WARNINGS)
        log_warning("%s: %zu tokens, cut to the first %d (--max-source)%s", name, tokens,
                    d->max_source, d->warned == WARNINGS ? "; further ones are only counted" : "");
    return 0;
}

static int by_length(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->tokens != y->tokens)
        return x->tokens > y->tokens ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* Sources that need the model, longest first; the empty ones are answered here. */
static int plan(struct decoder *d, struct error *err)
{
    struct job *job = &d->job;
    job->order_count = 0;
    ARRAY_GROW(job->order, job->order_room, job->n);
    for (size_t i = 0; i < job->n; i++) {
        size_t tokens = job->sources[i].count, kept = tokens;
        if (tokens > (size_t)d->max_source) {
            if (decoder_too_long(d, i, tokens, err) < 0)
                return -1;
            kept = (size_t)d->max_source;
        }
        job->out[i].source_tokens = (int)kept;
        job->out[i].cut_tokens += (int)(tokens - kept);
        if (kept || (job->targets && job->targets[i].count))
            job->order[job->order_count++] = (struct place){ i, (int)kept };
        else
            decoder_give_empty(&d->workers[0], i);
    }
    if (job->order_count)
        qsort(job->order, job->order_count, sizeof *job->order, by_length);
    for (int i = 0; i < d->threads; i++)
        atomic_store(&job->next[i], 0);
    return 0;
}

static void count_results(struct decoder *d)
{
    struct decode_stats *s = &d->stats;
    s->lines += (int64_t)d->job.n;
    for (size_t i = 0; i < d->job.n; i++) {
        const struct translation *t = &d->job.out[i];
        s->empty += t->source_tokens == 0;
        s->truncated += t->cut_tokens != 0;
        s->cut += t->best[0].cut;
        s->unusable += t->best[0].logp == -INFINITY;
        s->source_tokens += t->source_tokens;
        s->target_tokens += t->best[0].count;
    }
    s->steps = s->rows = 0;
    for (int i = 0; i < d->threads; i++) {
        s->steps += search_stats(d->workers[i].search)->steps;
        s->rows += search_stats(d->workers[i].search)->rows;
    }
}

void decoder_begin(struct decoder *d, struct translation *out, const struct ids *sources,
                   const struct ids *targets, size_t n, bool text)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (struct translation){ 0 };
    d->job.out = out;
    d->job.sources = sources;
    d->job.targets = targets;
    d->job.n = n;
    d->job.text = text;
}

int decoder_run(struct decoder *d, void (*work)(void *decoder, int worker), struct error *err)
{
    struct job *job = &d->job;
    if (plan(d, err) < 0)
        goto failed;
    if (job->order_count)
        pool_run(d->pool, d->threads, work, d);
    if (stopped(d)) {
        error_set(err, "interrupted");
        goto failed;
    }
    count_results(d);
    return 0;
failed:
    translations_release(job->out, job->n);
    return -1;
}

int decoder_ids(struct decoder *d, struct translation *out, const struct ids *sources, size_t n,
                struct error *err)
{
    double start = clock_seconds();
    decoder_begin(d, out, sources, NULL, n, false);
    int ret = decoder_run(d, decoder_search, err);
    d->stats.seconds += clock_seconds() - start;
    return ret;
}

/* --- made and freed --- */

/* What the options need beyond what every stepper can. */
static int check_stepper(const struct decoder *d, const struct stepper *s, struct error *err)
{
    if (d->config.tokens && !s->limit)
        return error_set(err, "the model's architecture cannot choose from a shortlist (--shortlist)");
    if ((d->config.watched || d->config.coverage > 0) && !s->watch)
        return error_set(err, "the model's architecture has no attention to give");
    return 0;
}

static int open_shortlist(struct decoder *d, struct error *err)
{
    if (!d->config.shortlist)
        return 0;
    d->shortlist = shortlist_open(d->config.shortlist, err);
    d->config.tokens = d->shortlist;
    if (!d->shortlist)
        return -1;
    return shortlist_check(d->shortlist, d->translator.source, d->translator.target, err);
}

/* What the program takes beside its weights and its batches: libraries, vocabularies, a window of text. */
#define PROGRAM_BYTES ((int64_t)96 << 20)

static bool fits_budget(const struct decoder *d, int source)
{
    const struct stepper *s = &d->workers[0].stepper;
    return s->bytes(s->state, source + 1, search_rows(&d->config), search_limit(&d->config, source) + 1)
        <= d->config.batch_bytes;
}

/* Divides the memory among the threads; a line that needs more than a thread has is too long. */
static int plan_memory(struct decoder *d, struct error *err)
{
    const struct stepper *s = &d->workers[0].stepper;
    int least = 1, most = d->max_source;
    if (!d->config.memory)
        return 0;
    if (!s->bytes)
        return error_set(err, "--memory: this model cannot tell what it needs");
    d->config.batch_bytes = (d->config.memory - PROGRAM_BYTES - s->shared_bytes) / d->threads;
    if (d->config.batch_bytes <= 0 || !fits_budget(d, least))
        return error_set(err, "--memory %lldM is too little for this model on %d threads, whose weights alone are %lldM "
                         "and the program's rest %lldM; allow more, or use fewer --threads",
                         (long long)(d->config.memory >> 20), d->threads, (long long)(s->shared_bytes >> 20) + 1,
                         (long long)(PROGRAM_BYTES >> 20));
    while (least < most) {
        int middle = least + (most - least + 1) / 2;
        if (fits_budget(d, middle))
            least = middle;
        else
            most = middle - 1;
    }
    d->max_source = least;
    return 0;
}

static int worker_begin(struct decoder *d, int number, struct error *err)
{
    struct worker *w = &d->workers[number];
    w->decoder = d;
    w->number = number;
    if (d->translator.stepper_new(&w->stepper, d->translator.arg, err) < 0)
        return -1;
    if (check_stepper(d, &w->stepper, err) < 0 || (number == 0 && plan_memory(d, err) < 0)) {
        w->stepper.free(w->stepper.state);
        return -1;
    }
    w->search = search_new(&w->stepper, &d->config);
    if (d->config.mbr)
        w->mbr = mbr_new((enum mbr_metric)d->config.mbr);
    return 0;
}

/* A model of fixed positions takes </s> or <s> and so many tokens less one. */
static void keep_within(struct decoder *d)
{
    int most = d->translator.max_length ? d->translator.max_length - 1 : 0;
    d->max_source = d->config.max_source;
    if (!most)
        return;
    if (d->max_source > most)
        d->max_source = most;
    if (!d->config.max_length || d->config.max_length > most)
        d->config.max_length = most;
}

struct decoder *decoder_new(const struct translator *t, const struct search_config *config,
                            int threads, struct error *err)
{
    if (search_check(config, err) < 0)
        return NULL;
    struct decoder *d = xcalloc(1, sizeof *d);
    d->translator = *t;
    d->config = *config;
    d->threads = threads > 0 ? threads : cpu_count();
    d->first = 1;
    keep_within(d);
    d->workers = xcalloc((size_t)d->threads, sizeof *d->workers);
    d->job.next = xcalloc((size_t)d->threads, sizeof *d->job.next);
    int ret = open_shortlist(d, err);
    for (int i = 0; i < d->threads && ret == 0; i++)
        ret = worker_begin(d, i, err);
    if (ret < 0) {
        decoder_free(d);
        return NULL;
    }
    d->pool = pool_new(d->threads);
    return d;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    if (d->pool)
        pool_free(d->pool);
    for (int i = 0; i < d->threads && d->workers[i].search; i++) {
        struct worker *w = &d->workers[i];
        search_free(w->search);
        w->stepper.free(w->stepper.state);
        mbr_free(w->mbr);
        free(w->source);
        free(w->logp);
        strbuf_release(&w->text);
        batch_release(&w->batch);
        scorer_free(w->scorer);
    }
    shortlist_close(d->shortlist);
    encoded_release(&d->source);
    encoded_release(&d->target);
    free(d->workers);
    free(d->job.order);
    free(d->job.next);
    free(d);
}

const struct decode_stats *decoder_stats(const struct decoder *d)
{
    return &d->stats;
}

int decoder_max_source(const struct decoder *d)
{
    return d->max_source;
}

void decoder_name_input(struct decoder *d, const char *name, int64_t first)
{
    d->name = name;
    d->first = first;
}
