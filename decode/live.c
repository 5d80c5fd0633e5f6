/* Lines answered while others are still to come.
 *
 * The caller's thread reads into a ring; workers take what waits, a fair share at a time, so that
 * a lone line is answered at once and a flood fills their batches.  Whoever finishes the line at
 * the head writes it and all that are done behind it, under the lock: the order is the input's.
 *
 *     head                taken                tail          numbers only grow; a line's place in
 *      | with workers, done |  waits for a worker |            the ring is its number mod RING
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/decoder.h"

enum { RING = 1024, TAKE_MOST = 64 };

struct line {
    char *text;
    size_t length;
    bool done;
    struct error *refusal;      /* what ends the stream when the line's turn comes; NULL: nothing */
};

struct live {
    struct decoder *d;
    struct lines *in;
    int (*write)(void *arg, const struct translation *t, int64_t number, struct error *err);
    void *arg;
    struct line lines[RING];
    struct ids source[RING];            /* with </s> */
    struct translation out[RING];
    size_t head, taken, tail;
    bool ended, failed;
    struct error err;
    pthread_mutex_t lock;
    pthread_cond_t waiting, room;
};

/* One worker's lines under way. */
struct share {
    struct live *live;
    struct worker *worker;
    size_t numbers[TAKE_MOST];
    int count, next;
};

static struct line *line_at(struct live *l, size_t number)
{
    return &l->lines[number % RING];
}

/* All functions below that say so hold the lock. */
static void fail(struct live *l, const struct error *err)
{
    if (!l->failed)
        l->err = *err;
    l->failed = l->ended = true;
    pthread_cond_broadcast(&l->waiting);
    pthread_cond_broadcast(&l->room);
}

static void count_line(struct decoder *d, const struct line *line, const struct translation *t)
{
    struct span span = { line->text, line->length };
    struct decode_stats *s = &d->stats;
    s->lines++;
    s->empty += t->source_tokens == 0;
    s->truncated += t->cut_tokens != 0;
    s->cut += t->best[0].cut;
    s->unusable += t->best[0].logp == -INFINITY;
    s->source_words += decoder_count_words(&span);
    s->source_tokens += t->source_tokens;
    s->target_tokens += t->best[0].count;
}

/* With the lock: writes what is done at the head. */
static void write_done(struct live *l)
{
    while (!l->failed && l->head < l->taken && line_at(l, l->head)->done) {
        struct line *line = line_at(l, l->head);
        struct translation *t = &l->out[l->head % RING];
        struct error err;
        if (line->refusal) {
            fail(l, line->refusal);
            return;
        }
        count_line(l->d, line, t);
        if (l->write(l->arg, t, (int64_t)l->head + 1, &err) < 0)
            fail(l, &err);
        translations_release(t, 1);
        free(line->text);
        line->text = NULL;
        line->done = false;
        l->head++;
        pthread_cond_signal(&l->room);
    }
}

static void finish_line(struct live *l, size_t number)
{
    pthread_mutex_lock(&l->lock);
    line_at(l, number)->done = true;
    write_done(l);
    pthread_mutex_unlock(&l->lock);
}

/* --- a worker --- */

/* Cuts the line's tokens to what is allowed, or refuses it; one thread at a time counts warnings. */
static void limit_tokens(struct live *l, size_t number)
{
    struct line *line = line_at(l, number);
    struct ids *source = &l->source[number % RING];
    size_t most = (size_t)l->d->max_source, tokens = source->count;
    struct error err;
    if (tokens <= most)
        return;
    pthread_mutex_lock(&l->lock);
    if (decoder_too_long(l->d, number, tokens, &err) < 0) {
        line->refusal = xmalloc(sizeof *line->refusal);
        *line->refusal = err;
    }
    pthread_mutex_unlock(&l->lock);
    source->count = most;
    l->out[number % RING].cut_tokens = (int)(tokens - most);
}

/* Encodes a line; false: there is nothing to search for. */
static bool prepare(struct live *l, struct worker *w, size_t number)
{
    struct line *line = line_at(l, number);
    struct ids *source = &l->source[number % RING];
    source->count = 0;
    tokenizer_encode(l->d->translator.source, source, line->text, line->length);
    limit_tokens(l, number);
    l->out[number % RING].source_tokens = (int)source->count;
    if (!source->count)
        decoder_give_empty(w, number % RING);
    if (!source->count || line->refusal) {
        finish_line(l, number);
        return false;
    }
    ARRAY_GROW(source->items, source->room, source->count + 1);
    source->items[source->count++] = w->stepper.eos;
    return true;
}

static bool share_next(void *arg, struct sentence *out)
{
    struct share *s = arg;
    while (s->next < s->count) {
        size_t number = s->numbers[s->next++];
        const struct ids *source = &s->live->source[number % RING];
        if (!prepare(s->live, s->worker, number))
            continue;
        *out = (struct sentence){ .index = (int64_t)number, .line = (int64_t)number + 1,
                                  .source = source->items, .source_count = (int)source->count };
        return true;
    }
    return false;
}

static void share_done(void *arg, int64_t index, const struct hypothesis *best, int count)
{
    struct share *s = arg;
    decoder_give(s->worker, (size_t)index % RING, best, count);
    finish_line(s->live, (size_t)index);
}

/* Waits for lines and takes a fair part of them; false: there will be no more. */
static bool take_share(struct share *s)
{
    struct live *l = s->live;
    pthread_mutex_lock(&l->lock);
    while (l->taken == l->tail && !l->ended)
        pthread_cond_wait(&l->waiting, &l->lock);
    size_t waiting = l->tail - l->taken, threads = (size_t)l->d->threads;
    size_t fair = (waiting + threads - 1) / threads;
    s->count = l->failed ? 0 : fair < TAKE_MOST ? (int)fair : TAKE_MOST;
    for (s->next = 0; s->next < s->count; s->next++)
        s->numbers[s->next] = l->taken++;
    s->next = 0;
    pthread_mutex_unlock(&l->lock);
    return s->count > 0;
}

static void serve(struct live *l, struct worker *w)
{
    struct share s = { .live = l, .worker = w };
    const struct search_feed feed = { &s, share_next, share_done };
    while (take_share(&s))
        search_run(w->search, &feed);
}

/* --- the reader --- */

/* Waits for room and puts the line there; false: nobody wants it any more. */
static bool add_line(struct live *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->tail - l->head == RING && !l->failed)
        pthread_cond_wait(&l->room, &l->lock);
    bool wanted = !l->failed;
    if (wanted) {
        struct line *line = line_at(l, l->tail);
        line->text = xstrndup(l->in->text, l->in->length);
        line->length = l->in->length;
        l->out[l->tail % RING] = (struct translation){ 0 };
        l->tail++;
        pthread_cond_signal(&l->waiting);
    }
    pthread_mutex_unlock(&l->lock);
    return wanted;
}

static void read_all(struct live *l)
{
    struct error err;
    int more;
    while ((more = lines_next(l->in, &err)) > 0 && add_line(l))
        ;
    pthread_mutex_lock(&l->lock);
    l->ended = true;
    if (more < 0 && !l->failed)
        l->err = err;
    pthread_cond_broadcast(&l->waiting);
    pthread_mutex_unlock(&l->lock);
    if (more < 0)
        l->in = NULL;                           /* told when what stood before is written */
}

struct server {
    struct live *live;
    struct worker *worker;
    pthread_t thread;
};

static void *serve_main(void *arg)
{
    struct server *s = arg;
    serve(s->live, s->worker);
    return NULL;
}

/* Returns how many workers could be started. */
static int start(struct live *l, struct server *servers)
{
    int started = 0;
    for (; started < l->d->threads; started++) {
        servers[started] = (struct server){ .live = l, .worker = &l->d->workers[started] };
        if (pthread_create(&servers[started].thread, NULL, serve_main, &servers[started]))
            break;
    }
    return started;
}

static void live_release(struct live *l)
{
    for (int i = 0; i < RING; i++) {
        free(l->lines[i].text);
        free(l->lines[i].refusal);
        ids_release(&l->source[i]);
        translations_release(&l->out[i], 1);
    }
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->waiting);
    pthread_cond_destroy(&l->room);
    free(l);
}

int decoder_live(struct decoder *d, struct lines *in,
                 int (*write)(void *arg, const struct translation *t, int64_t number,
                              struct error *err),
                 void *arg, struct error *err)
{
    struct live *l = xcalloc(1, sizeof *l);
    struct server *servers = xcalloc((size_t)d->threads, sizeof *servers);
    double begun = clock_seconds();
    l->d = d;
    l->in = in;
    l->write = write;
    l->arg = arg;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->waiting, NULL);
    pthread_cond_init(&l->room, NULL);
    decoder_name_input(d, strcmp(in->path, "-") ? in->path : "standard input", 1);
    decoder_begin(d, l->out, l->source, NULL, 0, true);
    int started = start(l, servers);
    if (started)
        read_all(l);
    for (int i = 0; i < started; i++)
        pthread_join(servers[i].thread, NULL);
    d->stats.seconds += clock_seconds() - begun;
    bool good = started && !l->failed && l->in;
    if (!started)
        error_set(err, "cannot start a thread");
    else if (!good)
        error_set(err, "%s", l->err.text);
    live_release(l);
    free(servers);
    return good ? 0 : -1;
}
