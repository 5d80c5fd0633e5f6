#ifndef CORPORA_MOSES_H
#define CORPORA_MOSES_H

#include "base/strbuf.h"
#include "corpora/text.h"

/* What Moses' scripts leave in text. */

/* Appends the text with &amp; &#124; &lt; &gt; &apos; &quot; &#91; &#93; (and the older &bar; &bra;
 * &ket;) turned back into what they stand for. */
void moses_unescape(struct strbuf *out, struct text t);

/* How many traces of a tokenizer the text shows: its escapes, @-@, and punctuation set apart by
 * spaces (" , " " ." " n't" " 's"). */
int moses_traces(struct text t);

/* Appends the text with them undone: unescaped, @-@ joined, marks set to their words, by rules that
 * hold in most languages that are written with spaces. */
void moses_detokenize(struct strbuf *out, struct text t);

#endif
