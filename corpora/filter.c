/* The table of filters. */
#include "corpora/filter.h"

#include <assert.h>

#include <string.h>

#include "base/memory.h"
#include "corpora/language_id.h"
#include "corpora/links.h"
#include "corpora/moses.h"
#include "corpora/noise.h"

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
    { "max-character-ratio", OPTION_FLOAT, FIELD(max_character_ratio), "0", 0, 1e6,
      "drop pairs with a side of more than so many times the other's characters; 0: any" },
    { "min-script", OPTION_FLOAT, FIELD(min_script), "0", 0, 1,
      "drop pairs with a side of which a smaller share of letters is in its language's script" },
    { "min-letters", OPTION_FLOAT, FIELD(min_letters), "0", 0, 1,
      "drop pairs with a side of which letters are a smaller share of what is no space" },
    { "max-punctuation", OPTION_FLOAT, FIELD(max_punctuation), "1", 0, 1,
      "drop pairs with a side of which punctuation is a larger share of what is no space" },
    { "min-numbers", OPTION_FLOAT, FIELD(min_numbers), "0", 0, 1,
      "drop pairs of whose numbers a smaller share is on both sides" },
    { "drop-links", OPTION_FLAG, FIELD(drop_links), "false", 0, 0,
      "drop pairs whose addresses of pages and mail differ" },
    { "drop-broken", OPTION_FLAG, FIELD(drop_broken), "false", 0, 0,
      "drop pairs with control characters, U+FFFD or characters of no assigned meaning" },
    { "drop-markup", OPTION_FLAG, FIELD(drop_markup), "false", 0, 0,
      "drop pairs with tags or entities of HTML" },
    { "drop-tokenized", OPTION_FLAG, FIELD(drop_tokenized), "false", 0, 0,
      "drop pairs with a side that shows traces of a tokenizer" },
    { "max-noise", OPTION_FLOAT, FIELD(max_noise), "0", 0, 1e6,
      "drop pairs with a side whose characters are so many deviations less likely than the corpus's; "
      "4 is mild; 0: any" },
    { "identify-language", OPTION_FLAG, FIELD(identify_language), "false", 0, 0,
      "drop pairs with a side that is in another language" },
    { "max-cross-entropy", OPTION_FLOAT, FIELD(max_cross_entropy), "0", 0, 1e6,
      "drop pairs whose target costs score-model more nats a token; 0: any" },
    { "max-dual-cross-entropy", OPTION_FLOAT, FIELD(max_dual), "0", 0, 1e6,
      "drop pairs whose mean cross-entropy by both score models, with their difference added, is "
      "more; 0: any" },
    { 0 }
};

/* For each side that is there. */
#define ANY_SIDE(p, i) for (int i = 0; i < ((p)->paired ? 2 : 1); i++)

static struct text text_of_side(const struct pair_facts *p, int i)
{
    return i ? p->trimmed.target : p->trimmed.source;
}

static bool is_empty(const struct pair_facts *p, const struct filter_config *c)
{
    return c->drop_empty && (!p->trimmed.source.length || (p->paired && !p->trimmed.target.length));
}

static bool is_identical(const struct pair_facts *p, const struct filter_config *c)
{
    return c->drop_identical && p->paired && text_equal(p->trimmed.source, p->trimmed.target);
}

static bool is_short(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (p->side[i].counts.words < c->min_words)
            return true;
    return false;
}

static bool is_long(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->max_words && p->side[i].counts.words > c->max_words)
            return true;
    return false;
}

/* Limits are floats: 1.3 as an option lies a little below 1.3.  So what is held against one is rounded
 * to a float as well, and what is exactly at the limit stays. */
static bool exceeds(int64_t a, int64_t b, float ratio)
{
    double more = (double)(a > b ? a : b), less = (double)(a > b ? b : a);
    return ratio > 0 && (float)(more / less) > ratio;
}

static bool is_uneven(const struct pair_facts *p, const struct filter_config *c)
{
    return p->paired && exceeds(p->side[0].counts.words, p->side[1].counts.words, c->max_ratio);
}

static bool is_uneven_in_characters(const struct pair_facts *p, const struct filter_config *c)
{
    return p->paired && exceeds(p->side[0].counts.characters, p->side[1].counts.characters,
                                c->max_character_ratio);
}

static bool has_long_word(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->max_word_length && p->side[i].counts.longest_word > c->max_word_length)
            return true;
    return false;
}

static bool is_broken(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i) {
        const int64_t *of = p->side[i].of;
        if (c->drop_broken && of[CLASS_CONTROL] + of[CLASS_REPLACEMENT] + of[CLASS_BAD] +
                                  of[CLASS_UNASSIGNED])
            return true;
    }
    return false;
}

static bool is_in_wrong_script(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->min_script > 0 && p->tools->scripts[i] &&
            (float)facts_script_share(&p->side[i], p->tools->scripts[i]) < c->min_script)
            return true;
    return false;
}

/* A class's share of what is no space. */
static float share(const struct text_facts *f, enum character_class class)
{
    int64_t all = f->counts.characters - f->of[CLASS_SPACE] - f->of[CLASS_OTHER];
    return all > 0 ? (float)((double)f->of[class] / (double)all) : 0;
}

static bool has_few_letters(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->min_letters > 0 && share(&p->side[i], CLASS_LETTER) < c->min_letters)
            return true;
    return false;
}

static bool is_punctuation(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->max_punctuation > 0 && share(&p->side[i], CLASS_PUNCTUATION) > c->max_punctuation)
            return true;
    return false;
}

static bool has_other_numbers(const struct pair_facts *p, const struct filter_config *c)
{
    struct hash_bag source, target;
    if (c->min_numbers <= 0 || !p->paired || !(p->side[0].of[CLASS_DIGIT] + p->side[1].of[CLASS_DIGIT]))
        return false;
    numbers_of(&source, p->trimmed.source);
    numbers_of(&target, p->trimmed.target);
    int most = source.count > target.count ? source.count : target.count;
    return most > 0 && (float)((double)(most - bags_unmatched(&source, &target)) / most) < c->min_numbers;
}

static bool may_have_links(const struct text_facts *f)
{
    return f->has_at || f->has_slash;
}

static bool has_other_links(const struct pair_facts *p, const struct filter_config *c)
{
    struct hash_bag source, target;
    if (!c->drop_links || !p->paired || !(may_have_links(&p->side[0]) || may_have_links(&p->side[1])))
        return false;
    links_of(&source, p->trimmed.source);
    links_of(&target, p->trimmed.target);
    return bags_unmatched(&source, &target) > 0;
}

static bool text_has_markup(struct text t)
{
    for (size_t i = 0; i + 2 < t.length; i++) {
        const char *at = t.bytes + i;
        size_t left = t.length - i;
        bool letter = (at[1] | 0x20) >= 'a' && (at[1] | 0x20) <= 'z';
        if (*at == '<' && (letter || at[1] == '/' || at[1] == '!') && memchr(at, '>', left))
            return true;
        const char *end = *at == '&' && (letter || at[1] == '#')
                              ? memchr(at, ';', left < 10 ? left : 10) : NULL;
        if (end && !memchr(at, ' ', (size_t)(end - at)))
            return true;
    }
    return false;
}

static bool has_markup(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->drop_markup && (p->side[i].has_angle || p->side[i].has_ampersand) &&
            text_has_markup(text_of_side(p, i)))
            return true;
    return false;
}

static bool is_tokenized(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->drop_tokenized && moses_traces(text_of_side(p, i)))
            return true;
    return false;
}

static bool is_noise(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->max_noise > 0 && noise_score(p->tools->noise[i], text_of_side(p, i)) > c->max_noise)
            return true;
    return false;
}

static bool is_in_other_language(const struct pair_facts *p, const struct filter_config *c)
{
    ANY_SIDE(p, i)
        if (c->identify_language && !language_id_fits(p->tools->languages, i, text_of_side(p, i)))
            return true;
    return false;
}

const struct filter filters[] = {
    { "empty", "a side without words", is_empty },
    { "identical", "both sides are the same", is_identical },
    { "too_short", "a side below min-words", is_short },
    { "too_long", "a side above max-words", is_long },
    { "uneven", "one side above max-ratio times the other", is_uneven },
    { "uneven_characters", "one side above max-character-ratio times the other", is_uneven_in_characters },
    { "long_word", "a word above max-word-length", has_long_word },
    { "broken", "control characters, U+FFFD, unassigned characters", is_broken },
    { "script", "a side below min-script", is_in_wrong_script },
    { "letters", "a side below min-letters", has_few_letters },
    { "punctuation", "a side above max-punctuation", is_punctuation },
    { "numbers", "numbers of one side are not on the other", has_other_numbers },
    { "links", "addresses of one side are not on the other", has_other_links },
    { "markup", "tags or entities", has_markup },
    { "tokenized", "traces of a tokenizer", is_tokenized },
    { "noise", "a side above max-noise", is_noise },
    { "language", "a side in another language", is_in_other_language },
    { "duplicates", "came before", NULL },
    { "near_duplicates", "something like it came before", NULL },
    { "cross_entropy", "above max-cross-entropy", NULL },
    { "dual_cross_entropy", "above max-dual-cross-entropy", NULL },
    { 0 }
};
static_assert(ARRAY_COUNT(filters) <= FILTER_MOST, "raise FILTER_MOST");

int filter_row(const char *name)
{
    int row = 0;
    while (strcmp(filters[row].name, name))
        row++;
    return row;
}

void pair_facts(struct pair_facts *out, struct text_pair pair, const struct filter_tools *tools)
{
    out->trimmed = (struct text_pair){ text_trim(pair.source), text_trim(pair.target) };
    out->paired = pair.target.bytes != NULL;
    out->tools = tools;
    text_facts(&out->side[0], pair.source);
    text_facts(&out->side[1], pair.target);
}

int filter_find(const struct filter_config *config, const struct filter_tools *tools,
                struct text_pair pair)
{
    struct pair_facts facts;
    pair_facts(&facts, pair, tools);
    for (int i = 0; filters[i].name; i++)
        if (filters[i].drops && filters[i].drops(&facts, config))
            return i;
    return -1;
}
