#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/* Memory for one step of work: taken piece by piece, given back all at once.
 * {0} is a valid empty arena.  Pieces are 64-byte aligned and not cleared. */
struct arena {
    struct arena_block *first, *current;
    size_t used;                /* bytes handed out since the last reset */
    size_t peak;                /* the most that `used` ever was */
};

void *arena_take(struct arena *a, size_t size);
void *arena_zeroed(struct arena *a, size_t size);
void arena_reset(struct arena *a);      /* keeps the memory for the next step */
void arena_release(struct arena *a);

/* Gives back everything taken since the mark. */
struct arena_mark {
    struct arena_block *block;
    size_t block_used, used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_return(struct arena *a, struct arena_mark mark);

#endif
