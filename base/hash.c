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

struct hash_stream {
    XXH3_state_t *state;
};

struct hash_stream *hash_stream_new(void)
{
    struct hash_stream *s = xmalloc(sizeof *s);
    s->state = XXH3_createState();
    if (!s->state)
        xmalloc(SIZE_MAX);
    hash_stream_reset(s);
    return s;
}

void hash_stream_reset(struct hash_stream *s)
{
    XXH3_64bits_reset(s->state);
}

void hash_stream_add(struct hash_stream *s, const void *bytes, size_t length)
{
    if (length)
        XXH3_64bits_update(s->state, bytes, length);
}

uint64_t hash_stream_digest(const struct hash_stream *s)
{
    return XXH3_64bits_digest(s->state);
}

void hash_stream_free(struct hash_stream *s)
{
    if (!s)
        return;
    XXH3_freeState(s->state);
    free(s);
}

/* Read and not mapped: a file that shrinks meanwhile is a different hash, not a signal. */
int hash_file(uint64_t *out, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct hash_stream *stream;
    char *block;
    ssize_t got;

    if (fd < 0)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    block = xmalloc(BLOCK);
    stream = hash_stream_new();
    while ((got = read(fd, block, BLOCK)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            hash_stream_add(stream, block, (size_t)got);
    if (got < 0)
        error_set(err, "cannot read %s: %s", path, strerror(errno));
    else
        *out = hash_stream_digest(stream);
    hash_stream_free(stream);
    free(block);
    close(fd);
    return got < 0 ? -1 : 0;
}

void hash_text(char text[HASH_TEXT], uint64_t hash)
{
    snprintf(text, HASH_TEXT, "%016" PRIx64, hash);
}
