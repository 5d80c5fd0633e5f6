/* The table of filters. */
#include "corpora/filter.h"

#include <assert.h>

#include "base/memory.h"

#define FIELD(member) offsetof(struct filter_config, member)
const struct option filter_options[] = {
    { "drop-empty", OPTION_FLAG, FIELD(drop_empty), "true", 0, 0,
      "drop pairs with an empty side" },
    { "drop-identical", OPTION_FLAG, FIELD(drop_identical), "true", 0, 0,
      "drop pairs whose sides are the same" },
    { "min-words", OPTION_INT, FIELD(min_words), "1", 0, 1e6,
      "drop pairs with a side of fewer words" },
    { "max-words", OPTION_INT, FIELD(max_words), "250", 0, 1e6,
      "drop pairs with a side of more words; 0: any number" },
    { "max-ratio", OPTION_FLOAT, FIELD(max_ratio), "4", 0, 1e6,
      "drop pairs with a side of more than so many times the other's words; 0: any" },
    { "max-word-length", OPTION_INT, FIELD(max_word_length), "200", 0, 1e6,
      "drop pairs with a word of more characters; 0: any" },
    { 0 }
};

static bool is_empty(const struct pair_facts *p, const struct filter_config *c)
{
    return c->drop_empty && (!p->trimmed.source.length || !p->trimmed.target.length);
}

static bool is_identical(const struct pair_facts *p, const struct filter_config *c)
{
    return c->drop_identical && text_equal(p->trimmed.source, p->trimmed.target);
}

static bool is_short(const struct pair_facts *p, const struct filter_config *c)
{
    return p->source.words < c->min_words || p->target.words < c->min_words;
}

static bool is_long(const struct pair_facts *p, const struct filter_config *c)
{
    return c->max_words && (p->source.words > c->max_words || p->target.words > c->max_words);
}

static bool is_uneven(const struct pair_facts *p, const struct filter_config *c)
{
    double source = (double)p->source.words, target = (double)p->target.words;
    return c->max_ratio > 0 && (source > c->max_ratio * target || target > c->max_ratio * source);
}

static bool has_long_word(const struct pair_facts *p, const struct filter_config *c)
{
    return c->max_word_length && (p->source.longest_word > c->max_word_length ||
                                  p->target.longest_word > c->max_word_length);
}

const struct filter filters[] = {
    { "empty", "a side without words", is_empty },
    { "identical", "both sides are the same", is_identical },
    { "too_short", "a side below min-words", is_short },
    { "too_long", "a side above max-words", is_long },
    { "uneven", "one side above max-ratio times the other", is_uneven },
    { "long_word", "a word above max-word-length", has_long_word },
    { 0 }
};
static_assert(ARRAY_COUNT(filters) <= FILTER_MOST, "raise FILTER_MOST");

int filter_find(const struct filter_config *config, struct text_pair pair)
{
    struct pair_facts facts = {
        .trimmed = { text_trim(pair.source), text_trim(pair.target) },
        .source = text_count(pair.source),
        .target = text_count(pair.target),
    };
    for (int i = 0; filters[i].name; i++)
        if (filters[i].drops(&facts, config))
            return i;
    return -1;
}
