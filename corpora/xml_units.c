/* A block of the file goes through expat at a time; the pairs that it held are handed out before
 * the next. */
#include "corpora/xml_units.h"

#include <iconv.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"

#define BLOCK (1 << 16)

static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

static void XMLCALL on_start(void *user, const char *name, const char **attributes)
{
    struct xml_units *x = user;
    x->depth++;
    x->start(x, local_name(name), attributes);
}

static void XMLCALL on_end(void *user, const char *name)
{
    struct xml_units *x = user;
    x->end(x, local_name(name));
    x->depth--;
}

static void XMLCALL on_text(void *user, const char *text, int length)
{
    struct xml_units *x = user;
    if (x->into >= 0 && !x->skip)
        strbuf_add(&x->side[x->into], text, (size_t)length);
}

/* An encoding of one byte a character, through iconv. */
static int XMLCALL on_encoding(void *user, const char *name, XML_Encoding *out)
{
    iconv_t converter = iconv_open("UTF-32LE", name);
    (void)user;
    if (converter == (iconv_t)-1)
        return XML_STATUS_ERROR;
    for (int i = 0; i < 256; i++) {
        char byte = (char)i, *in = &byte;
        uint32_t code = 0;
        char *to = (char *)&code;
        size_t in_left = 1, out_left = sizeof code;
        iconv(converter, NULL, NULL, NULL, NULL);
        bool good = iconv(converter, &in, &in_left, &to, &out_left) != (size_t)-1 && !out_left;
        out->map[i] = good && (i >= 128 || code == (uint32_t)i) ? (int)code : -1;
    }
    iconv_close(converter);
    out->data = NULL;
    out->convert = NULL;
    out->release = NULL;
    return XML_STATUS_OK;
}

int xml_units_open(struct xml_units *x, const char *path, struct error *err)
{
    if (bytes_open(&x->in, path, err) < 0)
        return -1;
    x->parser = XML_ParserCreate(NULL);
    if (!x->parser)
        xmalloc(SIZE_MAX);              /* it fails for want of memory alone */
    x->into = -1;
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetUnknownEncodingHandler(x->parser, on_encoding, NULL);
    return 0;
}

static int not_well_formed(const struct xml_units *x, struct error *err)
{
    enum XML_Error code = XML_GetErrorCode(x->parser);
    if (code == XML_ERROR_NO_MEMORY)
        xmalloc(SIZE_MAX);
    return error_set(err, "%s:%lu: not well-formed XML: %s; mend the file, for instance with "
                          "xmllint --recover", path_shown(x->in.path),
                     (unsigned long)XML_GetCurrentLineNumber(x->parser), XML_ErrorString(code));
}

static int parse_block(struct xml_units *x, struct error *err)
{
    void *block = XML_GetBuffer(x->parser, BLOCK);
    if (!block)
        xmalloc(SIZE_MAX);
    x->in.line = (int64_t)XML_GetCurrentLineNumber(x->parser);
    ssize_t got = bytes_read(&x->in, block, BLOCK, err);
    if (got < 0)
        return -1;
    if (interrupt_requested())
        return error_set(err, "interrupted");
    x->at_end = got == 0;
    if (XML_ParseBuffer(x->parser, (int)got, x->at_end) != XML_STATUS_OK)
        return not_well_formed(x, err);
    return 0;
}

int xml_units_next(struct xml_units *x, struct text_pair *out, struct error *err)
{
    while (!pair_queue_next(&x->queue, out)) {
        if (x->at_end)
            return 0;
        if (parse_block(x, err) < 0)
            return -1;
    }
    return 1;
}

void xml_units_close(struct xml_units *x)
{
    XML_ParserFree(x->parser);
    bytes_close(&x->in);
    pair_queue_release(&x->queue);
    strbuf_release(&x->side[0]);
    strbuf_release(&x->side[1]);
}

void xml_units_clear(struct xml_units *x)
{
    for (int i = 0; i < 2; i++) {
        strbuf_reset(&x->side[i]);
        x->present[i] = false;
    }
}

void xml_units_emit(struct xml_units *x)
{
    pair_queue_add(&x->queue, (struct text){ x->side[0].text, x->side[0].length },
                   (struct text){ x->side[1].text, x->side[1].length });
    xml_units_clear(x);
}

const char *xml_attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (!strcmp(local_name(attributes[0]), name))
            return attributes[1];
    return NULL;
}
