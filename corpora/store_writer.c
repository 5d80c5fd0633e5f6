/* Writing a store pair by pair; the file's layout is in store_format.h.
 *
 * The body goes through a block of STORE_BLOCK bytes that is hashed and written when full.
 * The bounds, which belong behind the ids, wait in a nameless file beside the store, so memory
 * stays the same however many pairs come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/store.h"
#include "corpora/store_format.h"

struct store_writer {
    struct outfile out;
    FILE *bounds;
    struct store_header header;
    uint64_t ids;                   /* written so far: the next bound */
    size_t filled;                  /* bytes of block */
    unsigned char block[STORE_BLOCK];
};

static FILE *bounds_open(const char *path, struct error *err)
{
    char *begin = xasprintf("%s.bounds", path);
    FILE *file = scratch_open(begin, err);
    free(begin);
    return file;
}

static int cannot_write(const struct store_writer *w, struct error *err)
{
    return write_failed(w->out.path, errno, err);
}

static int block_write(struct store_writer *w, struct error *err)
{
    if (!w->filled)
        return 0;
    w->header.body_checksum = hash_bytes(w->block, w->filled, w->header.body_checksum);
    if (fwrite(w->block, 1, w->filled, w->out.stream) != w->filled)
        return cannot_write(w, err);
    w->filled = 0;
    return 0;
}

static int body_add(struct store_writer *w, const void *bytes, size_t length, struct error *err)
{
    const unsigned char *from = bytes;
    while (length) {
        size_t room = STORE_BLOCK - w->filled;
        size_t size = length < room ? length : room;
        memcpy(w->block + w->filled, from, size);
        w->filled += size;
        from += size;
        length -= size;
        if (w->filled == STORE_BLOCK && block_write(w, err) < 0)
            return -1;
    }
    return 0;
}

static int bound_add(struct store_writer *w, struct error *err)
{
    if (fwrite(&w->ids, sizeof w->ids, 1, w->bounds) != 1)
        return cannot_write(w, err);
    return 0;
}

static int side_add(struct store_writer *w, const int32_t *ids, int count, struct error *err)
{
    if (bound_add(w, err) < 0)
        return -1;
    w->ids += (uint64_t)count;
    return body_add(w, ids, (size_t)count * sizeof *ids, err);
}

struct store_writer *store_writer_new(const char *path, uint64_t source_vocab, uint64_t target_vocab,
                                      struct error *err)
{
    struct store_writer *w = xcalloc(1, sizeof *w);
    w->header = (struct store_header){ .version = STORE_VERSION, .header_size = sizeof w->header,
                                       .source_vocab = source_vocab,
                                       .target_vocab = target_vocab };
    memcpy(w->header.magic, STORE_MAGIC, sizeof w->header.magic);
    if (outfile_open(&w->out, path, err) < 0 || !(w->bounds = bounds_open(path, err)))
        goto failed;
    if (fwrite(&w->header, sizeof w->header, 1, w->out.stream) != 1) {
        cannot_write(w, err);
        goto failed;
    }
    return w;
failed:
    store_writer_abort(w);
    return NULL;
}

int store_writer_add(struct store_writer *w, const int32_t *source, int source_count,
                     const int32_t *target, int target_count, struct error *err)
{
    if (side_add(w, source, source_count, err) < 0 || side_add(w, target, target_count, err) < 0)
        return -1;
    w->header.pairs++;
    w->header.source_tokens += (uint64_t)source_count;
    w->header.target_tokens += (uint64_t)target_count;
    return 0;
}

static int append_bounds(struct store_writer *w, struct error *err)
{
    uint64_t chunk[4096];
    size_t count;
    if (bound_add(w, err) < 0)
        return -1;
    if (fflush(w->bounds))
        return cannot_write(w, err);
    rewind(w->bounds);
    while ((count = fread(chunk, sizeof *chunk, ARRAY_COUNT(chunk), w->bounds)))
        if (body_add(w, chunk, count * sizeof *chunk, err) < 0)
            return -1;
    return ferror(w->bounds) ? cannot_write(w, err) : 0;
}

static int finish(struct store_writer *w, struct error *err)
{
    struct store_header *h = &w->header;
    uint64_t ids_end = sizeof *h + 4 * w->ids;
    h->bounds_at = (ids_end + 7) / 8 * 8;
    if (body_add(w, (char[8]){ 0 }, h->bounds_at - ids_end, err) < 0 ||
        append_bounds(w, err) < 0 || block_write(w, err) < 0)
        return -1;
    h->header_checksum = store_header_checksum(h);
    if (fseeko(w->out.stream, 0, SEEK_SET) ||
        fwrite(h, sizeof *h, 1, w->out.stream) != 1)
        return cannot_write(w, err);
    return outfile_commit(&w->out, err);
}

int store_writer_commit(struct store_writer *w, struct error *err)
{
    int ret = finish(w, err);
    store_writer_abort(w);
    return ret;
}

void store_writer_abort(struct store_writer *w)
{
    if (!w)
        return;
    outfile_abort(&w->out);
    if (w->bounds)
        fclose(w->bounds);
    free(w);
}
