#ifndef CORPORA_CHARSET_H
#define CORPORA_CHARSET_H

#include <iconv.h>

#include "base/strbuf.h"
#include "corpora/text.h"

struct error;

/* Text in the encoding that a file names, to UTF-8.  {0} takes text to be UTF-8 already. */
struct charset {
    bool converts;
    iconv_t iconv;
};

int charset_open(struct charset *c, const char *name, struct error *err);   /* -1: iconv knows none */
/* Appends; -1 at bytes that the encoding does not have, with nothing said. */
int charset_convert(struct charset *c, struct strbuf *out, struct text t);
void charset_close(struct charset *c);

#endif
