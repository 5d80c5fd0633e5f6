#ifndef SEQ2SEQ_NUMBERED_H
#define SEQ2SEQ_NUMBERED_H

#include <stddef.h>
#include <stdint.h>

/* What a folder holds under names of prefix, number, suffix: the numbers, the highest first, the caller's.
 * Returns how many; none where there is no such folder. */
size_t numbered_find(int64_t **numbers, const char *folder, const char *prefix, const char *suffix);

#endif
