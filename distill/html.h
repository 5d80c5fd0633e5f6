#ifndef DISTILL_HTML_H
#define DISTILL_HTML_H

#include "base/strbuf.h"

/* Adds text with the characters that mean something in HTML and XML escaped; bytes that are no
 * character of XML become U+FFFD. */
void html_text(struct strbuf *out, const char *text);

#endif
