#ifndef BASE_HTML_H
#define BASE_HTML_H

#include "base/strbuf.h"

/* Adds text with the characters that mean something in HTML and XML escaped; bytes that are no
 * character of XML become U+FFFD. */
void html_text(struct strbuf *out, const char *text);
void html_bytes(struct strbuf *out, const char *text, size_t length);

/* The beginning of a page that needs nothing else, up to its heading: the style of tables, legends
 * and plots (base/plot.h), on light and dark screens, and more_style behind it.  All but `out` may
 * be NULL.  The caller ends the page with </body></html>. */
void html_head(struct strbuf *out, const char *title, const char *about, const char *more_style);

#endif
