/* iconv, which the C library has. */
#include "corpora/charset.h"

#include <errno.h>
#include <stdint.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"

int charset_open(struct charset *c, const char *name, struct error *err)
{
    static const char *const utf8[] = { "UTF-8", "UTF8", "ASCII", "US-ASCII", "CHARSET" };
    for (size_t i = 0; i < ARRAY_COUNT(utf8); i++)
        if (!strcasecmp(name, utf8[i]))
            return 0;
    iconv_t iconv = iconv_open("UTF-8", name);
    if (iconv == (iconv_t)-1)
        return error_set(err, "the encoding '%s' is not known", name);
    *c = (struct charset){ true, iconv };
    return 0;
}

int charset_convert(struct charset *c, struct strbuf *out, struct text t)
{
    char *in = (char *)(uintptr_t)t.bytes;
    size_t left = t.length;
    if (!c->converts) {
        strbuf_add(out, t.bytes, t.length);
        return 0;
    }
    iconv(c->iconv, NULL, NULL, NULL, NULL);
    while (left) {
        char block[512], *to = block;
        size_t room = sizeof block;
        size_t done = iconv(c->iconv, &in, &left, &to, &room);
        strbuf_add(out, block, sizeof block - room);
        if (done == (size_t)-1 && errno != E2BIG)
            return -1;
    }
    return 0;
}

void charset_close(struct charset *c)
{
    if (c->converts)
        iconv_close(c->iconv);
    *c = (struct charset){ 0 };
}
