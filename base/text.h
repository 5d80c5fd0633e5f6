#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <string.h>

/* A piece of UTF-8 text that somebody else owns: not zero-terminated, may hold zero bytes.
 * bytes NULL: absent. */
struct text {
    const char *bytes;
    size_t length;
};

static inline struct text text_of(const char *string)   /* zero-terminated, or NULL */
{
    return (struct text){ string, string ? strlen(string) : 0 };
}

#endif
