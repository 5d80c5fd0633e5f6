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

/* The letter or digit that begins at `at`, in lower case, and 0 for all else; goes past it. */
static inline int32_t letter_next(struct text t, size_t *at)
{
    unsigned char byte = (unsigned char)t.bytes[*at];
    if (byte < 0x80) {
        unsigned lower = byte | 0x20U;
        ++*at;
        return lower - 'a' < 26U ? (int32_t)lower : byte - (unsigned)'0' < 10U ? byte : 0;
    }
    int32_t c;
    enum character_class class = character_next(t, at, &c);
    return class == CLASS_LETTER || class == CLASS_DIGIT ? utf8proc_tolower(c) : 0;
}

/* Here and not in base/: it is called for every letter of a corpus. */
static inline uint64_t scatter(uint64_t x)
{
    x *= UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 32)) * UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ (x >> 29);
}

static void add_side(struct bins *b, struct text t, uint64_t seed)
{
    int64_t letters = 0;
    uint64_t window = b->window;
    for (size_t at = 0; at < t.length;) {
        int32_t c = letter_next(t, &at);
        if (!c)
            continue;
        window = (window << 12 | (uint64_t)(c & 0xFFF)) & ((UINT64_C(1) << 60) - 1);
        if (++letters < 5)
            continue;
        uint64_t hash = scatter(window ^ seed);
        uint64_t *bin = &b->least[hash & (BINS - 1)];
        if (hash < *bin)
            *bin = hash;
    }
    b->window = window;
    b->letters += letters;
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
