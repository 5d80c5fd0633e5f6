/* One pass, one hash a letter: the low bits choose the bin, the least hash of each bin stays.
 * An empty bin borrows from the next one that is not (Shrivastava & Li 2014). */
#include "corpora/near.h"

#include <string.h>
#include <utf8proc.h>

#include "base/hash.h"
#include "base/rng.h"
#include "corpora/facts.h"

#define BINS 16
#define LEAST 24                        /* letters of a pair for which similarity is judged */

struct bins {
    uint64_t least[BINS];
    uint64_t window;                    /* the last five letters, 12 bits each */
    int64_t letters;
};

static int32_t lower(int32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
    return utf8proc_tolower(c);
}

static void add_side(struct bins *b, struct text t, uint64_t seed)
{
    int64_t first = b->letters;
    for (size_t at = 0; at < t.length;) {
        int32_t c;
        enum character_class class = character_next(t, &at, &c);
        if (class != CLASS_LETTER && class != CLASS_DIGIT)
            continue;
        b->letters++;
        b->window = (b->window << 12 | (uint64_t)(lower(c) & 0xFFF)) & ((UINT64_C(1) << 60) - 1);
        if (b->letters - first < 5)
            continue;
        uint64_t hash = rng_mix(b->window ^ seed);
        uint64_t *bin = &b->least[hash & (BINS - 1)];
        if (hash < *bin)
            *bin = hash;
    }
}

void near_keys(uint64_t keys[NEAR_KEYS], struct text_pair pair)
{
    struct bins b = { .letters = 0 };
    memset(b.least, 0xFF, sizeof b.least);
    add_side(&b, pair.source, 0);
    add_side(&b, pair.target, UINT64_C(0x7472616E73));
    if (b.letters < LEAST) {
        uint64_t key = text_key(pair.target, text_key(pair.source, 7));
        for (int i = 0; i < NEAR_KEYS; i++)
            keys[i] = rng_mix(key + (uint64_t)i);
        return;
    }
    for (int i = 0; i < BINS; i++)
        for (int k = 1; k < BINS && b.least[i] == UINT64_MAX; k++)
            if (b.least[(i + k) % BINS] != UINT64_MAX)
                b.least[i] = b.least[(i + k) % BINS] + (uint64_t)k;
    for (int i = 0; i < NEAR_KEYS; i++)
        keys[i] = hash_bytes(&b.least[4 * i], 4 * sizeof *b.least, (uint64_t)i + 1);
}
