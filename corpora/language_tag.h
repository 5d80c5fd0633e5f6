#ifndef CORPORA_LANGUAGE_TAG_H
#define CORPORA_LANGUAGE_TAG_H

#include <stdbool.h>

/* Language tags as corpora write them: "de", "de-DE", "de_AT", "DE".
 *
 * A wanted "de" is met by every German; "de-AT" by the Austrian one alone. */
bool language_matches(const char *tag, const char *wanted);

/* Whether the user named a language; "src" and "trg", the defaults, name none. */
bool language_told(const char *wanted);

#endif
