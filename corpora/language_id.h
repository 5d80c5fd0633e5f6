#ifndef CORPORA_LANGUAGE_ID_H
#define CORPORA_LANGUAGE_ID_H

#include "corpora/text.h"

struct error;

/* Whether a text is in the language that it should be in, by libexttextcat: the ranks of its
 * character n-grams are compared with fingerprints of the wanted languages and of some thirty that
 * have many speakers.  One identifier a thread. */
struct language_id;
struct language_id *language_id_new(const char *const wanted[2], struct error *err);
void language_id_free(struct language_id *id);

/* Side 0 or 1.  False only when other languages fit clearly better; short texts, below some 25
 * letters, cannot be told and are true. */
bool language_id_fits(struct language_id *id, int side, struct text t);

#endif
