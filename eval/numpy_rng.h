#ifndef EVAL_NUMPY_RNG_H
#define EVAL_NUMPY_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NumPy's default_rng, number for number: PCG64 (O'Neill 2014, XSL-RR) seeded by a SeedSequence.
 * sacreBLEU's significance tests draw from it, so their figures can be had again. */
struct numpy_rng {
    unsigned __int128 state, increment;
    bool has_half;              /* the upper half of the last word was not used yet */
    uint32_t half;
};

void numpy_rng_seed(struct numpy_rng *r, uint64_t seed);
void numpy_rng_seed_randomly(struct numpy_rng *r);      /* default_rng(None) */

/* Generator.integers(0, n, size=count), 0 < n < 2^32. */
void numpy_rng_integers(uint32_t *out, size_t count, struct numpy_rng *r, uint32_t n);

/* Generator.integers(2, size=count, dtype=bool): number i is bit i % 8 of bytes[i / 8]. */
void numpy_rng_bits(unsigned char *bytes, size_t count, struct numpy_rng *r);

/* ndarray.sum of a contiguous array: the order in which NumPy adds. */
double numpy_sum(const double *a, size_t n);
float numpy_sum_single(const float *a, size_t n);

#endif
