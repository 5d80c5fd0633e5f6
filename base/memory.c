/* Allocation that ends the program when memory runs out. */
#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *out_of_memory(size_t size)
{
    fprintf(stderr, "coho: out of memory: %zu bytes could not be had\n", size);
    _exit(1);                           /* no exit handlers: other threads still run */
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    return p ? p : out_of_memory(size);
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    size_t total;
    if (p)
        return p;
    return out_of_memory(__builtin_mul_overflow(count, size, &total) ? SIZE_MAX : total);
}

void *xrealloc(void *p, size_t size)
{
    void *grown = realloc(p, size ? size : 1);
    return grown ? grown : out_of_memory(size);
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t length)
{
    size_t used = strnlen(text, length);
    char *copy = xmalloc(used + 1);
    memcpy(copy, text, used);
    copy[used] = '\0';
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    char *text;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        out_of_memory(0);
    va_end(args);
    return text;
}

/* Large blocks are mapped each for itself, so that freeing one gives it back to the system.  Left to
 * itself, malloc would keep them once some were freed. */
__attribute__((constructor)) static void map_large_blocks(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 2 << 20);
#endif
}

void *xaligned(size_t size)
{
    size_t rounded = (size + 63) & ~(size_t)63;
    void *p = rounded < size ? NULL : aligned_alloc(64, rounded ? rounded : 64);
    return p ? p : out_of_memory(size);
}

void *array_grow(void *items, size_t *room, size_t need, size_t item_size)
{
    size_t wanted = *room + *room / 2, bytes;
    if (need <= *room)
        return items;
    if (wanted < need)
        wanted = need;
    if (wanted < 8)
        wanted = 8;
    if (__builtin_mul_overflow(wanted, item_size, &bytes))
        out_of_memory(SIZE_MAX);
    *room = wanted;
    return xrealloc(items, bytes);
}
