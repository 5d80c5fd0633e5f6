/* Writing a shard of soft targets; the file's layout is in soft_format.h.
 *
 * Entries, which are most of it, go to the file as they come; rows and sentences, which belong
 * behind them, wait in memory: a shard has a bounded number of sentences. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/soft_format.h"
#include "corpora/soft_targets.h"

struct soft_writer {
    struct outfile out;
    struct hash_stream *body;
    uint64_t length;                    /* of the file so far */
    struct soft_header header;
    struct soft_row *rows;
    struct soft_sentence *sentences;
    size_t row_room, sentence_room;
    unsigned char *bytes;               /* of one row's entries */
    size_t byte_room;
    bool labels;
};

uint64_t soft_hash(const int32_t *source, int source_count, const int32_t *target, int target_count)
{
    uint64_t hash = hash_bytes(source, (size_t)source_count * sizeof *source, 0);
    return hash_bytes(target, (size_t)target_count * sizeof *target, hash);
}

uint64_t soft_header_checksum(const struct soft_header *header)
{
    return hash_bytes(header, offsetof(struct soft_header, header_checksum), 0);
}

/* Errors of the stream are noticed by the commit. */
static void put(struct soft_writer *w, const void *bytes, size_t length)
{
    if (!length)
        return;
    fwrite(bytes, 1, length, w->out.stream);
    hash_stream_add(w->body, bytes, length);
    w->length += length;
}

static void align(struct soft_writer *w)
{
    put(w, (const char[8]){ 0 }, (8 - w->length % 8) % 8);
}

static struct soft_header header_of(const struct soft_shape *s, size_t about_size)
{
    struct soft_header h = {
        .version = SOFT_VERSION, .header_size = sizeof h, .first = (uint64_t)s->first,
        .vocab = (uint32_t)s->vocab, .id_size = s->vocab <= 65536 ? 2 : 4, .k = (uint32_t)s->k,
        .mass = s->mass, .temperature = s->temperature, .about_size = (uint32_t)about_size,
        .source_vocab = s->source_vocab, .target_vocab = s->target_vocab, .teacher = s->teacher,
    };
    memcpy(h.magic, SOFT_MAGIC, sizeof h.magic);
    return h;
}

struct soft_writer *soft_writer_new(const char *path, const struct soft_shape *shape, struct error *err)
{
    struct soft_writer *w = xcalloc(1, sizeof *w);
    char *about = json_dumps(shape->about, JSON_COMPACT | JSON_SORT_KEYS);
    if (!about)
        about = xstrdup("{}");
    w->body = hash_stream_new();
    w->header = header_of(shape, strlen(about));
    w->labels = shape->labels;
    if (outfile_open(&w->out, path, err) < 0) {
        free(about);
        soft_writer_abort(w);
        return NULL;
    }
    fwrite(&w->header, sizeof w->header, 1, w->out.stream);
    w->length = sizeof w->header;
    put(w, about, strlen(about));
    free(about);
    return w;
}

static uint16_t half_log(double p)
{
    return half_from_float(p > 0 ? (float)log(p) : -INFINITY);
}

/* How many entries are worth keeping: those whose probability is not 0. */
static int worth(const struct soft_writer *w, const struct soft_entry *entries, int count)
{
    int n = 0, most = (int)w->header.k;
    while (n < count && n < most && isfinite(half_to_float(half_from_float(entries[n].logp))))
        n++;
    return n;
}

void soft_writer_row(struct soft_writer *w, const struct soft_entry *entries, int count, double rest,
                     float gold_logp)
{
    int n = worth(w, entries, count);
    size_t id_size = w->header.id_size;
    ARRAY_GROW(w->bytes, w->byte_room, (size_t)n * (id_size + 2) + 1);
    for (int i = 0; i < n; i++) {
        uint32_t wide = (uint32_t)entries[i].id;
        uint16_t narrow = (uint16_t)wide, logp = half_from_float(entries[i].logp);
        memcpy(w->bytes + (size_t)i * id_size, id_size == 2 ? (void *)&narrow : (void *)&wide, id_size);
        memcpy(w->bytes + (size_t)n * id_size + (size_t)i * 2, &logp, sizeof logp);
    }
    put(w, w->bytes, (size_t)n * (id_size + 2));
    for (int i = n; i < count; i++)
        rest += exp((double)entries[i].logp);
    ARRAY_GROW(w->rows, w->row_room, w->header.rows + 1);
    w->rows[w->header.rows++] = (struct soft_row){ (uint16_t)n, half_log(rest), half_from_float(gold_logp) };
    w->header.entries += (uint64_t)n;
}

/* Where the sentence after those that are ended begins. */
static struct soft_sentence *open_sentence(struct soft_writer *w)
{
    ARRAY_GROW(w->sentences, w->sentence_room, w->header.sentences + 2);
    if (w->header.sentences == 0)
        w->sentences[0] = (struct soft_sentence){ 0 };
    return &w->sentences[w->header.sentences];
}

int soft_writer_sentence(struct soft_writer *w, const int32_t *source, int source_count,
                         const int32_t *target, int target_count, struct error *err)
{
    struct soft_sentence *s = open_sentence(w);
    uint64_t rows = w->header.rows - s->row, wanted = (uint64_t)(w->labels ? target_count / 2 : target_count + 1);
    if (rows && rows != wanted)
        return error_set(err, "sentence %lld of '%s' has %d target tokens but %llu rows",
                         (long long)(w->header.first + w->header.sentences + 1), w->out.path, target_count,
                         (unsigned long long)rows);
    w->header.missing += !rows;
    s->hash = soft_hash(source, source_count, target, target_count);
    s[1] = (struct soft_sentence){ w->header.rows, w->header.entries, 0 };
    w->header.sentences++;
    return 0;
}

int64_t soft_writer_entries(const struct soft_writer *w)
{
    return (int64_t)w->header.entries;
}

static int finish(struct soft_writer *w, struct error *err)
{
    struct soft_header *h = &w->header;
    open_sentence(w);                   /* there may be none */
    align(w);
    h->rows_at = w->length;
    put(w, w->rows, h->rows * sizeof *w->rows);
    align(w);
    h->sentences_at = w->length;
    put(w, w->sentences, (h->sentences + 1) * sizeof *w->sentences);
    h->body_checksum = hash_stream_digest(w->body);
    h->header_checksum = soft_header_checksum(h);
    if (fseeko(w->out.stream, 0, SEEK_SET) || fwrite(h, sizeof *h, 1, w->out.stream) != 1)
        return write_failed(w->out.path, errno, err);
    return outfile_commit(&w->out, err);
}

int soft_writer_commit(struct soft_writer *w, struct error *err)
{
    int ret = finish(w, err);
    soft_writer_abort(w);
    return ret;
}

void soft_writer_abort(struct soft_writer *w)
{
    if (!w)
        return;
    outfile_abort(&w->out);
    hash_stream_free(w->body);
    free(w->rows);
    free(w->sentences);
    free(w->bytes);
    free(w);
}

double soft_targets_bytes(double sentences, double rows, double entries, int vocab)
{
    return sentences * sizeof(struct soft_sentence) + rows * sizeof(struct soft_row)
           + entries * (vocab <= 65536 ? 4 : 6);
}
