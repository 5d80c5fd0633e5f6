#ifndef EVAL_BAG_H
#define EVAL_BAG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"

/* A multiset of n-grams, each known by a 64-bit key that mixes its parts: the references' side
 * of clipped counting.  Two n-grams of a segment share a key with a probability around 1e-15.
 *
 *     bag_reset(&bag, ngrams_in_all_references);
 *     for each reference: { bag_rewind(&bag); for each n-gram: bag_add(&bag, key); }
 *     for each hypothesis: { bag_rewind(&bag);
 *                            for each n-gram: matches += bag_match(&bag, key) == BAG_MATCH; }
 *
 * With one reference, bag_put does what bag_rewind and bag_add do, in less time. */
struct bag_slot {
    uint64_t key;                       /* 0: free */
    uint32_t limit;                     /* the most that one reference has */
    uint32_t used;                      /* by the text in hand */
};

struct bag {
    struct bag_slot *slots;
    uint32_t *touched;                  /* slots with used > 0 */
    size_t slots_room, touched_room, touched_count, mask;
};

enum bag_result {
    BAG_ABSENT,                         /* in no reference, and so is any longer n-gram over it */
    BAG_SPENT,                          /* as often as in the references already */
    BAG_MATCH
};

void bag_reset(struct bag *bag, size_t expected);       /* empties it */
static inline void bag_add(struct bag *bag, uint64_t key);
static inline void bag_put(struct bag *bag, uint64_t key);
static inline enum bag_result bag_match(struct bag *bag, uint64_t key);
void bag_rewind(struct bag *bag);       /* before each reference or hypothesis */
void bag_release(struct bag *bag);

/* The key of an n-gram followed by one more part.  Parts are well-mixed hashes. */
static inline uint64_t bag_extend(uint64_t key, uint64_t part)
{
    uint64_t x = (key ^ (part << 23 | part >> 41)) * 0x9E3779B97F4A7C15u;
    return x ^ x >> 29;
}

/* Folds the 128 bits of a product. */
static inline uint64_t bag_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The part that a token is.  Short ones, nearly all, are two words of their first and last bytes. */
static inline uint64_t bag_part(const char *bytes, size_t length)
{
    uint64_t first = 0, last = 0;
    if (length > 16)
        return hash_bytes(bytes, length, 0);
    if (length >= 8) {
        memcpy(&first, bytes, 8);
        memcpy(&last, bytes + length - 8, 8);
    } else if (length >= 4) {
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + length - 4, 4);
    } else if (length) {
        first = (uint64_t)(unsigned char)bytes[0] | (uint64_t)(unsigned char)bytes[length / 2] << 8
            | (uint64_t)(unsigned char)bytes[length - 1] << 16;
    }
    return bag_fold(bag_fold(first ^ 0xA0761D6478BD642Fu, last ^ 0xE7037ED1A0B428DBu) ^ length,
                    0x8EBC6AF09C88C6E3u);
}

/* ---- the inner loop of every metric over n-grams, hence here ---- */

static inline struct bag_slot *bag_slot(const struct bag *bag, uint64_t key)
{
    size_t at = (key ^ key >> 32) & bag->mask;
    while (bag->slots[at].key && bag->slots[at].key != key)
        at = (at + 1) & bag->mask;
    return &bag->slots[at];
}

static inline void bag_use(struct bag *bag, struct bag_slot *slot)
{
    if (slot->used++ == 0)
        bag->touched[bag->touched_count++] = (uint32_t)(slot - bag->slots);
}

static inline void bag_add(struct bag *bag, uint64_t key)
{
    key += key == 0;
    struct bag_slot *slot = bag_slot(bag, key);
    slot->key = key;
    bag_use(bag, slot);
    if (slot->limit < slot->used)
        slot->limit = slot->used;
}

static inline void bag_put(struct bag *bag, uint64_t key)
{
    key += key == 0;
    struct bag_slot *slot = bag_slot(bag, key);
    slot->key = key;
    slot->limit++;
}

static inline enum bag_result bag_match(struct bag *bag, uint64_t key)
{
    key += key == 0;
    struct bag_slot *slot = bag_slot(bag, key);
    if (!slot->key)
        return BAG_ABSENT;
    if (slot->used >= slot->limit)
        return BAG_SPENT;
    bag_use(bag, slot);
    return BAG_MATCH;
}

#endif
