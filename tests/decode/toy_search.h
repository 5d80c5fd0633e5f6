#ifndef TESTS_DECODE_TOY_SEARCH_H
#define TESTS_DECODE_TOY_SEARCH_H

/* A search over a toy: random sources in, everything that came out kept and counted. */
#include "tests/test.h"

#include "base/memory.h"
#include "decode/search.h"
#include "tests/decode/toys.h"

enum { MOST = 64 };

/* What a search gave for each of its sentences. */
struct kept {
    int count, length[MOST];
    int32_t ids[MOST][MOST];
    double logp[MOST], score[MOST];
    float token_logp[MOST][MOST];
    float attention[MOST][MOST][8];     /* when watched */
    bool cut[MOST];
};

struct corpus {
    int32_t source[MOST][MOST];
    int length[MOST];
    const int32_t *prefix;
    int prefix_count;
    int count, next;
    int64_t first_line;
    struct kept *result;
};

static inline bool corpus_next(void *arg, struct sentence *out)
{
    struct corpus *c = arg;
    if (c->next == c->count)
        return false;
    *out = (struct sentence){ .index = c->next, .line = c->first_line + c->next,
                              .source = c->source[c->next], .source_count = c->length[c->next],
                              .prefix = c->prefix, .prefix_count = c->prefix_count };
    c->next++;
    return true;
}

static inline void corpus_done(void *arg, int64_t index, const struct hypothesis *best, int count)
{
    struct corpus *c = arg;
    struct kept *k = &c->result[index];
    assert_int_equal(k->count, 0);              /* told once */
    assert_true(count > 0 && count <= MOST);
    k->count = count;
    for (int i = 0; i < count; i++) {
        assert_true(best[i].count < MOST);
        k->length[i] = best[i].count;
        k->logp[i] = best[i].logp;
        k->score[i] = best[i].score;
        k->cut[i] = best[i].cut;
        for (int t = 0; best[i].attention && t <= best[i].count; t++)
            memcpy(k->attention[i][t], best[i].attention + t * best[i].source_count,
                   sizeof(float) * (size_t)best[i].source_count);
        memcpy(k->ids[i], best[i].ids, sizeof(int32_t) * (size_t)best[i].count);
        memcpy(k->token_logp[i], best[i].token_logp, sizeof(float) * (size_t)(best[i].count + 1));
    }
}

static inline struct corpus *corpus_random(int count, uint64_t seed)
{
    struct corpus *c = xcalloc(1, sizeof *c);
    struct rng rng;
    rng_seed(&rng, seed, 0);
    c->count = count;
    c->result = xcalloc((size_t)count, sizeof *c->result);
    for (int i = 0; i < count; i++) {
        c->length[i] = 2 + (int)rng_below(&rng, 6);
        for (int j = 0; j < c->length[i] - 1; j++)
            c->source[i][j] = 3 + (int32_t)rng_below(&rng, 5);
        c->source[i][c->length[i] - 1] = TOY_EOS;
    }
    return c;
}

static inline void corpus_free(struct corpus *c)
{
    free(c->result);
    free(c);
}

static inline struct search_config defaults(int beam, int n_best)
{
    struct search_config c = { 0 };
    options_default((struct option_group[]){ { NULL, search_options, &c }, { NULL, NULL, NULL } });
    c.beam = beam;
    c.n_best = n_best;
    c.max_length_factor = 1.5f;
    c.max_length_offset = 2;
    return c;
}

static inline struct search_stats search_all(struct corpus *c, const struct stepper *s,
                                      const struct search_config *config)
{
    struct search_feed feed = { c, corpus_next, corpus_done };
    struct search *search = search_new(s, config);
    memset(c->result, 0, sizeof *c->result * (size_t)c->count);
    c->next = 0;
    search_run(search, &feed);
    struct search_stats stats = *search_stats(search);
    for (int i = 0; i < c->count; i++)
        assert_true(c->result[i].count > 0);
    search_free(search);
    return stats;
}

#endif
