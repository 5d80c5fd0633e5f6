/* xoshiro256** with splitmix64 seeding, after the authors' public-domain reference code. */
#include "base/rng.h"

#include <math.h>
#include <string.h>

uint64_t rng_mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

void rng_seed(struct rng *r, uint64_t seed, uint64_t stream)
{
    /* The stream is mixed on its own first, so that (1, 0) and (0, 1) have nothing in common. */
    uint64_t state = seed ^ (stream ? rng_mix(stream ^ UINT64_C(0x636F686F)) : 0);
    for (int i = 0; i < 4; i++) {
        r->word[i] = rng_mix(state);
        state += UINT64_C(0x9E3779B97F4A7C15);
    }
}

uint64_t rng_stream(uint64_t seed, const char *purpose)
{
    uint64_t mixed = rng_mix(seed);
    for (; *purpose; purpose++)
        mixed = rng_mix(mixed ^ (unsigned char)*purpose);
    return mixed;
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->word, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* Lemire 2019: the high word of a product; the few biased low words are drawn again. */
uint64_t rng_below(struct rng *r, uint64_t n)
{
    unsigned __int128 product = (unsigned __int128)rng_next(r) * n;
    if ((uint64_t)product < n) {
        uint64_t biased = -n % n;
        while ((uint64_t)product < biased)
            product = (unsigned __int128)rng_next(r) * n;
    }
    return (uint64_t)(product >> 64);
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

/* Box-Muller; the second value is dropped so that the four words are the whole state. */
double rng_normal(struct rng *r)
{
    double u = 1 - rng_unit(r), v = rng_unit(r);        /* u in (0, 1] */
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static void swap_bytes(char *a, char *b, size_t size)
{
    char kept[64];
    for (size_t at = 0; at < size; at += sizeof kept) {
        size_t part = size - at < sizeof kept ? size - at : sizeof kept;
        memcpy(kept, a + at, part);
        memmove(a + at, b + at, part);
        memcpy(b + at, kept, part);
    }
}

void rng_shuffle(struct rng *r, void *items, size_t count, size_t item_size)
{
    char *bytes = items;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(r, i);
        if (j != i - 1)
            swap_bytes(bytes + (i - 1) * item_size, bytes + j * item_size, item_size);
    }
}
