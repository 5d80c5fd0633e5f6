#ifndef EVAL_WESTERN_H
#define EVAL_WESTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/text.h"

struct tokens;
struct strbuf;

/* The rules for Western punctuation of NIST's mteval-v13a.pl, which 13a, zh and Tercom share. */
struct western {
    bool padded;                        /* a space stands before and after the segment */
    bool possessive;                    /* 's before a space is a token */
    bool (*alone)(uint32_t code);       /* which wide characters are tokens; NULL: none */
};

/* Adds the tokens of t to a list. */
void western_cut(struct tokens *tokens, struct text t, const struct western *rules);

/* t with each `from` replaced by its shorter `to`, one pair after another, as str.replace; the
 * result may be t itself or lie in `clean`.  Every `from` begins or ends with '&', '<' or a
 * line feed. */
struct replacement {
    const char *from, *to;
};
struct text replace_entities(struct strbuf *clean, struct text t,
                             const struct replacement *pairs, size_t count);

#endif
