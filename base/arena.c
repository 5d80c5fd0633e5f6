/* A list of blocks, filled one after another.  Blocks behind `current` are empty but kept, so
 * a step as large as an earlier one allocates nothing. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define ALIGN ((size_t)64)
#define BLOCK ((size_t)1 << 20)

struct arena_block {
    struct arena_block *next;
    size_t room, used;
    /* at offset ALIGN: `room` bytes */
};

static char *block_bytes(struct arena_block *b)
{
    return (char *)b + ALIGN;
}

static struct arena_block *block_new(size_t room, struct arena_block *next)
{
    struct arena_block *b = xaligned(ALIGN + room);
    *b = (struct arena_block){ next, room, 0 };
    return b;
}

/* Makes `current` a block with room for `size`: the next kept one that is large enough, or a new
 * one put behind the current.  Kept blocks passed over stay empty until the arena is reset. */
static void advance(struct arena *a, size_t size)
{
    struct arena_block *last = a->current, *b = last ? last->next : a->first;
    size_t room = last && last->room > BLOCK ? last->room : BLOCK;

    for (; b; last = b, b = b->next) {
        b->used = 0;
        if (b->room >= size) {
            a->current = b;
            return;
        }
    }
    b = block_new(size > room ? size : room, NULL);
    if (last)
        last->next = b;
    else
        a->first = b;
    a->current = b;
}

void *arena_take(struct arena *a, size_t size)
{
    size_t rounded = (size + ALIGN - 1) & ~(ALIGN - 1);
    struct arena_block *b = a->current;
    void *p;

    if (rounded < size)
        rounded = size;                 /* beyond memory: the allocation says so */
    if (!b || b->room - b->used < rounded) {
        advance(a, rounded);
        b = a->current;
    }
    p = block_bytes(b) + b->used;
    b->used += rounded;
    a->used += rounded;
    if (a->used > a->peak)
        a->peak = a->used;
    return p;
}

void *arena_zeroed(struct arena *a, size_t size)
{
    return memset(arena_take(a, size), 0, size);
}

static void free_blocks(struct arena *a)
{
    for (struct arena_block *b = a->first, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->first = a->current = NULL;
}

/* Several blocks become one of the peak's size, so that later steps stay within one block. */
void arena_reset(struct arena *a)
{
    if (a->first && a->first->next) {
        free_blocks(a);
        a->first = block_new((a->peak + BLOCK - 1) / BLOCK * BLOCK, NULL);
    }
    a->current = a->first;
    if (a->first)
        a->first->used = 0;
    a->used = 0;
}

void arena_release(struct arena *a)
{
    free_blocks(a);
    *a = (struct arena){ 0 };
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){ a->current, a->current ? a->current->used : 0, a->used };
}

void arena_return(struct arena *a, struct arena_mark mark)
{
    a->current = mark.block ? mark.block : a->first;
    if (a->current)
        a->current->used = mark.block_used;
    a->used = mark.used;
}
