/* Open addressing with linear probing; a slot of 0 is free. */
#include "corpora/hash_set.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"

static bool insert(uint64_t *slots, size_t room, uint64_t hash)
{
    size_t at = (size_t)rng_mix(hash) & (room - 1);
    for (; slots[at]; at = (at + 1) & (room - 1))
        if (slots[at] == hash)
            return false;
    slots[at] = hash;
    return true;
}

static void grow(struct hash_set *s)
{
    size_t room = s->room ? 2 * s->room : 1024;
    uint64_t *slots = xcalloc(room, sizeof *slots);
    for (size_t i = 0; i < s->room; i++)
        if (s->slots[i])
            insert(slots, room, s->slots[i]);
    free(s->slots);
    s->slots = slots;
    s->room = room;
}

bool hash_set_add(struct hash_set *s, uint64_t hash)
{
    if (3 * (s->count + 1) > 2 * s->room)
        grow(s);
    bool added = insert(s->slots, s->room, hash ? hash : 1);
    s->count += added;
    return added;
}

bool hash_set_has(const struct hash_set *s, uint64_t hash)
{
    uint64_t wanted = hash ? hash : 1;
    if (!s->room)
        return false;
    size_t at = (size_t)rng_mix(wanted) & (s->room - 1);
    for (; s->slots[at]; at = (at + 1) & (s->room - 1))
        if (s->slots[at] == wanted)
            return true;
    return false;
}

void hash_set_prefetch(const struct hash_set *s, uint64_t hash)
{
    if (s->room)
        __builtin_prefetch(&s->slots[rng_mix(hash ? hash : 1) & (s->room - 1)]);
}

size_t hash_set_bytes_with(const struct hash_set *s, size_t more)
{
    size_t room = s->room ? s->room : 1024;
    while (3 * (s->count + more) > 2 * room)
        room *= 2;
    return room * sizeof *s->slots;
}

void hash_set_release(struct hash_set *s)
{
    free(s->slots);
    *s = (struct hash_set){ 0 };
}
