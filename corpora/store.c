/* Opening and reading a store; the file's layout is in store_format.h. */
#include "corpora/store.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/store_format.h"

static_assert(sizeof(struct store_header) == 96, "the header is 96 bytes without padding");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stores are read in place");

struct store {
    char *path;
    struct mapping file;
    struct store_header header;
    const int32_t *ids;
    const uint64_t *bounds;
};

uint64_t store_header_checksum(const struct store_header *header)
{
    return hash_bytes(header, offsetof(struct store_header, header_checksum), 0);
}

static int damaged(const struct store *s, struct error *err, const char *how)
{
    return error_set(err, "store '%s' is damaged: %s; delete it and build it again", s->path, how);
}

static uint64_t body_checksum(const struct store *s)
{
    uint64_t checksum = 0;
    size_t size;
    for (size_t at = sizeof s->header; at < s->file.length; at += size) {
        size_t left = s->file.length - at;
        size = left < STORE_BLOCK ? left : STORE_BLOCK;
        checksum = hash_bytes(s->file.bytes + at, size, checksum);
    }
    return checksum;
}

static int check_header(struct store *s, struct error *err)
{
    const struct store_header *h = &s->header;
    if (s->file.length < sizeof h->magic || memcmp(s->file.bytes, STORE_MAGIC, sizeof h->magic))
        return error_set(err, "'%s' is no store of ids; build one from text with "
                              "`coho corpus store`", s->path);
    if (s->file.length < sizeof *h)
        return damaged(s, err, "it ends within its header");
    memcpy(&s->header, s->file.bytes, sizeof *h);
    if (h->version != STORE_VERSION || h->header_size != sizeof *h)
        return error_set(err, "store '%s' has version %" PRIu32 " where this program reads "
                              "version %d; build it again", s->path, h->version, STORE_VERSION);
    if (h->header_checksum != store_header_checksum(h))
        return damaged(s, err, "the checksum of its header does not match");
    return 0;
}

/* After this the arrays lie within the file. */
static int check_size(struct store *s, struct error *err)
{
    const struct store_header *h = &s->header;
    uint64_t ids = h->source_tokens + h->target_tokens;
    uint64_t bounds_at = (sizeof *h + 4 * ids + 7) / 8 * 8;
    uint64_t length = h->bounds_at + 8 * (2 * h->pairs + 1);
    if (ids > UINT64_MAX / 8 || h->pairs > UINT64_MAX / 32 || h->bounds_at != bounds_at)
        return damaged(s, err, "its counts do not fit each other");
    if (s->file.length != length)
        return error_set(err, "store '%s' is damaged: it has %zu bytes instead of %" PRIu64
                              "; delete it and build it again", s->path, s->file.length, length);
    s->ids = (const int32_t *)(s->file.bytes + sizeof *h);
    s->bounds = (const uint64_t *)(s->file.bytes + h->bounds_at);
    return 0;
}

/* After this every pair lies within the ids, whether or not the checksum was looked at. */
static int check_bounds(const struct store *s, struct error *err)
{
    uint64_t count = 2 * s->header.pairs;
    bool good = s->bounds[0] == 0 &&
                s->bounds[count] == s->header.source_tokens + s->header.target_tokens;
    for (uint64_t i = 0; good && i < count; i++)
        good = s->bounds[i] <= s->bounds[i + 1] && s->bounds[i + 1] - s->bounds[i] < INT_MAX;
    return good ? 0 : damaged(s, err, "its sentence bounds are out of order");
}

static int check(struct store *s, bool verify, struct error *err)
{
    if (check_header(s, err) < 0 || check_size(s, err) < 0)
        return -1;
    if (verify && body_checksum(s) != s->header.body_checksum)
        return damaged(s, err, "the checksum of its body does not match");
    return check_bounds(s, err);
}

struct store *store_open(const char *path, bool verify, struct error *err)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->path = xstrdup(path);
    if (mapping_open(&s->file, path, err) < 0 || check(s, verify, err) < 0) {
        store_close(s);
        return NULL;
    }
    return s;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    mapping_close(&s->file);
    free(s->path);
    free(s);
}

const char *store_path(const struct store *s)
{
    return s->path;
}

int64_t store_count(const struct store *s)
{
    return (int64_t)s->header.pairs;
}

int64_t store_target_tokens(const struct store *s)
{
    return (int64_t)s->header.target_tokens;
}

int64_t store_source_tokens(const struct store *s)
{
    return (int64_t)s->header.source_tokens;
}

uint64_t store_fingerprint(const struct store *s)
{
    return s->header.body_checksum;
}

uint64_t store_source_vocab(const struct store *s)
{
    return s->header.source_vocab;
}

uint64_t store_target_vocab(const struct store *s)
{
    return s->header.target_vocab;
}

static const int32_t *side(const struct store *s, int64_t bound, int *count)
{
    *count = (int)(s->bounds[bound + 1] - s->bounds[bound]);
    return s->ids + s->bounds[bound];
}

const int32_t *store_source(const struct store *s, int64_t index, int *count)
{
    assert(index >= 0 && index < store_count(s));
    return side(s, 2 * index, count);
}

const int32_t *store_target(const struct store *s, int64_t index, int *count)
{
    assert(index >= 0 && index < store_count(s));
    return side(s, 2 * index + 1, count);
}
