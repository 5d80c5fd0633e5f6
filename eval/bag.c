/* Open addressing with linear probing, at most half full, cleared for every segment: only as many
 * slots as the segment needs are used, so a short segment stays in the first-level cache even
 * after a long one. */
#include "eval/bag.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void bag_reset(struct bag *bag, size_t expected)
{
    size_t slots = 64;
    while (slots < 2 * expected)
        slots *= 2;
    ARRAY_GROW(bag->slots, bag->slots_room, slots);
    ARRAY_GROW(bag->touched, bag->touched_room, slots / 2);
    memset(bag->slots, 0, slots * sizeof *bag->slots);
    bag->mask = slots - 1;
    bag->touched_count = 0;
}

static inline struct bag_slot *find(const struct bag *bag, uint64_t key)
{
    size_t at = (key ^ key >> 32) & bag->mask;
    while (bag->slots[at].key && bag->slots[at].key != key)
        at = (at + 1) & bag->mask;
    return &bag->slots[at];
}

static inline void use(struct bag *bag, struct bag_slot *slot)
{
    if (slot->used++ == 0)
        bag->touched[bag->touched_count++] = (uint32_t)(slot - bag->slots);
}

void bag_add(struct bag *bag, uint64_t key)
{
    key += key == 0;
    struct bag_slot *slot = find(bag, key);
    slot->key = key;
    use(bag, slot);
    if (slot->limit < slot->used)
        slot->limit = slot->used;
}

enum bag_result bag_match(struct bag *bag, uint64_t key)
{
    key += key == 0;
    struct bag_slot *slot = find(bag, key);
    if (!slot->key)
        return BAG_ABSENT;
    if (slot->used >= slot->limit)
        return BAG_SPENT;
    use(bag, slot);
    return BAG_MATCH;
}

void bag_rewind(struct bag *bag)
{
    for (size_t i = 0; i < bag->touched_count; i++)
        bag->slots[bag->touched[i]].used = 0;
    bag->touched_count = 0;
}

void bag_release(struct bag *bag)
{
    free(bag->slots);
    free(bag->touched);
    *bag = (struct bag){ 0 };
}
