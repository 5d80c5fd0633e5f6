#include "seq2seq/numbered.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The name's number, or -1. */
static int64_t number_of(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(prefix);
    char *end;
    if (strncmp(name, prefix, length) || !isdigit((unsigned char)name[length]))
        return -1;
    int64_t number = strtoll(name + length, &end, 10);
    return strcmp(end, suffix) ? -1 : number;
}

size_t numbered_find(int64_t **numbers, const char *folder, const char *prefix, const char *suffix)
{
    DIR *dir = opendir(folder);
    size_t count = 0, room = 0;
    struct dirent *entry;
    *numbers = NULL;
    while (dir && (entry = readdir(dir))) {
        int64_t number = number_of(entry->d_name, prefix, suffix);
        if (number < 0)
            continue;
        ARRAY_GROW(*numbers, room, count + 1);
        (*numbers)[count++] = number;
    }
    if (dir)
        closedir(dir);
    if (count)
        qsort(*numbers, count, sizeof **numbers, compare);
    return count;
}
