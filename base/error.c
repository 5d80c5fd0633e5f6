/* Failure texts: set once where the facts are known, prefixed on the way up. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Marks a text that did not fit, so that a cut is seen. */
static void mark_cut(char *text, size_t room, int wanted)
{
    static const char cut[] = " …";
    if (wanted < 0 || (size_t)wanted < room)
        return;
    char *end = text + room - sizeof cut;
    while (end > text && ((unsigned char)*end & 0xC0) == 0x80)
        end--;                          /* not inside a character */
    memcpy(end, cut, sizeof cut);
}

int error_set(struct error *err, const char *fmt, ...)
{
    struct error fresh;                 /* the arguments may point into err->text */
    va_list args;

    if (!err)
        return -1;
    va_start(args, fmt);
    mark_cut(fresh.text, sizeof fresh.text, vsnprintf(fresh.text, sizeof fresh.text, fmt, args));
    va_end(args);
    *err = fresh;
    return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
    struct error fresh;
    va_list args;
    size_t length;
    int more;

    if (!err)
        return -1;
    va_start(args, fmt);
    vsnprintf(fresh.text, sizeof fresh.text, fmt, args);
    va_end(args);
    length = strlen(fresh.text);
    more = snprintf(fresh.text + length, sizeof fresh.text - length, ": %s", err->text);
    mark_cut(fresh.text, sizeof fresh.text, (int)length + more);
    *err = fresh;
    return -1;
}
