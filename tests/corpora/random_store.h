#ifndef TESTS_CORPORA_RANDOM_STORE_H
#define TESTS_CORPORA_RANDOM_STORE_H

#include "base/error.h"
#include "base/rng.h"
#include "corpora/store.h"

/* A store of pairs with random lengths of 0 … longest-1, each token telling its pair and place. */
static inline int32_t random_store_token(int64_t pair, int place, int side)
{
    return (int32_t)(rng_mix((uint64_t)pair * 1000 + (uint64_t)place * 2 + (uint64_t)side) % 30000);
}

static inline void random_store_lengths(int64_t pair, int longest, uint64_t seed,
                                        int *source, int *target)
{
    uint64_t r = rng_mix(seed ^ rng_mix((uint64_t)pair + 1));
    *source = (int)(r % (uint64_t)longest);
    *target = (int)((r >> 32) % (uint64_t)longest);
}

static inline void random_store_write(const char *path, int64_t pairs, int longest, uint64_t seed)
{
    struct error err = { 0 };
    struct store_writer *w = store_writer_new(path, 111, 222, &err);
    int32_t *ids[2] = { malloc((size_t)longest * sizeof(int32_t)),
                        malloc((size_t)longest * sizeof(int32_t)) };
    assert_non_null(w);
    for (int64_t i = 0; i < pairs; i++) {
        int count[2];
        random_store_lengths(i, longest, seed, &count[0], &count[1]);
        for (int side = 0; side < 2; side++)
            for (int k = 0; k < count[side]; k++)
                ids[side][k] = random_store_token(i, k, side);
        assert_int_equal(store_writer_add(w, ids[0], count[0], ids[1], count[1], &err), 0);
    }
    if (store_writer_commit(w, &err) < 0)
        fail_msg("%s", err.text);
    free(ids[0]);
    free(ids[1]);
}

static inline struct store *random_store(const char *path, int64_t pairs, int longest, uint64_t seed)
{
    struct error err = { 0 };
    random_store_write(path, pairs, longest, seed);
    struct store *s = store_open(path, true, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

#endif
