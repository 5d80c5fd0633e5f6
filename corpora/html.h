#ifndef CORPORA_HTML_H
#define CORPORA_HTML_H

#include <stdbool.h>

#include "corpora/text.h"

struct strbuf;

/* The tags and texts of an HTML or XHTML page, one after another.  Anything is accepted, since
 * pages are rarely well-formed: unclosed tags, attributes without values, stray signs.  Comments,
 * declarations, scripts and styles are left out.
 *
 *     struct html page = { .input = text };
 *     struct html_token token;
 *     while (html_next(&page, &token))
 *         …
 */
enum html_kind {
    HTML_TEXT,                  /* text: raw, entities and all */
    HTML_OPEN,                  /* <name attributes>, <name/> as well */
    HTML_CLOSE                  /* </name> */
};

struct html_token {
    enum html_kind kind;
    struct text text;           /* HTML_TEXT */
    struct text name, attributes;
};

struct html {
    struct text input;
    size_t at;
};

bool html_next(struct html *page, struct html_token *out);      /* false at the end */
bool html_is(const struct html_token *token, const char *name); /* whatever the case */

/* The raw value of an attribute; false when absent. */
bool html_attribute(const struct html_token *token, const char *name, struct text *value);

/* Appends the text with its entities resolved; unknown ones stay as they are. */
void html_decode(struct strbuf *out, struct text raw);

#endif
