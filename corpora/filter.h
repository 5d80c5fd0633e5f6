#ifndef CORPORA_FILTER_H
#define CORPORA_FILTER_H

#include "base/option.h"
#include "corpora/facts.h"

struct error;
struct language_id;
struct noise_model;

/* Which pairs are worth keeping: one row of `filters` a reason to drop one.  Words are counted
 * as in corpora/text.h.  A config of zeros keeps everything.  Of monolingual text, whose target's
 * bytes are NULL, filters that compare sides keep all. */
struct filter_config {
    bool drop_empty, drop_identical;
    int min_words, max_words, max_word_length;
    float max_ratio, max_character_ratio;
    float min_script, min_letters, max_punctuation, min_numbers;
    bool drop_links, drop_broken, drop_markup, drop_tokenized, identify_language;
    float max_noise, max_cross_entropy, max_dual;
};
extern const struct option filter_options[];

/* What filters need besides the config; zeros where no row that is on needs it. */
struct filter_tools {
    uint32_t scripts[2];                /* language_scripts of each side; 0: not known */
    struct language_id *languages;      /* this thread's */
    const struct noise_model *noise[2];
};

/* What filters look at, gathered once a pair. */
struct pair_facts {
    struct text_pair trimmed;
    struct text_facts side[2];
    bool paired;
    const struct filter_tools *tools;
};
void pair_facts(struct pair_facts *out, struct text_pair pair, const struct filter_tools *tools);

/* To add a filter: add its option to filter_options and a row to filters, both in filter.c.  Rows
 * come in the order in which they are asked, dear ones last.  Rows without `drops` are decided
 * elsewhere: duplicates in clean.c, and what a model says. */
struct filter {
    const char *name, *summary;
    bool (*drops)(const struct pair_facts *pair, const struct filter_config *config);
};
extern const struct filter filters[];           /* a row without a name ends it */
#define FILTER_MOST 32                          /* rows at most, for arrays of counts */
int filter_row(const char *name);               /* which exists */

/* The row that drops the pair, the first one in the table's order; -1: the pair is kept.  Tools may
 * be NULL when no filter that needs them is on. */
int filter_find(const struct filter_config *config, const struct filter_tools *tools,
                struct text_pair pair);

#endif
