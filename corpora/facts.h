#ifndef CORPORA_FACTS_H
#define CORPORA_FACTS_H

#include "corpora/scripts.h"
#include "corpora/text.h"

/* What can be counted in a text in one pass over its characters. */
enum character_class {
    CLASS_OTHER,                /* combining marks and the like */
    CLASS_LETTER, CLASS_DIGIT, CLASS_PUNCTUATION,       /* symbols are punctuation too */
    CLASS_SPACE,
    CLASS_CONTROL,              /* no tab and line end, which are spaces */
    CLASS_INVISIBLE,            /* of no width: U+200B, U+FEFF, soft hyphen, marks of direction … */
    CLASS_REPLACEMENT,          /* U+FFFD: where something was lost before */
    CLASS_BAD,                  /* a byte that is not UTF-8 */
    CLASS_UNASSIGNED,           /* private use, surrogates, not in Unicode */
    CLASS_COUNT
};

struct text_facts {
    struct text_counts counts;
    int64_t of[CLASS_COUNT];
    uint32_t script[SCRIPT_COUNT];      /* letters */
    bool has_at, has_slash, has_ampersand, has_angle;   /* @ / & < */
};

void text_facts(struct text_facts *out, struct text t);

/* The share of letters that belong to the scripts (bits); 1 where there is no letter. */
double facts_script_share(const struct text_facts *f, uint32_t scripts);

/* One character: its class and value; *at moves behind it. */
enum character_class character_next(struct text t, size_t *at, int32_t *c);

#endif
