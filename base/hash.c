/* XXH3, 64 bits. */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"

#define BLOCK ((size_t)1 << 18)

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes ? bytes : "", length, seed);
}

/* Read and not mapped: a file that shrinks meanwhile is a different hash, not a signal. */
int hash_file(uint64_t *out, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    XXH3_state_t *state;
    char *block;
    ssize_t got;

    if (fd < 0)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    block = xmalloc(BLOCK);
    state = XXH3_createState();
    if (!state)
        xmalloc(SIZE_MAX);
    XXH3_64bits_reset(state);
    while ((got = read(fd, block, BLOCK)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            XXH3_64bits_update(state, block, (size_t)got);
    if (got < 0)
        error_set(err, "cannot read %s: %s", path, strerror(errno));
    else
        *out = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    free(block);
    close(fd);
    return got < 0 ? -1 : 0;
}

void hash_text(char text[HASH_TEXT], uint64_t hash)
{
    snprintf(text, HASH_TEXT, "%016" PRIx64, hash);
}
