/* Parameter sets: declared one by one, allocated as one block. */
#include "tensor/params.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define ALIGN 16        /* floats: each parameter starts on a cache line */

void param_add(struct param_set *set, int *ref, enum init init, int rows, int cols,
               const char *name_fmt, ...)
{
    char name[256];
    va_list args;
    va_start(args, name_fmt);
    vsnprintf(name, sizeof name, name_fmt, args);
    va_end(args);
    assert(!set->block && rows > 0 && cols > 0);
    assert(param_find(set, name) < 0);

    size_t size = (size_t)rows * cols;
    ARRAY_GROW(set->items, set->room, set->count + 1);
    set->items[set->count] = (struct param){ xstrdup(name), rows, cols, set->total, init };
    set->total += (size + ALIGN - 1) / ALIGN * ALIGN;
    set->weights += size;
    *ref = (int)set->count++;
}

int param_find(const struct param_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->items[i].name, name))
            return (int)i;
    return -1;
}

float *block_new(const struct param_set *set)
{
    size_t bytes = set->total * sizeof(float);
    return memset(xaligned(bytes), 0, bytes);
}

void params_allocate(struct param_set *set)
{
    assert(!set->block);
    set->block = block_new(set);
}

void params_reserve(struct param_set *set)
{
    assert(!set->block);
    set->block = xaligned(set->total * sizeof(float));
}

static void fill_uniform(float *w, size_t size, double limit, struct rng *rng)
{
    for (size_t i = 0; i < size; i++)
        w[i] = (float)((2 * rng_unit(rng) - 1) * limit);
}

static void param_init(const struct param *p, float *w, struct rng *rng)
{
    size_t size = (size_t)p->rows * p->cols;
    switch (p->init) {
    case INIT_ZERO:
        break;
    case INIT_ONE:
        for (size_t i = 0; i < size; i++)
            w[i] = 1;
        break;
    case INIT_XAVIER:
        fill_uniform(w, size, sqrt(6.0 / (p->rows + p->cols)), rng);
        break;
    case INIT_EMBED:
        for (size_t i = 0; i < size; i++)
            w[i] = (float)(rng_normal(rng) / sqrt(p->cols));
        break;
    case INIT_UNIFORM:
        fill_uniform(w, size, 0.1, rng);
        break;
    case INIT_LSTM_BIAS:
        for (size_t i = size / 4; i < size / 2; i++)
            w[i] = 1;
        break;
    }
}

void params_init(struct param_set *set, struct rng *rng)
{
    memset(set->block, 0, set->total * sizeof(float));
    for (size_t i = 0; i < set->count; i++)
        param_init(&set->items[i], set->block + set->items[i].offset, rng);
}

void params_release(struct param_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].name);
        if (set->packed)
            packed_release(&set->packed[i]);
    }
    free(set->items);
    free(set->packed);
    free(set->block);
    *set = (struct param_set){ 0 };
}
