/* BLEU.  A segment's tokens are hashed; n-gram keys are chained from token hashes, and an n-gram
 * absent from the references ends the chain that starts at its first token. */
#include "eval/bleu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/bag.h"
#include "eval/metric_row.h"
#include "eval/tokenizers.h"

static const char *const smooth_names[] = { "exp", "floor", "add-k", "none", NULL };

#define FIELD(member) offsetof(struct bleu_config, member)
const struct option bleu_options[] = {
    { "tokenize", OPTION_CHOICE, FIELD(tokenize), "13a", .choices = cutter_names,
      .help = "tokenizer of BLEU", .alias = "tok" },
    { "spm-model", OPTION_STRING, FIELD(spm_model),
      .help = "SentencePiece model of -tok spm; for the models of sacreBLEU, its cache is looked up" },
    { "mecab-dictionary", OPTION_STRING, FIELD(mecab_dictionary),
      .help = "folder of the MeCab dictionary of -tok ja-mecab (IPA) or ko-mecab (mecab-ko-dic)" },
    { "mecab-library", OPTION_STRING, FIELD(mecab_library),
      .help = "MeCab's shared library, where it is not the system's" },
    { "lowercase", OPTION_FLAG, FIELD(lowercase), "false",
      .help = "BLEU on lower-cased text", .alias = "lc" },
    { "smooth-method", OPTION_CHOICE, FIELD(smooth_method), "exp", .choices = smooth_names,
      .help = "what an order without a match counts as", .letter = 's' },
    { "smooth-value", OPTION_FLOAT, FIELD(smooth_value), "-1", -1, 1000,
      "constant of floor and add-k; -1: 0.1 for floor, 1 for add-k", .alias = "sv" },
    { "effective-order", OPTION_FLAG, FIELD(effective_order), "false",
      .help = "leave out orders that the hypothesis is too short for" },
    { 0 }
};

/* ---- score ---- */

static double smoothing_value(const struct bleu_config *c)
{
    if (c->smooth_value >= 0)
        return metric_decimal(c->smooth_value);
    return c->smooth_method == SMOOTH_FLOOR ? 0.1 : 1;
}

/* Precision of an order without a match; halved is kept over the orders (NIST smoothing). */
static double smoothed_precision(const struct bleu_config *c, double total, double *halved)
{
    switch (c->smooth_method) {
    case SMOOTH_EXP:
        *halved *= 2;
        return 100. / (*halved * total);
    case SMOOTH_FLOOR:
        return 100. * smoothing_value(c) / total;
    default:
        return 0;
    }
}

static double floored_log(double x)
{
    return x == 0 ? -9999999999. : log(x);
}

static bool any_match(const struct bleu_stats *s)
{
    for (int n = 0; n < BLEU_ORDER; n++)
        if (s->match[n] > 0)
            return true;
    return false;
}

/* Fills the precisions; returns the number of orders to average over. */
static int fill_precisions(double *precision, const struct bleu_config *c,
                           const struct bleu_stats *s)
{
    double halved = 1;
    int orders = BLEU_ORDER;
    for (int n = 0; n < BLEU_ORDER; n++) {
        double added = c->smooth_method == SMOOTH_ADD_K && n > 0 ? smoothing_value(c) : 0;
        double match = s->match[n] + added, total = s->total[n] + added;
        if (total == 0)
            break;
        if (c->effective_order)
            orders = n + 1;
        precision[n] = match == 0 ? smoothed_precision(c, total, &halved) : 100. * match / total;
    }
    return orders;
}

void bleu_score(struct bleu_score *score, const struct bleu_config *c, const struct bleu_stats *s)
{
    double logs = 0;
    int orders;

    *score = (struct bleu_score){ .brevity_penalty = 1 };
    score->ratio = s->ref_len > 0 ? s->hyp_len / s->ref_len : 0;
    if (s->hyp_len < s->ref_len)
        score->brevity_penalty = s->hyp_len > 0 ? exp(1 - s->ref_len / s->hyp_len) : 0;
    if (!any_match(s))
        return;
    orders = fill_precisions(score->precision, c, s);
    for (int n = 0; n < orders; n++)
        logs += floored_log(score->precision[n]);
    score->score = score->brevity_penalty * exp(logs / orders);
}

/* ---- counting ---- */

struct bleu_state {
    struct bleu_config config;
    struct tokens tokens;
    struct strbuf lower;
    uint64_t *hashes;                   /* of the tokens of the text in hand */
    size_t hashes_room, count;
    uint64_t *ref_hashes;               /* of all references, one after another */
    size_t ref_room, *ref_lens, ref_lens_room;
    int nrefs;
    struct bag bag;
};

int bleu_width(const struct metric_config *c)
{
    (void)c;
    return BLEU_WIDTH;
}

void *bleu_state_new(const struct metric_config *c)
{
    struct bleu_state *s = xcalloc(1, sizeof *s);
    s->config = c->bleu;
    s->tokens.model = c->bleu.model;
    return s;
}

void bleu_state_free(void *state)
{
    struct bleu_state *s = state;
    tokens_release(&s->tokens);
    strbuf_release(&s->lower);
    bag_release(&s->bag);
    free(s->hashes);
    free(s->ref_hashes);
    free(s->ref_lens);
    free(s);
}

static void cut_and_hash(struct bleu_state *s, struct text t)
{
    if (s->config.lowercase) {
        text_lower(&s->lower, t);
        t = (struct text){ s->lower.text, s->lower.length };
    }
    tokens_cut(&s->tokens, &cutters[s->config.tokenize], t);
    s->count = s->tokens.count;
    ARRAY_GROW(s->hashes, s->hashes_room, s->count + 1);
    for (size_t i = 0; i < s->count; i++)
        s->hashes[i] = bag_part(s->tokens.items[i].bytes, s->tokens.items[i].length);
}

typedef void (*bag_adder)(struct bag *bag, uint64_t key);

static inline __attribute__((always_inline))
void add_ngrams(struct bag *bag, const uint64_t *hashes, size_t count, bag_adder add)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t key = hashes[i];
        add(bag, key);
        for (size_t n = 1; n < BLEU_ORDER && i + n < count; n++)
            add(bag, key = bag_extend(key, hashes[i + n]));
    }
}

static void refs_of_many(struct bleu_state *s, const struct text *refs, int nrefs)
{
    size_t all = 0;
    for (int r = 0; r < nrefs; r++) {
        cut_and_hash(s, refs[r]);
        s->ref_lens[r] = s->count;
        ARRAY_GROW(s->ref_hashes, s->ref_room, all + s->count + 1);
        if (s->count)
            memcpy(s->ref_hashes + all, s->hashes, s->count * sizeof *s->hashes);
        all += s->count;
    }
    bag_reset(&s->bag, all * BLEU_ORDER);
    for (int r = nrefs - 1; r >= 0; r--) {
        all -= s->ref_lens[r];
        bag_rewind(&s->bag);
        add_ngrams(&s->bag, s->ref_hashes + all, s->ref_lens[r], bag_add);
    }
}

void bleu_refs(void *state, const struct text *refs, int nrefs)
{
    struct bleu_state *s = state;
    s->nrefs = nrefs;
    ARRAY_GROW(s->ref_lens, s->ref_lens_room, nrefs);
    if (nrefs != 1) {
        refs_of_many(s, refs, nrefs);
        return;
    }
    cut_and_hash(s, refs[0]);
    s->ref_lens[0] = s->count;
    bag_reset(&s->bag, s->count * BLEU_ORDER);
    add_ngrams(&s->bag, s->hashes, s->count, bag_put);
}

/* The length of the reference closest to the hypothesis; of two as close, the shorter. */
static size_t closest_length(const size_t *lengths, int count, size_t hyp)
{
    size_t best = 0, best_gap = SIZE_MAX;
    for (int r = 0; r < count; r++) {
        size_t gap = lengths[r] > hyp ? lengths[r] - hyp : hyp - lengths[r];
        if (gap < best_gap || (gap == best_gap && lengths[r] < best)) {
            best = lengths[r];
            best_gap = gap;
        }
    }
    return best;
}

void bleu_hyp(double *stats, void *state, struct text hyp)
{
    struct bleu_state *s = state;
    struct bleu_stats out = { 0 };

    cut_and_hash(s, hyp);
    out.hyp_len = (double)s->count;
    out.ref_len = (double)closest_length(s->ref_lens, s->nrefs, s->count);
    for (size_t n = 0; n < BLEU_ORDER && n < s->count; n++)
        out.total[n] = (double)(s->count - n);
    bag_rewind(&s->bag);
    for (size_t i = 0; i < s->count; i++) {
        uint64_t key = 0;
        for (size_t n = 0; n < BLEU_ORDER && i + n < s->count; n++) {
            key = n ? bag_extend(key, s->hashes[i + n]) : s->hashes[i];
            enum bag_result found = bag_match(&s->bag, key);
            if (found == BAG_ABSENT)
                break;
            out.match[n] += found == BAG_MATCH;
        }
    }
    memcpy(stats, &out, sizeof out);
}

/* ---- the row's other functions ---- */

double bleu_metric_score(const struct metric_config *c, const double *stats)
{
    struct bleu_stats s;
    struct bleu_score score;
    memcpy(&s, stats, sizeof s);
    bleu_score(&score, &c->bleu, &s);
    return score.score;
}

static float sampled_precision(const struct bleu_config *c, float match, float total, double *halved)
{
    if (match > 0)
        return 100.f * match / total;
    switch (c->smooth_method) {
    case SMOOTH_EXP:
        *halved *= 2;
        return 100.f / ((float)*halved * total);
    case SMOOTH_FLOOR:
        return (float)(100. * smoothing_value(c)) / total;
    default:
        return 0;
    }
}

/* bleu_score in the precision that NumPy gives it. */
double bleu_sampled(const struct metric_config *config, const float *stats, bool *wide)
{
    const struct bleu_config *c = &config->bleu;
    const float *match = stats + 2, *total = match + BLEU_ORDER;
    double hyp_len = stats[0], ref_len = stats[1], logs = 0, halved = 1, brevity = 1;
    float precision[BLEU_ORDER] = { 0 };
    int orders = BLEU_ORDER;
    bool any = false;

    *wide = true;
    for (int n = 0; n < BLEU_ORDER; n++)
        any |= match[n] > 0;
    if (!any)
        return 0;
    if (hyp_len < ref_len)
        brevity = hyp_len > 0 ? exp(1 - ref_len / hyp_len) : 0;
    for (int n = 0; n < BLEU_ORDER; n++) {
        float added = c->smooth_method == SMOOTH_ADD_K && n > 0 ? (float)smoothing_value(c) : 0;
        if (total[n] + added == 0)
            break;
        if (c->effective_order)
            orders = n + 1;
        precision[n] = sampled_precision(c, match[n] + added, total[n] + added, &halved);
    }
    for (int n = 0; n < orders; n++)
        logs += floored_log(precision[n]);
    return brevity * exp(logs / orders);
}

/* sacreBLEU adds the constant of add-k to an array of integers, which drops what is behind the point. */
double bleu_shuffled(const struct metric_config *c, const double *stats)
{
    struct metric_config whole = *c;
    if (c->bleu.smooth_method == SMOOTH_ADD_K)
        whole.bleu.smooth_value = (float)floor(smoothing_value(&c->bleu));
    return bleu_metric_score(&whole, stats);
}

void bleu_describe(struct metric_report *report, const struct metric_config *c,
                   const double *stats)
{
    struct bleu_stats s;
    struct bleu_score score;
    memcpy(&s, stats, sizeof s);
    bleu_score(&score, &c->bleu, &s);
    snprintf(report->name, sizeof report->name, "BLEU");
    snprintf(report->verbose, sizeof report->verbose,
             "%.1f/%.1f/%.1f/%.1f (BP = %.3f ratio = %.3f hyp_len = %.0f ref_len = %.0f)",
             score.precision[0], score.precision[1], score.precision[2], score.precision[3],
             score.brevity_penalty, score.ratio, s.hyp_len, s.ref_len);
}

void bleu_sign(struct strbuf *out, const struct metric_config *c)
{
    const struct bleu_config *b = &c->bleu;
    strbuf_printf(out, "case:%s|eff:%s|tok:%s|smooth:%s", b->lowercase ? "lc" : "mixed",
                  b->effective_order ? "yes" : "no", b->model ? b->model->signature : cutter_names[b->tokenize],
                  smooth_names[b->smooth_method]);
    if (b->smooth_method == SMOOTH_FLOOR || b->smooth_method == SMOOTH_ADD_K)
        strbuf_printf(out, "[%.2f]", smoothing_value(b));
}
