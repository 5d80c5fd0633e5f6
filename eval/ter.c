/* The metric TER: words by eval/tercom.h, edits by eval/shifts.h. */
#include "eval/ter.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/bag.h"
#include "eval/metric_row.h"
#include "eval/shifts.h"

#define FIELD(member) offsetof(struct ter_config, rules.member)
const struct option ter_options[] = {
    { "ter-case-sensitive", OPTION_FLAG, FIELD(case_sensitive), "false",
      .help = "TER with regard to case" },
    { "ter-asian-support", OPTION_FLAG, FIELD(asian_support), "false",
      .help = "with the two options below: also split Asian characters, take out Asian punctuation" },
    { "ter-no-punct", OPTION_FLAG, FIELD(no_punct), "false", .help = "TER without punctuation" },
    { "ter-normalized", OPTION_FLAG, FIELD(normalized), "false",
      .help = "decode entities and cut off punctuation before TER" },
    { 0 }
};

double ter_score(const struct ter_stats *s)
{
    if (s->ref_len > 0)
        return 100 * (s->edits / s->ref_len);
    return s->edits > 0 ? 100 : 0;
}

/* ---- counting ---- */

struct words {
    uint64_t *hashes;
    size_t count, room;
};

struct ter_state {
    struct ter_config config;
    struct tercom tercom;
    struct shifts *shifts;
    struct words hyp, *refs;
    size_t refs_room, refs_made;
    int nrefs;
};

int ter_width(const struct metric_config *c)
{
    (void)c;
    return (int)(sizeof(struct ter_stats) / sizeof(double));
}

void *ter_state_new(const struct metric_config *c)
{
    struct ter_state *s = xcalloc(1, sizeof *s);
    s->config = c->ter;
    s->shifts = shifts_new();
    return s;
}

void ter_state_free(void *state)
{
    struct ter_state *s = state;
    tercom_release(&s->tercom);
    shifts_free(s->shifts);
    for (size_t r = 0; r < s->refs_made; r++)
        free(s->refs[r].hashes);
    free(s->refs);
    free(s->hyp.hashes);
    free(s);
}

/* The words that the tokenizer holds. */
static void take_words(struct words *words, const struct ter_state *s)
{
    words->count = s->tercom.tokens.count;
    ARRAY_GROW(words->hashes, words->room, words->count + 1);
    for (size_t i = 0; i < words->count; i++) {
        struct text word = s->tercom.tokens.items[i];
        words->hashes[i] = bag_part(word.bytes, word.length);
    }
}

void ter_refs(void *state, const struct text *refs, int nrefs)
{
    struct ter_state *s = state;
    s->nrefs = nrefs;
    ARRAY_GROW(s->refs, s->refs_room, nrefs);
    for (; s->refs_made < (size_t)nrefs; s->refs_made++)
        s->refs[s->refs_made] = (struct words){ 0 };
    for (int r = 0; r < nrefs; r++) {
        tercom_cut_reference(&s->tercom, refs[r], &s->config.rules);
        take_words(&s->refs[r], s);
    }
}

void ter_hyp(double *stats, void *state, struct text hyp)
{
    struct ter_state *s = state;
    struct ter_stats out = { 0 };
    size_t best = SIZE_MAX, lengths = 0;

    tercom_cut(&s->tercom, hyp, &s->config.rules);
    take_words(&s->hyp, s);
    for (int r = 0; r < s->nrefs; r++) {
        const struct words *ref = &s->refs[r];
        size_t edits = shifts_count(s->shifts, s->hyp.hashes, s->hyp.count, ref->hashes, ref->count);
        best = edits < best ? edits : best;
        lengths += ref->count;
    }
    if (s->nrefs > 0) {
        out.edits = (double)best;
        out.ref_len = (double)lengths / s->nrefs;
    }
    memcpy(stats, &out, sizeof out);
}

/* ---- the row's other functions ---- */

double ter_metric_score(const struct metric_config *c, const double *stats)
{
    struct ter_stats s;
    (void)c;
    memcpy(&s, stats, sizeof s);
    return ter_score(&s);
}

double ter_sampled(const struct metric_config *c, const float *stats, bool *wide)
{
    float edits = stats[0], ref_len = stats[1];
    (void)c;
    if (ref_len > 0)
        return 100 * (edits / ref_len);
    *wide = true;
    return edits > 0 ? 100 : 0;
}

void ter_describe(struct metric_report *report, const struct metric_config *c, const double *stats)
{
    (void)c;
    (void)stats;
    snprintf(report->name, sizeof report->name, "TER");
}

void ter_sign(struct strbuf *out, const struct metric_config *c)
{
    const struct tercom_rules *r = &c->ter.rules;
    strbuf_printf(out, "case:%s|tok:tercom|norm:%s|punct:%s|asian:%s",
                  r->case_sensitive ? "mixed" : "lc", r->normalized ? "yes" : "no",
                  r->no_punct ? "no" : "yes", r->asian_support ? "yes" : "no");
}
