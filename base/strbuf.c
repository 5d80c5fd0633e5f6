/* Growing strings and lists of strings. */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void make_room(struct strbuf *b, size_t more)
{
    ARRAY_GROW(b->text, b->room, b->length + more + 1);
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t length)
{
    make_room(b, length);
    if (length)
        memcpy(b->text + b->length, bytes, length);
    b->length += length;
    b->text[b->length] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *text)
{
    strbuf_add(b, text, strlen(text));
}

void strbuf_putc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
    va_list args, again;
    int length;

    va_start(args, fmt);
    va_copy(again, args);
    make_room(b, 64);
    length = vsnprintf(b->text + b->length, b->room - b->length, fmt, args);
    if (length > 0 && (size_t)length >= b->room - b->length) {
        make_room(b, (size_t)length);
        vsnprintf(b->text + b->length, b->room - b->length, fmt, again);
    }
    b->length += length > 0 ? (size_t)length : 0;
    va_end(again);
    va_end(args);
}

void strbuf_reset(struct strbuf *b)
{
    make_room(b, 0);
    b->length = 0;
    b->text[0] = '\0';
}

char *strbuf_detach(struct strbuf *b)
{
    char *text;
    make_room(b, 0);
    text = b->text;
    text[b->length] = '\0';
    *b = (struct strbuf){ 0 };
    return text;
}

void strbuf_release(struct strbuf *b)
{
    free(b->text);
    *b = (struct strbuf){ 0 };
}

void strings_add(struct strings *s, const char *text)
{
    ARRAY_GROW(s->items, s->room, s->count + 1);
    s->items[s->count++] = xstrdup(text);
}

void strings_release(struct strings *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->items[i]);
    free(s->items);
    *s = (struct strings){ 0 };
}
