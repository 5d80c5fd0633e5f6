#ifndef CORPORA_SENTENCES_H
#define CORPORA_SENTENCES_H

#include "corpora/text.h"

/* Cuts the first sentence off a paragraph: returns it without white space around it, and leaves
 * the rest in *rest, until that is empty.
 *
 * A sentence ends with . ? ! … and closing quotes or brackets, where white space and a capital
 * (or a letter of a script without capitals) follow; single letters, abbreviations and ordinals
 * before a full stop do not end one.  The marks 。！？।។ end one by themselves. */
struct text sentence_next(struct text *rest);

int sentence_count(struct text paragraph);

#endif
