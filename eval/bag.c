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
