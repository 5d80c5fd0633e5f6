/* Escaping for pages that are both HTML and well-formed XML. */
#include "distill/html.h"

#include "base/lines.h"

#include <string.h>

static void add_valid(struct strbuf *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        switch (c) {
        case '&': strbuf_puts(out, "&amp;"); break;
        case '<': strbuf_puts(out, "&lt;"); break;
        case '>': strbuf_puts(out, "&gt;"); break;
        case '"': strbuf_puts(out, "&quot;"); break;
        case '\'': strbuf_puts(out, "&#39;"); break;
        default:
            if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
                strbuf_puts(out, "\xEF\xBF\xBD");
            else
                strbuf_putc(out, (char)c);
        }
    }
}

void html_text(struct strbuf *out, const char *text)
{
    size_t left = strlen(text);
    while (left) {
        size_t good = utf8_valid_prefix(text, left);
        add_valid(out, text, good);
        text += good;
        left -= good;
        if (left) {
            strbuf_puts(out, "\xEF\xBF\xBD");
            text++;
            left--;
        }
    }
}
