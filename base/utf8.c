/* UTF-8 as Unicode 15, table 3-7, defines it: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  Runs of ASCII pass eight bytes at a time. */
#include "base/lines.h"

#include <string.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Bytes of the valid character of two bytes or more at p, or 0. */
static size_t long_character(const unsigned char *p, size_t left)
{
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < 2)
        return 0;
    if (p[0] < 0xE0)
        return is_tail(p[1]) ? 2 : 0;
    if (p[0] < 0xF0) {
        unsigned char low = p[0] == 0xE0 ? 0xA0 : 0x80, high = p[0] == 0xED ? 0x9F : 0xBF;
        return left >= 3 && p[1] >= low && p[1] <= high && is_tail(p[2]) ? 3 : 0;
    }
    unsigned char low = p[0] == 0xF0 ? 0x90 : 0x80, high = p[0] == 0xF4 ? 0x8F : 0xBF;
    return left >= 4 && p[1] >= low && p[1] <= high && is_tail(p[2]) && is_tail(p[3]) ? 4 : 0;
}

static size_t ascii_run(const unsigned char *p, size_t left)
{
    size_t i = 0;
    uint64_t word;
    for (; i + 8 <= left; i += 8) {
        memcpy(&word, p + i, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < left && p[i] < 0x80)
        i++;
    return i;
}

size_t utf8_valid_prefix(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0;
    while (i < length) {
        size_t step = p[i] < 0x80 ? ascii_run(p + i, length - i) : long_character(p + i, length - i);
        if (!step)
            break;
        i += step;
    }
    return i;
}
