/* A lexicon, pruned, to a shortlist file; the layout is in shortlist_format.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "decode/lexicon.h"
#include "decode/shortlist.h"
#include "decode/shortlist_format.h"
#include "tokenize/tokenizer.h"

struct entry {
    double weight;
    int32_t id;
};

static int heavier(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int sorted(struct entry *list, int count, int most)
{
    if (count)
        qsort(list, (size_t)count, sizeof *list, heavier);
    return count < most ? count : most;
}

/* What is kept of a row, likeliest first. */
static int prune_row(struct entry *list, const struct lexicon_row *row,
                     const struct shortlist_prune *prune)
{
    int count = 0;
    for (int i = 0; i < row->count; i++)
        if (row->p[i] >= prune->min_p && row->p[i] > 0)
            list[count++] = (struct entry){ (double)row->p[i], row->target[i] };
    return sorted(list, count, prune->best);
}

/* Control pieces end no sentence and name no word: they never stand in a text. */
static int list_frequent(struct entry *list, const struct lexicon *x, const struct tokenizer *target,
                         int most)
{
    int count = 0;
    for (int32_t v = 0; v < x->target_vocab; v++)
        if (x->target_count[v] && !tokenizer_is_control(target, v))
            list[count++] = (struct entry){ (double)x->target_count[v], v };
    return sorted(list, count, most);
}

struct body {
    uint64_t *bounds;
    int32_t *target, *frequent;
    float *p;
    size_t entries, target_room, p_room;
    int frequent_count;
};

static void body_fill(struct body *b, const struct lexicon *x, const struct tokenizer *target,
                      const struct shortlist_prune *prune)
{
    struct entry *list = xcalloc((size_t)x->target_vocab + 1, sizeof *list);
    b->bounds = xcalloc((size_t)x->source_vocab + 1, sizeof *b->bounds);
    for (int s = 0; s < x->source_vocab; s++) {
        int kept = prune_row(list, &x->rows[s], prune);
        ARRAY_GROW(b->target, b->target_room, b->entries + (size_t)kept);
        ARRAY_GROW(b->p, b->p_room, b->entries + (size_t)kept);
        for (int i = 0; i < kept; i++) {
            b->target[b->entries] = list[i].id;
            b->p[b->entries++] = (float)list[i].weight;
        }
        b->bounds[s + 1] = b->entries;
    }
    b->frequent_count = list_frequent(list, x, target, prune->frequent);
    b->frequent = xcalloc((size_t)b->frequent_count + 1, sizeof *b->frequent);
    for (int i = 0; i < b->frequent_count; i++)
        b->frequent[i] = list[i].id;
    free(list);
}

static void body_release(struct body *b)
{
    free(b->bounds);
    free(b->target);
    free(b->p);
    free(b->frequent);
}

/* The whole file as bytes: a shortlist is small beside the model that it serves. */
static unsigned char *lay_out(const struct body *b, struct shortlist_header *h, size_t *length)
{
    size_t bounds = 8 * (size_t)(h->source_pieces + 1), each = 4 * b->entries;
    size_t frequent = 4 * (size_t)b->frequent_count;
    *length = sizeof *h + bounds + 2 * each + frequent;
    unsigned char *bytes = xmalloc(*length), *at = bytes + sizeof *h;
    memcpy(at, b->bounds, bounds);
    if (each) {
        memcpy(at + bounds, b->target, each);
        memcpy(at + bounds + each, b->p, each);
    }
    if (frequent)
        memcpy(at + bounds + 2 * each, b->frequent, frequent);
    h->body_checksum = hash_bytes(at, *length - sizeof *h, 0);
    h->header_checksum = hash_bytes(h, offsetof(struct shortlist_header, header_checksum), 0);
    memcpy(bytes, h, sizeof *h);
    return bytes;
}

int shortlist_write(const char *path, const struct lexicon *lexicon, uint64_t corpus,
                    const struct tokenizer *source, const struct tokenizer *target,
                    const struct shortlist_prune *prune, struct error *err)
{
    struct body body = { 0 };
    size_t length;
    body_fill(&body, lexicon, target, prune);
    struct shortlist_header h = {
        .magic = SHORTLIST_MAGIC, .version = SHORTLIST_VERSION, .header_size = sizeof h,
        .source_vocab = tokenizer_fingerprint(source), .target_vocab = tokenizer_fingerprint(target),
        .source_pieces = (uint64_t)lexicon->source_vocab,
        .target_pieces = (uint64_t)lexicon->target_vocab,
        .entries = body.entries, .frequent = (uint64_t)body.frequent_count, .corpus = corpus,
    };
    unsigned char *bytes = lay_out(&body, &h, &length);
    int ret = file_write(path, bytes, length, err);
    free(bytes);
    body_release(&body);
    return ret;
}
