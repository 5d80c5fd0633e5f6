/* Comparing tags. */
#include "corpora/language_tag.h"

#include <string.h>

static char folded(char c)
{
    return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

bool language_matches(const char *tag, const char *wanted)
{
    while (*wanted && folded(*tag) == folded(*wanted))
        tag++, wanted++;
    return !*wanted && (!*tag || folded(*tag) == '-');
}

bool language_told(const char *wanted)
{
    return wanted && *wanted && strcmp(wanted, "src") && strcmp(wanted, "trg");
}
