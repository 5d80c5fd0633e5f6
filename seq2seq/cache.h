#ifndef SEQ2SEQ_CACHE_H
#define SEQ2SEQ_CACHE_H

#include <stddef.h>

/* Keys and values of a row or of a sentence, for every layer of the decoder, in tiles of 16 places that
 * kernel->attend reads from end to end:
 *
 *     tile 0   layer 0   keys (D,16)   values (16,D)
 *              layer 1   keys          values
 *              …
 *     tile 1   layer 0   …
 *
 * {0} is valid and empty. */
#define CACHE_TILE 16

struct cache {
    float *tiles;
    int room;                   /* places */
};

/* Floats of one tile of one layer, and from a layer's tile to its next one. */
static inline size_t cache_tile(int D)
{
    return 2 * (size_t)CACHE_TILE * (size_t)D;
}

static inline size_t cache_stride(int D, int layers)
{
    return cache_tile(D) * (size_t)layers;
}

static inline float *cache_layer(const struct cache *c, int D, int layer)
{
    return c->tiles + cache_tile(D) * (size_t)layer;
}

/* Room for so many places; what is there stays. */
void cache_reserve(struct cache *c, int places, int D, int layers);
void cache_release(struct cache *c);

/* The first `places` of `from`. */
void cache_copy(struct cache *to, const struct cache *from, int places, int D, int layers);

/* Writes keys and values at `place` and the count-1 after it: key i at kv + i·ld, its value D further on. */
void cache_write(const struct cache *c, int layer, int place, const float *kv, size_t ld, int count, int D,
                 int layers);

#endif
