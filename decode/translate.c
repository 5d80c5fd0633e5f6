/* Text to text: encoded and decoded on all threads, a window of a stream at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/decoder.h"

enum {
    ENCODE_LINES = 64,                  /* encoded by a thread in one go */
    WINDOW_BYTES = 16 << 20,
    KEPT_TOKENS = 4096                  /* an id list's memory above this is given back */
};

static void encode_some(void *arg, int part)
{
    struct decoder *d = arg;
    size_t end = ((size_t)part + 1) * ENCODE_LINES;
    for (size_t i = (size_t)part * ENCODE_LINES; i < end && i < d->spans_count; i++) {
        d->encoded[i].count = 0;
        tokenizer_encode(d->translator.source, &d->encoded[i], d->spans[i].text, d->spans[i].length);
    }
}

static void encode(struct decoder *d, const struct span *spans, size_t n)
{
    size_t old = d->encoded_room;
    if (n == 0)
        return;
    ARRAY_GROW(d->encoded, d->encoded_room, n);
    memset(d->encoded + old, 0, (d->encoded_room - old) * sizeof *d->encoded);
    d->spans = spans;
    d->spans_count = n;
    pool_run(d->pool, (int)((n + ENCODE_LINES - 1) / ENCODE_LINES), encode_some, d);
}

/* One line of a book's length shall not hold its memory for ever. */
static void forget_long(struct decoder *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (d->encoded[i].room > KEPT_TOKENS)
            ids_release(&d->encoded[i]);
}

static int64_t count_words(const struct span *s)
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

int decoder_spans(struct decoder *d, struct translation *out, const struct span *spans, size_t n,
                  struct error *err)
{
    double start = clock_seconds();
    encode(d, spans, n);
    int ret = decoder_run(d, out, d->encoded, n, true, err);
    forget_long(d, n);
    for (size_t i = 0; i < n && ret == 0; i++)
        d->stats.source_words += count_words(&spans[i]);
    d->stats.seconds += clock_seconds() - start;
    return ret;
}

int decoder_text(struct decoder *d, struct translation *out, const char *const *sources, size_t n,
                 struct error *err)
{
    struct span *spans = xcalloc(n + 1, sizeof *spans);
    for (size_t i = 0; i < n; i++)
        spans[i] = (struct span){ sources[i], strlen(sources[i]) };
    int ret = decoder_spans(d, out, spans, n, err);
    free(spans);
    return ret;
}

/* --- streams --- */

struct window {
    struct strbuf text;                 /* the lines end to end */
    struct span *spans;
    struct translation *out;
    size_t count, room;                 /* room: of spans and out, the window's lines */
};

/* Reads as many lines as the window takes; 1 when the stream goes on, 0 at its end, -1. */
static int window_fill(struct window *w, struct lines *in, struct error *err)
{
    int more = 1;
    size_t start = 0;
    strbuf_reset(&w->text);
    w->count = 0;
    while (w->count < w->room && w->text.length < WINDOW_BYTES && (more = lines_next(in, err)) > 0) {
        strbuf_add(&w->text, in->text, in->length);
        w->spans[w->count++].length = in->length;
    }
    for (size_t i = 0; i < w->count; i++) {             /* the text stands still only now */
        w->spans[i].text = w->text.text + start;
        start += w->spans[i].length;
    }
    return more;
}

static void window_release(struct window *w)
{
    strbuf_release(&w->text);
    free(w->spans);
    free(w->out);
}

int decoder_stream(struct decoder *d, struct lines *in,
                   int (*write)(void *arg, const struct translation *t, int64_t number,
                                struct error *err),
                   void *arg, struct error *err)
{
    struct window w = { .room = (size_t)d->config.window };
    int64_t number = 1;
    int more = 1, ret = -1;
    w.spans = xcalloc(w.room, sizeof *w.spans);
    w.out = xcalloc(w.room, sizeof *w.out);
    while (more > 0) {
        struct error reading;
        more = window_fill(&w, in, &reading);
        decoder_name_input(d, strcmp(in->path, "-") ? in->path : "standard input", number);
        if (decoder_spans(d, w.out, w.spans, w.count, err) < 0)
            goto done;
        int written = 0;
        for (size_t i = 0; i < w.count && written == 0; i++)
            written = write(arg, &w.out[i], number++, err);
        translations_release(w.out, w.count);
        if (written < 0)
            goto done;
        if (more < 0) {                                 /* what stood before is written */
            error_set(err, "%s", reading.text);
            goto done;
        }
    }
    ret = 0;
done:
    window_release(&w);
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
