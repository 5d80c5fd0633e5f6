#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* xoshiro256** (Blackman & Vigna 2018), seeded through splitmix64.  The state is plain data:
 * copying it copies the stream, saving its four words saves the exact position. */
struct rng {
    uint64_t word[4];
};

/* Streams of one seed are independent: (seed, 0), (seed, 1), … */
void rng_seed(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n);          /* 0 … n-1, n > 0, without bias */
double rng_unit(struct rng *r);                         /* [0, 1) */
double rng_normal(struct rng *r);                       /* mean 0, deviation 1 */
void rng_shuffle(struct rng *r, void *items, size_t count, size_t item_size);

/* The seed of one purpose ("order", "dropout") of a run that has one seed for everything. */
uint64_t rng_stream(uint64_t seed, const char *purpose);

/* A stateless 64-bit mixer (splitmix64's finaliser), for hashing small integers. */
uint64_t rng_mix(uint64_t x);

#endif
