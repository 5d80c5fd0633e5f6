#ifndef EVAL_GRAMS_H
#define EVAL_GRAMS_H

#include <stddef.h>
#include <stdint.h>

/* The n-grams of one text, all orders up to 16, for clipped counting of another's: characters or
 * words, each a 64-bit hash that is not 0.
 *
 *     struct grams grams = {0};
 *     grams_set(&grams, ref, ref_count, 6);
 *     grams_match(matches, &grams, hyp, hyp_count);    // as often as wanted
 *     grams_release(&grams);
 */
#define GRAMS_ORDER_MAX 16

struct grams {
    struct gram_slot *slots;
    size_t mask, used_slots;
    uint32_t age;                       /* of the text: slots of others are free */
    const uint64_t *parts;              /* borrowed */
    size_t count;
    int orders;
    struct gram_place *live;            /* while it is made */
    size_t live_room;
    uint16_t *taken;                    /* (count) bit n: the n-gram that begins here is matched */
    size_t taken_room;
    uint32_t *touched;                  /* slots with matches */
    size_t touched_count, touched_room;
};

/* `parts` stay the caller's and must not move until the next call. */
void grams_set(struct grams *g, const uint64_t *parts, size_t count, int orders);

/* matches[n]: n+1-grams of the hypothesis that the text has as well, each counted as often as it
 * is in both. */
void grams_match(size_t *matches, struct grams *g, const uint64_t *hyp, size_t count);
void grams_release(struct grams *g);

#endif
