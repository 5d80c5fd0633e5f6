#ifndef SEQ2SEQ_WATCH_H
#define SEQ2SEQ_WATCH_H

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* Where a stepper keeps the attention of its last step, when asked to.  {0} is valid and off. */
struct watch {
    bool on;
    float *weight;              /* (rows,width); row r's sentence may have fewer tokens */
    size_t room;
    int width;
};

/* Clears the weights of `rows` rows over at most `width` source tokens. */
static inline void watch_begin(struct watch *w, int rows, int width)
{
    w->width = width;
    ARRAY_GROW(w->weight, w->room, (size_t)rows * (size_t)width + 1);
    memset(w->weight, 0, (size_t)rows * (size_t)width * sizeof(float));
}

static inline float *watch_row(const struct watch *w, int row)
{
    return w->weight + (size_t)row * (size_t)w->width;
}

/* Adds s (count), scaled to the sum `share`. */
static inline void watch_add(const struct watch *w, int row, const float *s, int count, float share)
{
    float *weight = watch_row(w, row), sum = 0;
    for (int i = 0; i < count; i++)
        sum += s[i];
    for (int i = 0; i < count; i++)
        weight[i] += s[i] * (share / sum);
}

#endif
