/* Pages that are both HTML and well-formed XML: escaping, and the head with the style of all. */
#include "base/html.h"

#include <string.h>

#include "base/lines.h"

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
    html_bytes(out, text, strlen(text));
}

void html_bytes(struct strbuf *out, const char *text, size_t left)
{
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

static const char style[] =
    ":root{color-scheme:light dark;--fg:#1a1a1a;--dim:#5c5c5c;--bg:#ffffff;--rule:#d9d9d9;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#00845f;--c3:#b1478d;--c4:#8a6d00;--c5:#3b8fc4;--c6:#7a4fbf;--c7:#666666}\n"
    "@media (prefers-color-scheme:dark){:root{--fg:#e8e8e8;--dim:#a6a6a6;--bg:#16181b;--rule:#3a3d42;"
    "--c0:#5cb3ea;--c1:#ff9a57;--c2:#3fd0a4;--c3:#e69bce;--c4:#e6d25a;--c5:#9fd0f5;--c6:#bda2f2;--c7:#b8b8b8}}\n"
    "body{margin:0 auto;max-width:1120px;padding:1.5rem 1rem 3rem;background:var(--bg);color:var(--fg);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .6rem}p{margin:.3rem 0;max-width:46rem}"
    ".dim{color:var(--dim)}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--rule)}"
    "th{font-weight:600;border-bottom-width:2px}th:first-child,td:first-child{text-align:left;padding-left:0}"
    "td.best{font-weight:700}\n"
    ".legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;padding:0;margin:.4rem 0}"
    ".legend li{display:flex;align-items:center;gap:.45rem}.swatch{width:28px;height:12px}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(430px,100%),1fr));gap:1rem}"
    ".plots svg{width:100%;max-width:660px;height:auto}\n"
    "svg text{fill:var(--fg);font:12px system-ui,sans-serif}svg .title{font-weight:600;font-size:14px}"
    "svg .tick{fill:var(--dim)}.grid{stroke:var(--rule);stroke-width:1}"
    ".line{fill:none;stroke:var(--c);stroke-width:2}.thin{stroke-width:1;stroke-dasharray:4 3}"
    ".spread{stroke:var(--c);stroke-width:5;stroke-opacity:.28}.mark{fill:var(--c);stroke:var(--bg);stroke-width:1}\n"
    ".s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}"
    ".s4{--c:var(--c4)}.s5{--c:var(--c5)}.s6{--c:var(--c6)}.s7{--c:var(--c7)}\n";

void html_head(struct strbuf *out, const char *title, const char *about, const char *more_style)
{
    title = title ? title : "coho";
    strbuf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    html_text(out, title);
    strbuf_printf(out, "</title>\n<style>\n%s%s</style></head>\n<body>\n<h1>", style, more_style ? more_style : "");
    html_text(out, title);
    strbuf_puts(out, "</h1>\n");
    if (about) {
        strbuf_puts(out, "<p class=\"dim\">");
        html_text(out, about);
        strbuf_puts(out, "</p>\n");
    }
}
