/* Lines kept together in memory. */
#include "decode/window.h"

#include <stdlib.h>

#include "base/memory.h"

enum { WINDOW_BYTES = 16 << 20 };

void window_clear(struct window *w)
{
    if (w->text.room > 2 * WINDOW_BYTES)        /* one huge line shall not hold its memory */
        strbuf_release(&w->text);
    strbuf_reset(&w->text);
    w->count = 0;
}

void window_add(struct window *w, const char *text, size_t length)
{
    ARRAY_GROW(w->spans, w->room, w->count + 1);
    w->spans[w->count++].length = length;
    strbuf_add(&w->text, text, length);
}

const struct span *window_spans(struct window *w)
{
    size_t start = 0;
    for (size_t i = 0; i < w->count; i++) {     /* only now does the text stand still */
        w->spans[i].text = w->text.text + start;
        start += w->spans[i].length;
    }
    return w->spans;
}

void window_release(struct window *w)
{
    strbuf_release(&w->text);
    free(w->spans);
    *w = (struct window){ 0 };
}

bool window_full(const struct window *w, int lines)
{
    return w->count >= (size_t)lines || w->text.length >= WINDOW_BYTES;
}
