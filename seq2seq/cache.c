/* Keys and values in tiles. */
#include "seq2seq/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static size_t tiles_of(int places)
{
    return ((size_t)places + CACHE_TILE - 1) / CACHE_TILE;
}

/* One vector more than is used, since the last head of the last place is read in whole vectors. */
void cache_reserve(struct cache *c, int places, int D, int layers)
{
    if (places <= c->room)
        return;
    int room = c->room && places < 2 * c->room ? 2 * c->room : places;
    size_t count = tiles_of(room), old = tiles_of(c->room), size = cache_stride(D, layers);
    float *tiles = xaligned((count * size + CACHE_TILE) * sizeof *tiles);
    if (old)
        memcpy(tiles, c->tiles, old * size * sizeof *tiles);
    memset(tiles + old * size, 0, ((count - old) * size + CACHE_TILE) * sizeof *tiles);
    free(c->tiles);
    c->tiles = tiles;
    c->room = (int)count * CACHE_TILE;
}

void cache_release(struct cache *c)
{
    free(c->tiles);
    *c = (struct cache){ 0 };
}

void cache_copy(struct cache *to, const struct cache *from, int places, int D, int layers)
{
    cache_reserve(to, places, D, layers);
    if (places)
        memcpy(to->tiles, from->tiles, tiles_of(places) * cache_stride(D, layers) * sizeof *to->tiles);
}

void cache_write(const struct cache *c, int layer, int place, const float *kv, size_t ld, int count, int D,
                 int layers)
{
    for (int i = 0; i < count; i++, kv += ld) {
        int t = (place + i) % CACHE_TILE;
        float *tile = cache_layer(c, D, layer) + cache_stride(D, layers) * (size_t)((place + i) / CACHE_TILE);
        for (int d = 0; d < D; d++)
            tile[d * CACHE_TILE + t] = kv[d];
        memcpy(tile + (size_t)CACHE_TILE * (size_t)D + (size_t)t * (size_t)D, kv + D, (size_t)D * sizeof *tile);
    }
}
