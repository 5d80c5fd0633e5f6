#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H

#include <iconv.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "base/text.h"

struct error;

/* Text in the encoding that a file names, to UTF-8.  {0} takes text to be UTF-8 already. */
struct charset {
    bool converts;
    iconv_t iconv;
};

/* -1: iconv knows no such encoding, nor one whose name differs by dashes, as latin-1 of Python. */
int charset_open(struct charset *c, const char *name, struct error *err);
/* Appends; -1 at bytes that the encoding does not have, with nothing said. */
int charset_convert(struct charset *c, struct strbuf *out, struct text t);
/* The same for pieces of a text, one after another: appends what it can; *taken is how far it came,
 * which is less than the length before a character that goes on in the next piece, or at -1. */
int charset_feed(struct charset *c, struct strbuf *out, struct text t, size_t *taken);
void charset_close(struct charset *c);

#endif
