#ifndef EVAL_TEXT_H
#define EVAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "base/text.h"

/* Segments of text (base/text.h) as the metrics see them; bytes NULL is a reference that a
 * segment does not have.
 *
 * What is white space, a line's end, lower case or a category follows Python, because
 * sacreBLEU is defined by it. */
struct text text_rstrip(struct text t);             /* without white space at the end, as str.rstrip */
struct text text_strip(struct text t);              /* on both sides, as str.strip */

/* The code point of t at *at, which moves on; a byte that is not UTF-8 gives U+FFFD. */
uint32_t text_next(struct text t, size_t *at);

/* All code points of t into codes, which has room for t.length; returns how many. */
size_t text_codes(uint32_t *codes, struct text t);

/* Replaces *out by t in lower case as str.lower gives it, with its capital sigma at the end of
 * a word and its dotted capital I. */
void text_lower(struct strbuf *out, struct text t);

bool code_is_space(uint32_t code);                  /* str.isspace */

/* The first letter of the Unicode category: 'L', 'M', 'N', 'P', 'S', 'Z' or 'C'. */
char code_class(uint32_t code);

#endif
