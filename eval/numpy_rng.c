/* PCG64, SeedSequence and bounded integers (Lemire 2019) as in NumPy's _pcg64, bit_generator and
 * distributions.c; sums as in its loops_utils.h. */
#include "eval/numpy_rng.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

/* ---- SeedSequence ---- */

#define POOL 4

static uint32_t hash_mix(uint32_t value, uint32_t *constant, uint32_t multiplier)
{
    value ^= *constant;
    *constant *= multiplier;
    value *= *constant;
    return value ^ value >> 16;
}

static uint32_t mix(uint32_t x, uint32_t y)
{
    uint32_t result = 0xCA01F9DDu * x - 0x4973F715u * y;
    return result ^ result >> 16;
}

static void spread(uint64_t out[POOL], const uint32_t entropy[POOL])
{
    uint32_t pool[POOL], constant = 0x43B0D7E5u;
    for (int i = 0; i < POOL; i++)
        pool[i] = hash_mix(entropy[i], &constant, 0x931E8875u);
    for (int from = 0; from < POOL; from++)
        for (int to = 0; to < POOL; to++)
            if (from != to)
                pool[to] = mix(pool[to], hash_mix(pool[from], &constant, 0x931E8875u));
    constant = 0x8B51F9DDu;
    for (int i = 0; i < POOL; i++) {
        uint64_t low = hash_mix(pool[2 * i % POOL], &constant, 0x58F38DEDu);
        uint64_t high = hash_mix(pool[(2 * i + 1) % POOL], &constant, 0x58F38DEDu);
        out[i] = high << 32 | low;
    }
}

/* ---- PCG64 ---- */

static void step(struct numpy_rng *r)
{
    const unsigned __int128 multiplier =
        (unsigned __int128)0x2360ED051FC65DA4u << 64 | 0x4385DF649FCCF645u;
    r->state = r->state * multiplier + r->increment;
}

static void start(struct numpy_rng *r, const uint32_t entropy[POOL])
{
    uint64_t word[POOL];
    spread(word, entropy);
    *r = (struct numpy_rng){ .increment = ((unsigned __int128)word[2] << 64 | word[3]) << 1 | 1 };
    step(r);
    r->state += (unsigned __int128)word[0] << 64 | word[1];
    step(r);
}

void numpy_rng_seed(struct numpy_rng *r, uint64_t seed)
{
    uint32_t entropy[POOL] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    start(r, entropy);
}

void numpy_rng_seed_randomly(struct numpy_rng *r)
{
    uint32_t entropy[POOL];
    if (getrandom(entropy, sizeof entropy, 0) != (ssize_t)sizeof entropy) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        memcpy(entropy, &now, sizeof entropy);
    }
    start(r, entropy);
}

static uint32_t next_32(struct numpy_rng *r)
{
    if (r->has_half) {
        r->has_half = false;
        return r->half;
    }
    step(r);
    uint64_t folded = (uint64_t)(r->state >> 64) ^ (uint64_t)r->state;
    unsigned turn = (unsigned)(r->state >> 122);
    uint64_t word = folded >> turn | folded << (-turn & 63);
    r->has_half = true;
    r->half = (uint32_t)(word >> 32);
    return (uint32_t)word;
}

void numpy_rng_integers(uint32_t *out, size_t count, struct numpy_rng *r, uint32_t n)
{
    uint32_t threshold = -n % n;                /* 2^32 mod n */
    for (size_t i = 0; i < count; i++) {
        uint64_t product = 0;
        if (n > 1)
            do
                product = (uint64_t)next_32(r) * n;
            while ((uint32_t)product < threshold);
        out[i] = (uint32_t)(product >> 32);
    }
}

void numpy_rng_bits(unsigned char *bytes, size_t count, struct numpy_rng *r)
{
    for (size_t i = 0; i < count; i += 32) {
        uint32_t word = next_32(r);
        for (size_t k = 0; k < 4 && i + 8 * k < count; k++)
            bytes[i / 8 + k] = (unsigned char)(word >> 8 * k);
    }
    if (count % 8)
        bytes[count / 8] &= (unsigned char)((1u << count % 8) - 1);
}

/* ---- sums ---- */

#define PAIRWISE_SUM(name, type)                                                    \
    type name(const type *a, size_t n)                                              \
    {                                                                               \
        if (n > 128) {                                                              \
            size_t half = n / 2 - n / 2 % 8;                                        \
            return name(a, half) + name(a + half, n - half);                        \
        }                                                                           \
        type sum = 0, part[8];                                                      \
        size_t i = 0;                                                               \
        if (n >= 8) {                                                               \
            memcpy(part, a, sizeof part);                                           \
            for (i = 8; i < n - n % 8; i += 8)                                      \
                for (size_t k = 0; k < 8; k++)                                      \
                    part[k] += a[i + k];                                            \
            sum = ((part[0] + part[1]) + (part[2] + part[3]))                       \
                + ((part[4] + part[5]) + (part[6] + part[7]));                      \
        }                                                                           \
        for (; i < n; i++)                                                          \
            sum += a[i];                                                            \
        return sum;                                                                 \
    }

PAIRWISE_SUM(numpy_sum, double)
PAIRWISE_SUM(numpy_sum_single, float)
