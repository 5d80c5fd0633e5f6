#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Allocation that never fails: without memory the program says so and stops with status 1. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* 64-byte aligned, for vectors; released with free(). */
void *xaligned(size_t size);

/* Makes room for at least `need` elements in the growing array `items` of capacity `room`:
 *     ARRAY_GROW(list->items, list->room, list->count + 1);
 */
#define ARRAY_GROW(items, room, need) \
    ((items) = array_grow((items), &(room), (size_t)(need), sizeof *(items)))
void *array_grow(void *items, size_t *room, size_t need, size_t item_size);

#define ARRAY_COUNT(a) (sizeof(a) / sizeof *(a))

#endif
