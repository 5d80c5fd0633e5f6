/* iconv, which the C library has. */
#include "base/charset.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"

/* The name with its underscores as dashes, or without either. */
static char *renamed(const char *name, bool dashes)
{
    struct strbuf b = { 0 };
    for (; *name; name++)
        if (*name != '-' && *name != '_')
            strbuf_putc(&b, *name);
        else if (dashes)
            strbuf_putc(&b, '-');
    return strbuf_detach(&b);
}

static iconv_t find(const char *name)
{
    iconv_t found = iconv_open("UTF-8", name);
    for (int dashes = 1; found == (iconv_t)-1 && dashes >= 0; dashes--) {
        char *other = renamed(name, dashes);
        found = iconv_open("UTF-8", other);
        free(other);
    }
    return found;
}

int charset_open(struct charset *c, const char *name, struct error *err)
{
    static const char *const utf8[] = { "UTF-8", "UTF8", "UTF_8" };
    for (size_t i = 0; i < ARRAY_COUNT(utf8); i++)
        if (!strcasecmp(name, utf8[i]))
            return 0;
    iconv_t iconv = *name ? find(name) : (iconv_t)-1;
    if (iconv == (iconv_t)-1)
        return error_set(err, "the encoding '%s' is not known", name);
    *c = (struct charset){ true, iconv };
    return 0;
}

int charset_feed(struct charset *c, struct strbuf *out, struct text t, size_t *taken)
{
    char *in = (char *)(uintptr_t)t.bytes;
    size_t left = t.length;
    int ret = 0;
    if (!c->converts) {
        strbuf_add(out, t.bytes, t.length);
        left = 0;
    }
    while (left) {
        char block[4096], *to = block;
        size_t room = sizeof block;
        size_t done = iconv(c->iconv, &in, &left, &to, &room);
        int why = errno;
        strbuf_add(out, block, sizeof block - room);
        if (done == (size_t)-1 && why == E2BIG)
            continue;
        ret = done == (size_t)-1 && why != EINVAL ? -1 : 0;
        break;
    }
    *taken = t.length - left;
    return ret;
}

int charset_convert(struct charset *c, struct strbuf *out, struct text t)
{
    size_t taken;
    if (c->converts)
        iconv(c->iconv, NULL, NULL, NULL, NULL);
    return charset_feed(c, out, t, &taken) == 0 && taken == t.length ? 0 : -1;
}

void charset_close(struct charset *c)
{
    if (c->converts)
        iconv_close(c->iconv);
    *c = (struct charset){ 0 };
}
