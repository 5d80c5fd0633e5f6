#ifndef DECODE_WINDOW_H
#define DECODE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

/* Lines kept together in memory.  {0} is valid and empty. */
struct span {
    const char *text;
    size_t length;
};

struct window {
    struct strbuf text;                 /* the lines end to end */
    struct span *spans;
    size_t count, room;
};

void window_clear(struct window *w);
void window_add(struct window *w, const char *text, size_t length);

/* The lines as spans, which stay valid until the next add or clear. */
const struct span *window_spans(struct window *w);
void window_release(struct window *w);

/* A stream's window ends after `lines` lines or 16 MB of text. */
bool window_full(const struct window *w, int lines);

#endif
