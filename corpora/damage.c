/* Word dropout and text infilling on the way from a batch source. */
#include "corpora/damage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

struct damage {
    struct batch_source inner;
    struct damage_config config;
    int64_t batches;            /* given since the beginning */
};

/* ---- one sentence ---- */

static void drop(struct rng *rng, const struct damage_config *c, int32_t *id, int n)
{
    for (int i = c->keep; i < n; i++)
        if (id[i] != c->eos && rng_unit(rng) < (double)c->drop)
            id[i] = c->mask;
}

/* Knuth's way, for small means. */
static int poisson(struct rng *rng, double mean)
{
    double limit = exp(-mean), product = rng_unit(rng);
    int n = 0;
    for (; product > limit; n++)
        product *= rng_unit(rng);
    return n;
}

/* Marks spans as gone until enough tokens are; gone[i] is 2 where a span begins. */
static void choose_spans(struct rng *rng, const struct damage_config *c, const int32_t *id, int n,
                         unsigned char *gone)
{
    int room = n - c->keep, left = (int)lround((double)c->infill * (room > 0 ? room : 0));
    for (int tries = 0; left > 0 && tries < 4 * n; tries++) {
        int length = poisson(rng, (double)c->span), at = c->keep + (int)rng_below(rng, (uint64_t)room);
        length = length < 1 ? 1 : length > left ? left : length;
        bool fresh = true;
        for (int i = at; i < at + length && i < n && fresh; i++)
            fresh = !gone[i] && id[i] != c->eos;
        if (!fresh || at + length > n || (at > 0 && gone[at - 1]) || (at + length < n && gone[at + length]))
            continue;           /* spans that touch would be one */
        memset(gone + at, 1, (size_t)length);
        gone[at] = 2;
        left -= length;
    }
}

/* Returns how many tokens are left. */
static int infill(struct rng *rng, const struct damage_config *c, int32_t *id, int n)
{
    unsigned char *gone = xcalloc((size_t)n + 1, 1);
    int kept = 0;
    choose_spans(rng, c, id, n, gone);
    for (int i = 0; i < n; i++)
        if (gone[i] != 1)
            id[kept++] = gone[i] ? c->mask : id[i];
    free(gone);
    return kept;
}

/* ---- a batch ---- */

static void damage(const struct damage *c, struct batch *b)
{
    uint64_t stream = rng_stream((uint64_t)c->config.seed, "damage");
    int at = 0;
    for (int s = 0; s < b->B; s++) {
        int from = b->source_start[s], n = b->source_start[s + 1] - from;
        int32_t *id = b->source + from;
        struct rng rng;
        rng_seed(&rng, stream, rng_mix((uint64_t)c->batches) ^ (uint64_t)b->index[s]);
        if (c->config.infill > 0)
            n = infill(&rng, &c->config, id, n);
        if (c->config.drop > 0)
            drop(&rng, &c->config, id, n);
        memmove(b->source + at, id, (size_t)n * sizeof *id);
        b->source_start[s] = at;
        at += n;
    }
    b->source_start[b->B] = b->source_tokens = at;
}

static int corrupt_next(void *state, struct batch *b, struct error *err)
{
    struct damage *c = state;
    int more = c->inner.next(c->inner.state, b, err);
    if (more <= 0)
        return more;
    damage(c, b);
    c->batches++;
    return 1;
}

/* ---- what passes through ---- */

static void corrupt_at(void *state, const struct moment *when)
{
    struct damage *c = state;
    if (c->inner.at)
        c->inner.at(c->inner.state, when);
}

static int corrupt_share(void *state, int first, int count, int total)
{
    struct damage *c = state;
    return c->inner.share ? c->inner.share(c->inner.state, first, count, total) : -1;
}

static json_t *corrupt_save(void *state)
{
    struct damage *c = state;
    return json_pack("{s:I, s:o}", "batches", (json_int_t)c->batches, "inner", c->inner.save(c->inner.state));
}

static int corrupt_restore(void *state, const json_t *position, struct error *err)
{
    struct damage *c = state;
    const json_t *batches = json_object_get(position, "batches");
    if (!json_is_integer(batches) || json_integer_value(batches) < 0)
        return error_set(err, "cannot resume: the position in a damaged corpus is not one; resume with the options "
                         "of before, or start again");
    if (c->inner.restore(c->inner.state, json_object_get(position, "inner"), err) < 0)
        return -1;
    c->batches = json_integer_value(batches);
    return 0;
}

static int64_t corrupt_sentences(void *state)
{
    struct damage *c = state;
    return c->inner.sentences(c->inner.state);
}

static int64_t corrupt_tokens(void *state)
{
    struct damage *c = state;
    return c->inner.tokens(c->inner.state);
}

static uint64_t corrupt_fingerprint(void *state)
{
    struct damage *c = state;
    return c->inner.fingerprint(c->inner.state);
}

static void corrupt_free(void *state)
{
    struct damage *c = state;
    if (c->inner.free)
        c->inner.free(c->inner.state);
    free(c);
}

void damage_open(struct batch_source *out, const struct batch_source *inner, const struct damage_config *config)
{
    struct damage *c = xcalloc(1, sizeof *c);
    *c = (struct damage){ .inner = *inner, .config = *config };
    *out = (struct batch_source){
        .state = c, .at = corrupt_at, .next = corrupt_next, .share = corrupt_share, .save = corrupt_save,
        .restore = corrupt_restore, .sentences = corrupt_sentences, .tokens = corrupt_tokens,
        .fingerprint = corrupt_fingerprint, .free = corrupt_free,
    };
}
