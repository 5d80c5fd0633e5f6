/* Text to text: encoded and decoded on all threads, a window of a stream at a time. */
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/error.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/decoder.h"

/* --- text to ids, on all threads --- */

enum {
    ENCODE_LINES = 64,                  /* encoded by a thread in one go */
    KEPT_TOKENS = 4096                  /* an id list's memory above this is given back */
};

struct encoding {
    struct encoded *to;
    const struct tokenizer *tokenizer;
    const struct span *spans;
    size_t n;
};

static void encode_some(void *arg, int part)
{
    const struct encoding *e = arg;
    size_t end = ((size_t)part + 1) * ENCODE_LINES;
    for (size_t i = (size_t)part * ENCODE_LINES; i < end && i < e->n; i++) {
        e->to->items[i].count = 0;
        tokenizer_encode(e->tokenizer, &e->to->items[i], e->spans[i].text, e->spans[i].length);
    }
}

void decoder_encode(struct decoder *d, struct encoded *e, const struct tokenizer *t,
                    const struct span *spans, size_t n)
{
    struct encoding encoding = { e, t, spans, n };
    size_t old = e->room;
    if (n == 0)
        return;
    ARRAY_GROW(e->items, e->room, n);
    memset(e->items + old, 0, (e->room - old) * sizeof *e->items);
    pool_run(d->pool, (int)((n + ENCODE_LINES - 1) / ENCODE_LINES), encode_some, &encoding);
}

void encoded_trim(struct encoded *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (e->items[i].room > KEPT_TOKENS)
            ids_release(&e->items[i]);
}

void encoded_release(struct encoded *e)
{
    for (size_t i = 0; i < e->room; i++)
        ids_release(&e->items[i]);
    free(e->items);
}

/* --- lines --- */

int64_t decoder_count_words(const struct span *s)
{
    int64_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < s->length; i++) {
        unsigned char c = (unsigned char)s->text[i];
        bool space = c == ' ' || (c >= '\t' && c <= '\r');
        words += !space && !inside;
        inside = !space;
    }
    return words;
}

/* Of a line that was cut, the share that was read. */
static int64_t words_read(const struct span *s, const struct translation *t)
{
    int64_t words = decoder_count_words(s), tokens = (int64_t)t->source_tokens + t->cut_tokens;
    return t->cut_tokens ? words * t->source_tokens / tokens : words;
}

static int translate_spans(struct decoder *d, struct translation *out, const struct span *spans,
                           size_t n, struct error *err)
{
    double start = clock_seconds();
    decoder_encode(d, &d->source, d->translator.source, spans, n);
    decoder_begin(d, out, d->source.items, NULL, n, true);
    int ret = decoder_run(d, decoder_search, err);
    encoded_trim(&d->source, n);
    for (size_t i = 0; i < n && ret == 0; i++)
        d->stats.source_words += words_read(&spans[i], &out[i]);
    d->stats.seconds += clock_seconds() - start;
    return ret;
}

int decoder_text(struct decoder *d, struct translation *out, const char *const *sources, size_t n,
                 struct error *err)
{
    struct span *spans = xcalloc(n + 1, sizeof *spans);
    for (size_t i = 0; i < n; i++)
        spans[i] = (struct span){ sources[i], strlen(sources[i]) };
    int ret = translate_spans(d, out, spans, n, err);
    free(spans);
    return ret;
}

/* --- streams --- */

/* Fills the window; 1 when the stream may go on, 0 at its end, -1. */
static int window_read(struct window *w, struct lines *in, int most, struct error *err)
{
    int more = 1;
    window_clear(w);
    while (!window_full(w, most) && (more = lines_next(in, err)) > 0)
        window_add(w, in->text, in->length);
    return more;
}

/* Holes that a window left behind would otherwise add up over a million lines. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

int decoder_write(struct translation *out, size_t n, int64_t *number,
                  int (*write)(void *arg, const struct translation *t, int64_t number,
                               struct error *err),
                  void *arg, struct error *err)
{
    int ret = 0;
    for (size_t i = 0; i < n && ret == 0; i++)
        ret = write(arg, &out[i], (*number)++, err);
    translations_release(out, n);
    give_back_memory();
    return ret;
}

int decoder_stream(struct decoder *d, struct lines *in,
                   int (*write)(void *arg, const struct translation *t, int64_t number,
                                struct error *err),
                   void *arg, struct error *err)
{
    struct translation *out = xcalloc((size_t)d->config.window, sizeof *out);
    struct window w = { 0 };
    int64_t number = 1;
    int more = 1, ret = -1;
    while (more > 0) {
        struct error reading;
        more = window_read(&w, in, d->config.window, &reading);
        decoder_name_input(d, strcmp(in->path, "-") ? in->path : "standard input", number);
        if (translate_spans(d, out, window_spans(&w), w.count, err) < 0)
            goto done;
        if (decoder_write(out, w.count, &number, write, arg, err) < 0)
            goto done;
        if (more < 0) {                                 /* what stood before is written */
            error_set(err, "%s", reading.text);
            goto done;
        }
    }
    ret = 0;
done:
    window_release(&w);
    free(out);
    return ret;
}

/* --- all in one --- */

static int run_once(struct translation *out, const struct model *m, const char *const *text,
                    const struct ids *ids, size_t n, const struct search_config *config,
                    int threads, struct decode_stats *stats, struct error *err)
{
    struct translator t = translator_of_model(m);
    struct decoder *d = decoder_new(&t, config, threads, err);
    if (!d)
        return -1;
    int ret = text ? decoder_text(d, out, text, n, err) : decoder_ids(d, out, ids, n, err);
    if (stats)
        *stats = *decoder_stats(d);
    decoder_free(d);
    return ret;
}

int translate_lines(struct translation *out, const struct model *m, const char *const *sources,
                    size_t n, const struct search_config *config, int threads,
                    struct decode_stats *stats, struct error *err)
{
    return run_once(out, m, sources, NULL, n, config, threads, stats, err);
}

int translate_ids(struct translation *out, const struct model *m, const struct ids *sources,
                  size_t n, const struct search_config *config, int threads,
                  struct decode_stats *stats, struct error *err)
{
    return run_once(out, m, NULL, sources, n, config, threads, stats, err);
}
