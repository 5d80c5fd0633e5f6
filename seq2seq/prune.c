/* Magnitude pruning, and zeros that stay zeros. */
#include "seq2seq/prune.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "seq2seq/model.h"

static const char *const scope_names[] = { "global", "matrix", NULL };

#define FIELD(member) offsetof(struct prune_config, member)
const struct option prune_options[] = {
    { "share", OPTION_FLOAT, FIELD(share), "0.8", 0, 0.999, "of the weights of matrices, to become zero" },
    { "scope", OPTION_CHOICE, FIELD(scope), "global", 0, 0,
      "the smallest of all matrices together, or the same share of each", scope_names },
    { 0 }
};
#undef FIELD

static bool is_matrix(const struct param *p)
{
    return p->rows > 1 && p->cols > 1;
}

static size_t weights_of(const struct param *p)
{
    return (size_t)p->rows * (size_t)p->cols;
}

/* ---- the threshold ---- */

/* The bits of absolute values order as the values do, so two counts of half of the bits each find
 * the value below which a share lies. */
#define HALF 16
#define BUCKETS (1u << HALF)

static uint32_t magnitude(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x7FFFFFFF;
}

/* Counts one half of the bits of the values whose other, upper half is `upper`; for the upper
 * half itself, of all values. */
static void count_half(uint64_t *counts, const struct param_set *set, size_t first, size_t last,
                       bool lower, uint32_t upper)
{
    for (size_t i = first; i < last; i++) {
        const float *w = param_data(set, (int)i);
        for (size_t k = 0; is_matrix(&set->items[i]) && k < weights_of(&set->items[i]); k++) {
            uint32_t bits = magnitude(w[k]);
            if (!lower)
                counts[bits >> HALF]++;
            else if (bits >> HALF == upper)
                counts[bits & (BUCKETS - 1)]++;
        }
    }
}

/* The bucket that holds the value of this rank; *rank becomes the rank within it. */
static uint32_t find_bucket(const uint64_t *counts, uint64_t *rank)
{
    uint32_t bucket = 0;
    while (bucket + 1 < BUCKETS && *rank >= counts[bucket])
        *rank -= counts[bucket++];
    return bucket;
}

/* Zeroes the share of the parameters first … last-1. */
static void prune_range(struct param_set *set, size_t first, size_t last, double share)
{
    uint64_t *counts = xcalloc(BUCKETS, sizeof *counts), all = 0;
    for (size_t i = first; i < last; i++)
        all += is_matrix(&set->items[i]) ? weights_of(&set->items[i]) : 0;
    uint64_t rank = (uint64_t)(share * (double)all);
    bool any = rank > 0;
    count_half(counts, set, first, last, false, 0);
    uint32_t upper = find_bucket(counts, &rank);
    memset(counts, 0, BUCKETS * sizeof *counts);
    count_half(counts, set, first, last, true, upper);
    uint32_t threshold = upper << HALF | find_bucket(counts, &rank);
    free(counts);
    for (size_t i = first; i < last && any; i++) {
        float *w = param_data(set, (int)i);
        for (size_t k = 0; is_matrix(&set->items[i]) && k < weights_of(&set->items[i]); k++)
            if (magnitude(w[k]) < threshold)
                w[k] = 0;
    }
}

int64_t model_zeros(const struct model *m, int64_t *of)
{
    const struct param_set *set = &m->params;
    int64_t zeros = 0;
    *of = 0;
    for (size_t i = 0; i < set->count; i++) {
        const float *w = param_data(set, (int)i);
        for (size_t k = 0; is_matrix(&set->items[i]) && k < weights_of(&set->items[i]); k++, ++*of)
            zeros += w[k] == 0;
    }
    return zeros;
}

int64_t model_prune(struct model *m, const struct prune_config *config, int64_t *of)
{
    struct param_set *set = &m->params;
    int64_t before = model_zeros(m, of);
    if (config->scope == PRUNE_GLOBAL)
        prune_range(set, 0, set->count, (double)config->share);
    for (size_t i = 0; i < set->count && config->scope == PRUNE_MATRIX; i++)
        prune_range(set, i, i + 1, (double)config->share);
    int64_t zeros = model_zeros(m, of);
    if (zeros == before)
        log_warning("a share of %g prunes nothing: %.1f%% of the weights in matrices are zero already; take a larger one",
                    (double)config->share, *of ? 100 * (double)zeros / (double)*of : 0);
    return zeros;
}

/* ---- zeros that stay ---- */

struct zeros {
    size_t words;
    int64_t count;
    uint64_t bits[];            /* one a float of a block */
};

struct zeros *zeros_new(const struct param_set *set)
{
    size_t words = (set->total + 63) / 64;
    struct zeros *z = xcalloc(1, sizeof *z + words * sizeof *z->bits);
    z->words = words;
    for (size_t i = 0; i < set->count; i++) {
        const struct param *p = &set->items[i];
        for (size_t k = p->offset; is_matrix(p) && k < p->offset + weights_of(p); k++)
            if (set->block[k] == 0) {
                z->bits[k / 64] |= UINT64_C(1) << (k % 64);
                z->count++;
            }
    }
    return z;
}

void zeros_free(struct zeros *z)
{
    free(z);
}

int64_t zeros_count(const struct zeros *z)
{
    return z->count;
}

void zeros_keep(const struct zeros *z, float *block)
{
    for (size_t i = 0; i < z->words; i++)
        for (uint64_t left = z->bits[i]; left; left &= left - 1)
            block[64 * i + (size_t)__builtin_ctzll(left)] = 0;
}
