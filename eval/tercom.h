#ifndef EVAL_TERCOM_H
#define EVAL_TERCOM_H

#include <stdbool.h>

#include "eval/tokenizers.h"

/* The words of a segment as Tercom (Snover et al. 2006) and sacreBLEU see them. */
struct tercom_rules {
    bool normalized;            /* entities decoded, punctuation cut off */
    bool no_punct;              /* punctuation taken out */
    bool asian_support;         /* both also for Asian characters and their punctuation */
    bool case_sensitive;
};

/* Scratch memory; {0} is valid and empty. */
struct tercom {
    struct tokens tokens;       /* the words of the last segment */
    struct strbuf lower, bare, joined;
};
void tercom_cut(struct tercom *t, struct text segment, const struct tercom_rules *rules);

/* The same for a reference, whose words sacreBLEU normalises a second time: "Nima's," is
 * "Nima 's ," in a reference but "Nima's ," in a hypothesis. */
void tercom_cut_reference(struct tercom *t, struct text segment, const struct tercom_rules *rules);

void tercom_release(struct tercom *t);

#endif
