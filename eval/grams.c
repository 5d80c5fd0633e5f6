/* Most n-grams of a sentence come once, and what extends such a one is known by its place: only
 * n-grams whose shorter beginning comes at least twice are hashed, order by order.  Of a
 * hypothesis, each place is followed through the table while its n-gram is one of those, then
 * compared part by part with the one place where it can go on.
 *
 *     text          a b a c a b d      hashed: a b c d; ab ac bd …, not "cab" for "c" comes once
 *     hypothesis    a c a b            "ac" comes once, at 2: "aca", "acab" are compared there
 *
 * Invariant: an n-gram is in the table if and only if the text has its first n-1 parts twice. */
#include "eval/grams.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/bag.h"

struct gram_slot {
    uint64_t key;
    uint32_t age;                       /* another than the table's: free */
    uint32_t place;                     /* where the n-gram begins, first of all */
    uint32_t count, matched;            /* in the text, and of the hypothesis in hand */
};

/* An n-gram whose longer ones are still to come. */
struct gram_place {
    uint64_t key;
    uint32_t place, slot;
};

static struct gram_slot *find(const struct grams *g, uint64_t key)
{
    size_t at = (key ^ key >> 32) & g->mask;
    while (g->slots[at].age == g->age && g->slots[at].key != key)
        at = (at + 1) & g->mask;
    return &g->slots[at];
}

/* Room for so many n-grams more, with the table at most half full. */
static void make_room(struct grams *g, size_t more)
{
    size_t slots = g->slots ? g->mask + 1 : 0, wanted = slots ? slots : 256;
    struct gram_slot *old = g->slots;
    while (wanted < 2 * (g->used_slots + more))
        wanted *= 2;
    if (wanted == slots)
        return;
    g->slots = xcalloc(wanted, sizeof *g->slots);
    g->mask = wanted - 1;
    for (size_t i = 0; i < slots; i++)
        if (old[i].age == g->age)
            *find(g, old[i].key) = old[i];
    free(old);
}

static uint32_t put(struct grams *g, uint64_t key, uint32_t place)
{
    struct gram_slot *slot = find(g, key);
    if (slot->age != g->age) {
        *slot = (struct gram_slot){ key, g->age, place, 0, 0 };
        g->used_slots++;
    }
    slot->count++;
    return (uint32_t)(slot - g->slots);
}

/* Those that come more than once, with the next part. */
static size_t extend(struct grams *g, size_t live, size_t order)
{
    size_t kept = 0;
    for (size_t i = 0; i < live; i++) {
        struct gram_place p = g->live[i];
        if (g->slots[p.slot].count > 1 && p.place + order < g->count)
            g->live[kept++] = (struct gram_place){ bag_extend(p.key, g->parts[p.place + order]), p.place, 0 };
    }
    return kept;
}

static void start(struct grams *g, const uint64_t *parts, size_t count, int orders)
{
    if (++g->age == 0) {
        if (g->slots)
            memset(g->slots, 0, (g->mask + 1) * sizeof *g->slots);
        g->age = 1;
    }
    g->parts = parts;
    g->count = count;
    g->orders = orders;
    g->used_slots = g->touched_count = 0;
    ARRAY_GROW(g->live, g->live_room, count + 1);
    ARRAY_GROW(g->taken, g->taken_room, count + 1);
    memset(g->taken, 0, count * sizeof *g->taken);
}

void grams_set(struct grams *g, const uint64_t *parts, size_t count, int orders)
{
    size_t live = count;
    start(g, parts, count, orders);
    for (size_t i = 0; i < count; i++)
        g->live[i] = (struct gram_place){ parts[i], (uint32_t)i, 0 };
    for (size_t order = 1; order <= (size_t)orders; order++) {
        make_room(g, live);
        for (size_t i = 0; i < live; i++)
            g->live[i].slot = put(g, g->live[i].key, g->live[i].place);
        live = extend(g, live, order);
    }
}

static void forget_matches(struct grams *g)
{
    for (size_t i = 0; i < g->touched_count; i++)
        g->slots[g->touched[i]].matched = 0;
    if (g->touched_count)
        memset(g->taken, 0, g->count * sizeof *g->taken);
    g->touched_count = 0;
}

static size_t match_slot(struct grams *g, struct gram_slot *slot)
{
    if (slot->matched == slot->count)
        return 0;
    if (slot->matched++ == 0) {
        ARRAY_GROW(g->touched, g->touched_room, g->touched_count + 1);
        g->touched[g->touched_count++] = (uint32_t)(slot - g->slots);
    }
    return 1;
}

/* From order + 1 on: the only place where these parts can be. */
static void follow(size_t *matches, struct grams *g, const uint64_t *hyp, size_t left, size_t place, size_t order)
{
    size_t end = (size_t)g->orders;
    end = left < end ? left : end;
    end = g->count - place < end ? g->count - place : end;
    unsigned taken = g->taken[place];
    for (; order < end && g->parts[place + order] == hyp[order]; order++) {
        matches[order] += !(taken >> order & 1);
        taken |= 1u << order;
    }
    g->taken[place] = (uint16_t)taken;
}

static void match_place(size_t *matches, struct grams *g, const uint64_t *hyp, size_t left)
{
    uint64_t key = hyp[0];
    for (size_t order = 0; ; ) {
        struct gram_slot *slot = find(g, key);
        if (slot->age != g->age)
            return;
        matches[order] += match_slot(g, slot);
        order++;
        if (slot->count == 1) {
            follow(matches, g, hyp, left, slot->place, order);
            return;
        }
        if (order == (size_t)g->orders || order == left)
            return;
        key = bag_extend(key, hyp[order]);
    }
}

void grams_match(size_t *matches, struct grams *g, const uint64_t *hyp, size_t count)
{
    memset(matches, 0, (size_t)g->orders * sizeof *matches);
    if (g->count == 0 || g->orders == 0)
        return;
    forget_matches(g);
    for (size_t i = 0; i < count; i++)
        match_place(matches, g, hyp + i, count - i);
}

void grams_release(struct grams *g)
{
    free(g->slots);
    free(g->live);
    free(g->taken);
    free(g->touched);
    *g = (struct grams){ 0 };
}
