/* Opening and asking a shortlist; the file's layout is in shortlist_format.h. */
#include "decode/shortlist.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "decode/shortlist_format.h"
#include "tokenize/tokenizer.h"

static_assert(sizeof(struct shortlist_header) == 96, "the header is 96 bytes without padding");

struct shortlist {
    char *path;
    struct mapping file;
    struct shortlist_header header;
    const uint64_t *bounds;
    const int32_t *target, *frequent;
    const float *p;
};

static int damaged(const struct shortlist *l, struct error *err, const char *how)
{
    return error_set(err, "shortlist '%s' is damaged: %s; build it again with `coho shortlist`",
                     l->path, how);
}

static int check_header(struct shortlist *l, struct error *err)
{
    struct shortlist_header *h = &l->header;
    if (l->file.length < sizeof h->magic || memcmp(l->file.bytes, SHORTLIST_MAGIC, sizeof h->magic))
        return error_set(err, "'%s' is no shortlist; build one with `coho shortlist`", l->path);
    if (l->file.length < sizeof *h)
        return damaged(l, err, "it ends within its header");
    memcpy(h, l->file.bytes, sizeof *h);
    if (h->version != SHORTLIST_VERSION || h->header_size != sizeof *h)
        return error_set(err, "shortlist '%s' has version %" PRIu32 " where this program reads version "
                         "%d; build it again", l->path, h->version, SHORTLIST_VERSION);
    if (h->header_checksum != hash_bytes(h, offsetof(struct shortlist_header, header_checksum), 0))
        return damaged(l, err, "the checksum of its header does not match");
    return 0;
}

/* After this the arrays lie within the file. */
static int check_size(struct shortlist *l, struct error *err)
{
    const struct shortlist_header *h = &l->header;
    uint64_t most = UINT64_C(1) << 40;
    if (h->source_pieces > most || h->target_pieces > INT32_MAX || h->entries > most
        || h->frequent > h->target_pieces || h->source_pieces > INT32_MAX)
        return damaged(l, err, "its counts make no sense");
    uint64_t length = sizeof *h + 8 * (h->source_pieces + 1) + 8 * h->entries + 4 * h->frequent;
    if (l->file.length != length)
        return error_set(err, "shortlist '%s' is damaged: it has %zu bytes instead of %" PRIu64
                         "; build it again", l->path, l->file.length, length);
    if (h->body_checksum != hash_bytes(l->file.bytes + sizeof *h, l->file.length - sizeof *h, 0))
        return damaged(l, err, "the checksum of its body does not match");
    l->bounds = (const uint64_t *)(l->file.bytes + sizeof *h);
    l->target = (const int32_t *)(l->bounds + h->source_pieces + 1);
    l->p = (const float *)(l->target + h->entries);
    l->frequent = (const int32_t *)(l->p + h->entries);
    return 0;
}

static bool ids_good(const struct shortlist *l, const int32_t *ids, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (ids[i] < 0 || (uint64_t)ids[i] >= l->header.target_pieces)
            return false;
    return true;
}

/* After this every row lies within the entries, and every id within the vocabulary. */
static int check_content(const struct shortlist *l, struct error *err)
{
    const struct shortlist_header *h = &l->header;
    bool good = l->bounds[0] == 0 && l->bounds[h->source_pieces] == h->entries;
    for (uint64_t s = 0; good && s < h->source_pieces; s++)
        good = l->bounds[s] <= l->bounds[s + 1] && l->bounds[s + 1] - l->bounds[s] <= h->target_pieces;
    if (!good)
        return damaged(l, err, "its rows are out of order");
    if (!ids_good(l, l->target, h->entries) || !ids_good(l, l->frequent, h->frequent))
        return damaged(l, err, "it names pieces that its vocabulary does not have");
    return 0;
}

struct shortlist *shortlist_open(const char *path, struct error *err)
{
    struct shortlist *l = xcalloc(1, sizeof *l);
    l->path = xstrdup(path);
    if (mapping_open(&l->file, path, err) == 0 && check_header(l, err) == 0
        && check_size(l, err) == 0 && check_content(l, err) == 0)
        return l;
    shortlist_close(l);
    return NULL;
}

void shortlist_close(struct shortlist *l)
{
    if (!l)
        return;
    mapping_close(&l->file);
    free(l->path);
    free(l);
}

static int check_side(const struct shortlist *l, const char *side, uint64_t own, uint64_t pieces,
                      const struct tokenizer *t, struct error *err)
{
    if (own == tokenizer_fingerprint(t) && pieces == (uint64_t)tokenizer_vocab(t))
        return 0;
    return error_set(err, "shortlist '%s' was built with another %s vocabulary (%" PRIu64 " pieces) than "
                     "the model's (%d pieces): build one with the model's vocabulary",
                     l->path, side, pieces, tokenizer_vocab(t));
}

int shortlist_check(const struct shortlist *l, const struct tokenizer *source,
                    const struct tokenizer *target, struct error *err)
{
    const struct shortlist_header *h = &l->header;
    if (check_side(l, "source", h->source_vocab, h->source_pieces, source, err) < 0)
        return -1;
    return check_side(l, "target", h->target_vocab, h->target_pieces, target, err);
}

int shortlist_source_pieces(const struct shortlist *l)
{
    return (int)l->header.source_pieces;
}

int shortlist_target_pieces(const struct shortlist *l)
{
    return (int)l->header.target_pieces;
}

uint64_t shortlist_fingerprint(const struct shortlist *l)
{
    return l->header.body_checksum;
}

const int32_t *shortlist_row(const struct shortlist *l, int32_t source, const float **p, int *count)
{
    uint64_t first = l->bounds[source];
    *count = (int)(l->bounds[source + 1] - first);
    if (p)
        *p = l->p + first;
    return l->target + first;
}

const int32_t *shortlist_frequent(const struct shortlist *l, int *count)
{
    *count = (int)l->header.frequent;
    return l->frequent;
}

void shortlist_candidates(uint64_t *set, const struct shortlist *l, const int32_t *source, int count,
                          const struct shortlist_config *config)
{
    bool joint = l->header.source_vocab == l->header.target_vocab;
    int most = (int)l->header.frequent < config->frequent ? (int)l->header.frequent : config->frequent;
    for (int i = 0; i < most; i++)
        set_add(set, l->frequent[i]);
    for (int i = 0; i < count; i++) {
        int found;
        if (source[i] < 0 || (uint64_t)source[i] >= l->header.source_pieces)
            continue;
        const int32_t *row = shortlist_row(l, source[i], NULL, &found);
        for (int j = 0; j < found && j < config->best; j++)
            set_add(set, row[j]);
        if (joint)
            set_add(set, source[i]);
    }
}
