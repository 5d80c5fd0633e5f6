#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stddef.h>

/* A growing string.  {0} is a valid empty one; text is NULL until something is added, and
 * zero-terminated after that.  May hold zero bytes. */
struct strbuf {
    char *text;
    size_t length;
    size_t room;
};

void strbuf_add(struct strbuf *b, const void *bytes, size_t length);
void strbuf_puts(struct strbuf *b, const char *text);
void strbuf_putc(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_reset(struct strbuf *b);            /* length 0, memory kept, text "" */
char *strbuf_detach(struct strbuf *b);          /* the text is the caller's; never NULL */
void strbuf_release(struct strbuf *b);

/* A growing list of owned strings. */
struct strings {
    char **items;
    size_t count;
    size_t room;
};

void strings_add(struct strings *s, const char *text);
void strings_release(struct strings *s);

#endif
