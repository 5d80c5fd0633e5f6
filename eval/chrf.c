/* chrF and chrF++.  Characters and words are hashed, each reference's n-grams are counted once
 * (eval/grams.h); the reference with the best F score counts. */
#include "eval/chrf.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "eval/bag.h"
#include "eval/grams.h"
#include "eval/metric_row.h"
#include "eval/tokenizers.h"

#define FIELD(member) offsetof(struct chrf_config, member)
const struct option chrf_options[] = {
    { "chrf-char-order", OPTION_INT, FIELD(char_order), "6", 0, CHRF_ORDER_MAX,
      "longest character n-grams; 0: none", .alias = "cc" },
    { "chrf-word-order", OPTION_INT, FIELD(word_order), "0", 0, CHRF_ORDER_MAX,
      "longest word n-grams; 2 is chrF++", .alias = "cw" },
    { "chrf-beta", OPTION_INT, FIELD(beta), "2", 0, 1000,
      "recall counts the square of this times as much as precision" },
    { "chrf-whitespace", OPTION_FLAG, FIELD(whitespace), "false",
      .help = "count white space as characters" },
    { "chrf-lowercase", OPTION_FLAG, FIELD(lowercase), "false",
      .help = "chrF on lower-cased text" },
    { "chrf-eps-smoothing", OPTION_FLAG, FIELD(eps_smoothing), "false",
      .help = "smooth as chrF++.py does, instead of by effective order" },
    { 0 }
};

static int order_count(const struct chrf_config *c)
{
    return c->char_order + c->word_order;
}

/* ---- score ---- */

/* Mean of the orders' F scores, an order without n-grams counting next to nothing. */
static double eps_score(const struct chrf_config *c, const struct chrf_count *counts)
{
    double factor = (double)c->beta * c->beta, sum = 0, eps = 1e-16;
    for (int i = 0; i < order_count(c); i++) {
        double precision = counts[i].hyp > 0 ? counts[i].match / counts[i].hyp : eps;
        double recall = counts[i].ref > 0 ? counts[i].match / counts[i].ref : eps;
        double below = factor * precision + recall;
        sum += below > 0 ? (1 + factor) * precision * recall / below : eps;
    }
    return 100 * sum / order_count(c);
}

/* F score of precision and recall averaged over the orders that both sides have. */
static double effective_score(const struct chrf_config *c, const struct chrf_count *counts)
{
    double factor = (double)c->beta * c->beta, precision = 0, recall = 0;
    int orders = 0;
    for (int i = 0; i < order_count(c); i++) {
        if (counts[i].hyp == 0 || counts[i].ref == 0)
            continue;
        precision += counts[i].match / counts[i].hyp;
        recall += counts[i].match / counts[i].ref;
        orders++;
    }
    if (precision + recall == 0)
        return 0;
    precision /= orders;
    recall /= orders;
    return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

double chrf_score(const struct chrf_config *c, const struct chrf_count *counts)
{
    return c->eps_smoothing ? eps_score(c, counts) : effective_score(c, counts);
}

/* ---- the characters and words of a text ---- */

struct sequence {
    uint64_t *parts;                    /* hashes of characters, or of words */
    size_t count, room;
};

struct profile {
    struct sequence chars, words;
};

struct chrf_state {
    struct chrf_config config;
    uint64_t ascii[128];                /* the part that a character is; 0: it does not count */
    struct strbuf lower;
    uint32_t *codes;
    size_t codes_room;
    struct tokens tokens;
    struct profile hyp;
    struct chrf_ref {
        struct profile profile;
        struct grams chars, words;
    } *refs;
    size_t refs_room, refs_made;
    int nrefs;
};

static void add_part(struct sequence *s, uint64_t hash)
{
    ARRAY_GROW(s->parts, s->room, s->count + 1);
    s->parts[s->count++] = hash;
}

/* The part that a character is, or 0 for one that does not count. */
static uint64_t char_part(const struct chrf_config *c, uint32_t code)
{
    return !c->whitespace && code_is_space(code) ? 0 : rng_mix(code + 1);
}

static void read_chars(struct chrf_state *s, struct sequence *chars, struct text t)
{
    size_t count;
    ARRAY_GROW(s->codes, s->codes_room, t.length);
    ARRAY_GROW(chars->parts, chars->room, t.length);
    count = text_codes(s->codes, t);
    chars->count = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = s->codes[i];
        uint64_t part = code < ARRAY_COUNT(s->ascii) ? s->ascii[code] : char_part(&s->config, code);
        chars->parts[chars->count] = part;
        chars->count += part != 0;
    }
}

static bool is_punctuation(char c)
{
    return c > ' ' && c < 0x7F && !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                                    || (c >= 'a' && c <= 'z'));
}

static bool is_one_character(struct text word)
{
    size_t at = 0;
    text_next(word, &at);
    return at == word.length;
}

static void add_word(struct sequence *words, const char *bytes, size_t length)
{
    add_part(words, bag_part(bytes, length));
}

/* A punctuation mark at the end of a word, or else at its beginning, is a word of its own. */
static void read_words(struct chrf_state *s, struct sequence *words, struct text t)
{
    s->tokens.count = words->count = 0;
    tokens_split(&s->tokens, t);
    for (size_t i = 0; i < s->tokens.count; i++) {
        struct text w = s->tokens.items[i];
        size_t rest = w.length - 1;
        if (is_one_character(w)) {
            add_word(words, w.bytes, w.length);
        } else if (is_punctuation(w.bytes[rest])) {
            add_word(words, w.bytes, rest);
            add_word(words, w.bytes + rest, 1);
        } else if (is_punctuation(w.bytes[0])) {
            add_word(words, w.bytes, 1);
            add_word(words, w.bytes + 1, rest);
        } else {
            add_word(words, w.bytes, w.length);
        }
    }
}

static void read_profile(struct chrf_state *s, struct profile *p, struct text t)
{
    if (s->config.lowercase) {
        text_lower(&s->lower, t);
        t = (struct text){ s->lower.text, s->lower.length };
    }
    read_chars(s, &p->chars, t);
    if (s->config.word_order)
        read_words(s, &p->words, t);
}

static void profile_release(struct profile *p)
{
    free(p->chars.parts);
    free(p->words.parts);
}

/* ---- counting ---- */

int chrf_width(const struct metric_config *c)
{
    return order_count(&c->chrf) * (int)(sizeof(struct chrf_count) / sizeof(double));
}

void *chrf_state_new(const struct metric_config *c)
{
    struct chrf_state *s = xcalloc(1, sizeof *s);
    s->config = c->chrf;
    for (uint32_t code = 0; code < ARRAY_COUNT(s->ascii); code++)
        s->ascii[code] = char_part(&s->config, code);
    return s;
}

void chrf_state_free(void *state)
{
    struct chrf_state *s = state;
    for (size_t r = 0; r < s->refs_made; r++) {
        profile_release(&s->refs[r].profile);
        grams_release(&s->refs[r].chars);
        grams_release(&s->refs[r].words);
    }
    profile_release(&s->hyp);
    tokens_release(&s->tokens);
    strbuf_release(&s->lower);
    free(s->refs);
    free(s->codes);
    free(s);
}

void chrf_refs(void *state, const struct text *refs, int nrefs)
{
    struct chrf_state *s = state;
    const struct chrf_config *c = &s->config;

    s->nrefs = nrefs;
    ARRAY_GROW(s->refs, s->refs_room, nrefs);
    for (; s->refs_made < (size_t)nrefs; s->refs_made++)
        s->refs[s->refs_made] = (struct chrf_ref){ 0 };
    for (int r = 0; r < nrefs; r++) {
        struct profile *p = &s->refs[r].profile;
        read_profile(s, p, refs[r]);
        grams_set(&s->refs[r].chars, p->chars.parts, p->chars.count, c->char_order);
        grams_set(&s->refs[r].words, p->words.parts, p->words.count, c->word_order);
    }
}

static double ngram_count(size_t length, int order)
{
    return length < (size_t)order ? 0 : (double)(length - (size_t)order + 1);
}

static void count_matches(struct chrf_count *counts, struct grams *grams, const struct sequence *hyp,
                          const struct sequence *ref, int orders)
{
    size_t matches[CHRF_ORDER_MAX];
    grams_match(matches, grams, hyp->parts, hyp->count);
    for (int n = 0; n < orders; n++) {
        counts[n].ref = ngram_count(ref->count, n + 1);
        counts[n].hyp = counts[n].ref > 0 ? ngram_count(hyp->count, n + 1) : 0;
        counts[n].match = (double)matches[n];
    }
}

void chrf_hyp(double *stats, void *state, struct text hyp)
{
    struct chrf_state *s = state;
    const struct chrf_config *c = &s->config;
    struct chrf_count counts[2 * CHRF_ORDER_MAX] = { 0 };
    double best = -1;
    size_t size = (size_t)order_count(c) * sizeof *counts;

    memcpy(stats, counts, size);
    read_profile(s, &s->hyp, hyp);
    for (int r = 0; r < s->nrefs; r++) {
        struct chrf_ref *ref = &s->refs[r];
        count_matches(counts, &ref->chars, &s->hyp.chars, &ref->profile.chars, c->char_order);
        count_matches(counts + c->char_order, &ref->words, &s->hyp.words, &ref->profile.words,
                      c->word_order);
        double score = chrf_score(c, counts);
        if (score > best) {
            best = score;
            memcpy(stats, counts, size);
        }
    }
}

/* ---- the row's other functions ---- */

double chrf_metric_score(const struct metric_config *c, const double *stats)
{
    struct chrf_count counts[2 * CHRF_ORDER_MAX];
    memcpy(counts, stats, (size_t)order_count(&c->chrf) * sizeof *counts);
    return chrf_score(&c->chrf, counts);
}

/* The formulas above in single precision. */
double chrf_sampled(const struct metric_config *config, const float *stats, bool *wide)
{
    const struct chrf_config *c = &config->chrf;
    float factor = (float)(c->beta * c->beta), eps = 1e-16f, sum = 0, precisions = 0, recalls = 0;
    int orders = 0;

    for (int i = 0; i < order_count(c); i++) {
        float hyp = stats[3 * i], ref = stats[3 * i + 1], match = stats[3 * i + 2];
        float precision = hyp > 0 ? match / hyp : eps, recall = ref > 0 ? match / ref : eps;
        float below = factor * precision + recall;
        sum += below > 0 ? (1 + factor) * precision * recall / below : eps;
        if (hyp > 0 && ref > 0) {
            precisions += precision;
            recalls += recall;
            orders++;
        }
    }
    if (c->eps_smoothing)
        return 100 * sum / (float)order_count(c);
    if (precisions + recalls == 0) {
        *wide = true;
        return 0;
    }
    precisions /= (float)orders;
    recalls /= (float)orders;
    return 100 * ((1 + factor) * precisions * recalls / (factor * precisions + recalls));
}

void chrf_describe(struct metric_report *report, const struct metric_config *c,
                   const double *stats)
{
    (void)stats;
    snprintf(report->name, sizeof report->name, "chrF%d%.*s", c->chrf.beta, c->chrf.word_order,
             "++++++++++++++++");
}

void chrf_sign(struct strbuf *out, const struct metric_config *c)
{
    const struct chrf_config *f = &c->chrf;
    strbuf_printf(out, "case:%s|eff:%s|nc:%d|nw:%d|space:%s", f->lowercase ? "lc" : "mixed",
                  f->eps_smoothing ? "no" : "yes", f->char_order, f->word_order,
                  f->whitespace ? "yes" : "no");
}
