#ifndef CORPORA_HASH_SET_H
#define CORPORA_HASH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of 64-bit fingerprints: 12 to 24 bytes an element, whatever the texts behind them.
 * {0} is a valid empty set.  Two different texts are taken for one with a probability of
 * n² / 2^65 for n texts: 1 in 3,700 for 100 million. */
struct hash_set {
    uint64_t *slots;
    size_t count, room;         /* room is 0 or a power of two */
};

bool hash_set_add(struct hash_set *s, uint64_t hash);       /* false: it was there already */
bool hash_set_has(const struct hash_set *s, uint64_t hash);
void hash_set_prefetch(const struct hash_set *s, uint64_t hash);    /* which is soon asked for */
/* The memory of the table after so many more elements. */
size_t hash_set_bytes_with(const struct hash_set *s, size_t more);
void hash_set_release(struct hash_set *s);

#endif
