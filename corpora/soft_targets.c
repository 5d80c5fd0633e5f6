/* Reading soft targets; the layout of a shard is in soft_format.h. */
#include "corpora/soft_targets.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "corpora/soft_format.h"
#include "corpora/store.h"

static_assert(sizeof(struct soft_header) == 136, "the header is 136 bytes without padding");
static_assert(sizeof(struct soft_row) == 6 && sizeof(struct soft_sentence) == 24, "as drawn");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "shards are read in place");

struct shard {
    char *path;
    struct mapping file;
    struct soft_header header;
    const unsigned char *entries;
    const struct soft_row *rows;
    const struct soft_sentence *sentences;
};

struct soft_targets {
    char *path;
    struct shard *shards;               /* in the order of their sentences */
    int count;
    size_t room;
    struct soft_info info;
    json_t *about;
    int64_t *place;                     /* of each pair of the bound corpus; NULL: its own number */
};

/* ---- one shard ---- */

static int damaged(const struct shard *s, struct error *err, const char *how)
{
    return error_set(err, "soft targets '%s' are damaged: %s; make them again", s->path, how);
}

static int check_header(struct shard *s, struct error *err)
{
    const struct soft_header *h = &s->header;
    if (s->file.length < sizeof h->magic || memcmp(s->file.bytes, SOFT_MAGIC, sizeof h->magic))
        return error_set(err, "'%s' holds no soft targets; `coho label --soft-targets` makes them", s->path);
    if (s->file.length < sizeof *h)
        return damaged(s, err, "the file ends within its header");
    memcpy(&s->header, s->file.bytes, sizeof *h);
    if (h->version != SOFT_VERSION || h->header_size != sizeof *h)
        return error_set(err, "soft targets '%s' have version %u where this program reads version %d; make "
                         "them again", s->path, h->version, SOFT_VERSION);
    if (h->header_checksum != soft_header_checksum(h))
        return damaged(s, err, "the checksum of the header does not match");
    return 0;
}

/* After this the arrays lie within the file. */
static int check_size(struct shard *s, struct error *err)
{
    const struct soft_header *h = &s->header;
    uint64_t limit = UINT64_MAX / 64, entries_at = sizeof *h + h->about_size;
    if (h->entries > limit || h->rows > limit || h->sentences > limit || (h->id_size != 2 && h->id_size != 4)
        || h->rows_at != (entries_at + h->entries * (h->id_size + 2) + 7) / 8 * 8
        || h->sentences_at != (h->rows_at + h->rows * sizeof *s->rows + 7) / 8 * 8)
        return damaged(s, err, "the counts do not fit each other");
    if (s->file.length != h->sentences_at + (h->sentences + 1) * sizeof *s->sentences)
        return damaged(s, err, "the file is cut short, or longer than it says");
    s->entries = s->file.bytes + entries_at;
    s->rows = (const void *)(s->file.bytes + h->rows_at);
    s->sentences = (const void *)(s->file.bytes + h->sentences_at);
    return 0;
}

/* After this every sentence's rows, and the entries of each, lie within the arrays. */
static int check_places(const struct shard *s, struct error *err)
{
    const struct soft_header *h = &s->header;
    const struct soft_sentence *at = s->sentences;
    uint64_t entries = 0, row = 0;
    bool good = at[0].row == 0 && at[h->sentences].row == h->rows;
    for (uint64_t i = 0; good && i < h->sentences; i++) {
        good = at[i].row <= at[i + 1].row && at[i + 1].row <= h->rows && at[i].entry == entries;
        for (; good && row < at[i + 1].row; row++)
            entries += s->rows[row].entries;
    }
    return good && entries == h->entries && at[h->sentences].entry == entries
           ? 0 : damaged(s, err, "the bounds of the sentences are out of order");
}

static void shard_close(struct shard *s)
{
    mapping_close(&s->file);
    free(s->path);
}

static int shard_open(struct shard *out, const char *path, bool verify, struct error *err)
{
    struct shard s = { .path = xstrdup(path) };
    if (mapping_open(&s.file, path, err) < 0 || check_header(&s, err) < 0 || check_size(&s, err) < 0)
        goto failed;
    if (verify && hash_bytes(s.file.bytes + sizeof s.header, s.file.length - sizeof s.header, 0)
                  != s.header.body_checksum) {
        damaged(&s, err, "the checksum of the body does not match");
        goto failed;
    }
    if (check_places(&s, err) < 0)
        goto failed;
    *out = s;
    return 0;
failed:
    shard_close(&s);
    return -1;
}

/* ---- all shards ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_shard(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && !strcmp(name + length - 5, ".soft");
}

static int add_shard(struct soft_targets *s, const char *path, bool verify, struct error *err)
{
    ARRAY_GROW(s->shards, s->room, s->count + 1);
    if (shard_open(&s->shards[s->count], path, verify, err) < 0)
        return -1;
    s->count++;
    return 0;
}

static int add_shards(struct soft_targets *s, bool verify, struct error *err)
{
    DIR *dir = opendir(s->path);
    struct dirent *entry;
    int ret = dir ? 0 : error_set(err, "cannot read folder '%s': %s", s->path, strerror(errno));
    while (ret == 0 && (entry = readdir(dir)))
        if (is_shard(entry->d_name)) {
            char *path = path_join(s->path, entry->d_name);
            ret = add_shard(s, path, verify, err);
            free(path);
        }
    if (dir)
        closedir(dir);
    return ret;
}

/* The shards in the folder, or in "soft" within it, as in a folder of labels. */
static int open_folder(struct soft_targets *s, bool verify, struct error *err)
{
    char *inner = path_join(s->path, "soft");
    int ret = add_shards(s, verify, err);
    if (ret == 0 && s->count == 0 && is_folder(inner)) {
        free(s->path);
        s->path = xstrdup(inner);
        ret = add_shards(s, verify, err);
    }
    if (ret == 0 && s->count == 0)
        ret = error_set(err, "folder '%s' holds no soft targets (*.soft); `coho label --soft-targets` makes "
                        "them", s->path);
    free(inner);
    return ret;
}

static int by_first(const void *a, const void *b)
{
    const struct shard *x = a, *y = b;
    return (x->header.first > y->header.first) - (x->header.first < y->header.first);
}

/* Shards of one job: made alike, from sentence 0 on, one behind the other. */
static int check_shards(const struct soft_targets *s, bool folder, struct error *err)
{
    const struct soft_header *a = &s->shards[0].header;
    if (folder && a->first)
        return error_set(err, "'%s': the shard with sentence 1 is missing; run the same `coho label` again, which makes it", s->path);
    for (int i = 1; i < s->count; i++) {
        const struct soft_header *before = &s->shards[i - 1].header, *b = &s->shards[i].header;
        if (a->vocab != b->vocab || a->k != b->k || a->teacher != b->teacher || a->target_vocab != b->target_vocab
            || a->source_vocab != b->source_vocab || memcmp(&a->mass, &b->mass, sizeof a->mass)
            || memcmp(&a->temperature, &b->temperature, sizeof a->mass))
            return error_set(err, "'%s' and '%s' were made by different teachers or options; keep one job's "
                             "shards in a folder", s->shards[0].path, s->shards[i].path);
        if (b->first != before->first + before->sentences)
            return error_set(err, "'%s' begins with sentence %llu where %llu should follow '%s': a shard is "
                             "missing or doubled; run the same `coho label` again, which makes what is missing", s->shards[i].path, (unsigned long long)b->first + 1,
                             (unsigned long long)(before->first + before->sentences) + 1, s->shards[i - 1].path);
    }
    return 0;
}

static void add_hashes(struct hash_stream *all, const struct shard *s)
{
    for (uint64_t i = 0; i < s->header.sentences; i++)
        hash_stream_add(all, &s->sentences[i].hash, sizeof s->sentences[i].hash);
}

static void sum_up(struct soft_targets *s)
{
    const struct soft_header *a = &s->shards[0].header;
    struct hash_stream *corpus = hash_stream_new();
    s->about = json_loadb((const char *)s->shards[0].file.bytes + sizeof *a, a->about_size, 0, NULL);
    s->info = (struct soft_info){
        .vocab = (int)a->vocab, .k = (int)a->k, .mass = a->mass, .temperature = a->temperature,
        .source_vocab = a->source_vocab, .target_vocab = a->target_vocab, .teacher = a->teacher,
        .about = s->about, .samples = (int)json_integer_value(json_object_get(s->about, "samples")),
    };
    for (int i = 0; i < s->count; i++) {
        const struct soft_header *h = &s->shards[i].header;
        s->info.sentences += (int64_t)h->sentences;
        s->info.rows += (int64_t)h->rows;
        s->info.entries += (int64_t)h->entries;
        s->info.missing += (int64_t)h->missing;
        add_hashes(corpus, &s->shards[i]);
    }
    s->info.corpus = hash_stream_digest(corpus);
    hash_stream_free(corpus);
}

struct soft_targets *soft_targets_open(const char *path, bool verify, struct error *err)
{
    struct soft_targets *s = xcalloc(1, sizeof *s);
    bool folder = is_folder(path);
    s->path = xstrdup(path);
    if ((folder ? open_folder(s, verify, err) : add_shard(s, path, verify, err)) < 0)
        goto failed;
    qsort(s->shards, (size_t)s->count, sizeof *s->shards, by_first);
    if (check_shards(s, folder, err) < 0)
        goto failed;
    sum_up(s);
    return s;
failed:
    soft_targets_close(s);
    return NULL;
}

void soft_targets_close(struct soft_targets *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count; i++)
        shard_close(&s->shards[i]);
    json_decref(s->about);
    free(s->shards);
    free(s->place);
    free(s->path);
    free(s);
}

const struct soft_info *soft_targets_info(const struct soft_targets *s)
{
    return &s->info;
}

const char *soft_targets_path(const struct soft_targets *s)
{
    return s->path;
}

/* The shard of a sentence, by halving; its number within the shard goes to *index. */
static const struct shard *shard_of(const struct soft_targets *s, int64_t *index)
{
    uint64_t at = (uint64_t)*index + s->shards[0].header.first;
    int low = 0, high = s->count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (s->shards[middle].header.first <= at)
            low = middle;
        else
            high = middle;
    }
    *index = (int64_t)(at - s->shards[low].header.first);
    return &s->shards[low];
}

/* ---- what belongs together ---- */

static const char *about_text(const struct soft_targets *s, const char *key)
{
    const char *text = json_string_value(json_object_get(s->about, key));
    return text ? text : "an unnamed text";
}

static int check_vocab(const struct soft_targets *s, const char *side, uint64_t mine, uint64_t theirs,
                       const struct store *corpus, struct error *err)
{
    char a[HASH_TEXT], b[HASH_TEXT];
    if (mine == theirs)
        return 0;
    hash_text(a, mine);
    hash_text(b, theirs);
    return error_set(err, "soft targets '%s' number the %s pieces by the vocabulary of their teacher (%s), but "
                     "'%s' by another (%s); encode the corpus with the teacher's SentencePiece model, or label it "
                     "again", s->path, side, a, store_path(corpus), b);
}

static uint64_t pair_hash(const struct store *corpus, int64_t i)
{
    int source_count, target_count;
    const int32_t *source = store_source(corpus, i, &source_count);
    const int32_t *target = store_target(corpus, i, &target_count);
    return soft_hash(source, source_count, target, target_count);
}

static uint64_t corpus_fingerprint(const struct store *corpus)
{
    struct hash_stream *all = hash_stream_new();
    for (int64_t i = 0; i < store_count(corpus); i++) {
        uint64_t hash = pair_hash(corpus, i);
        hash_stream_add(all, &hash, sizeof hash);
    }
    uint64_t digest = hash_stream_digest(all);
    hash_stream_free(all);
    return digest;
}

static int another_corpus(const struct soft_targets *s, const struct store *corpus, int64_t pair,
                          struct error *err)
{
    char a[HASH_TEXT], b[HASH_TEXT];
    hash_text(a, s->info.corpus);
    hash_text(b, corpus_fingerprint(corpus));
    return error_set(err, "soft targets '%s' were made from another corpus ('%s', fingerprint %s) than '%s' "
                     "(fingerprint %s): its pair %lld is not among their sentences, or stands elsewhere; label "
                     "this corpus", s->path, about_text(s, "source"), a, store_path(corpus), b, (long long)pair + 1);
}

/* The first pairs are there, and no more: of a job that is not finished, say. */
static int too_few(const struct soft_targets *s, const struct store *corpus, struct error *err)
{
    return error_set(err, "soft targets '%s' are of the first %lld of the %lld pairs of '%s': run the same `coho label` "
                     "again, which goes on, or label all of this corpus", s->path, (long long)s->info.sentences,
                     (long long)store_count(corpus), store_path(corpus));
}

/* Walks both in order: a corpus that was filtered is a subsequence of the sentences. */
static int find_pairs(struct soft_targets *s, const struct store *corpus, struct error *err)
{
    int64_t pairs = store_count(corpus), at = 0;
    bool moved = false;
    s->place = xmalloc((size_t)(pairs + 1) * sizeof *s->place);
    for (int64_t i = 0; i < pairs; i++, at++) {
        uint64_t wanted = pair_hash(corpus, i);
        for (; at < s->info.sentences; at++) {
            int64_t index = at;
            const struct shard *shard = shard_of(s, &index);
            if (shard->sentences[index].hash == wanted)
                break;
        }
        if (at == s->info.sentences && i == at && !moved)
            return too_few(s, corpus, err);
        if (at == s->info.sentences)
            return another_corpus(s, corpus, i, err);
        s->place[i] = at;
        moved |= at != i;
    }
    if (!moved) {
        free(s->place);
        s->place = NULL;
    }
    return 0;
}

int soft_targets_bind(struct soft_targets *s, const struct store *corpus, struct error *err)
{
    if (check_vocab(s, "source", s->info.source_vocab, store_source_vocab(corpus), corpus, err) < 0
        || check_vocab(s, "target", s->info.target_vocab, store_target_vocab(corpus), corpus, err) < 0)
        return -1;
    free(s->place);
    s->place = NULL;
    return find_pairs(s, corpus, err);
}

static const char *teacher_of(const struct soft_targets *s, size_t i)
{
    const json_t *teacher = json_array_get(json_object_get(s->about, "teachers"), i);
    const char *text = json_string_value(json_object_get(teacher, "fingerprint"));
    return text ? text : "unknown";
}

int soft_targets_check_teachers(const struct soft_targets *s, const uint64_t *fingerprints, int count,
                                const char *name, struct error *err)
{
    size_t made_by = json_array_size(json_object_get(s->about, "teachers"));
    char text[HASH_TEXT] = "none";
    bool good = made_by == (size_t)count;
    if (count)
        hash_text(text, fingerprints[0]);
    for (int i = 0; i < count && good; i++) {
        hash_text(text, fingerprints[i]);
        good = false;
        for (size_t j = 0; j < made_by && !good; j++)
            good = !strcmp(text, teacher_of(s, j));
    }
    if (good)
        return 0;
    const char *folder = json_string_value(json_object_get(json_array_get(json_object_get(s->about, "teachers"), 0),
                                                           "model"));
    return error_set(err, "soft targets '%s' were made by %zu teacher%s ('%s', fingerprint %s), not by the %d of "
                     "'%s' (fingerprint %s); label the corpus with these", s->path, made_by, made_by == 1 ? "" : "s",
                     folder ? folder : "unnamed", teacher_of(s, 0), count, name, text);
}

/* ---- rows ---- */

void soft_rows_reset(struct soft_rows *r)
{
    r->rows = r->entries = 0;
}

void soft_rows_release(struct soft_rows *r)
{
    free(r->start);
    free(r->tail);
    free(r->gold_logp);
    free(r->id);
    free(r->p);
    *r = (struct soft_rows){ 0 };
}

/* Room for `rows` and `entries` more. */
static void reserve(struct soft_rows *r, int rows, int entries)
{
    ARRAY_GROW(r->start, r->start_room, r->rows + rows + 1);
    ARRAY_GROW(r->tail, r->tail_room, r->rows + rows + 1);
    ARRAY_GROW(r->gold_logp, r->gold_room, r->rows + rows + 1);
    ARRAY_GROW(r->id, r->id_room, r->entries + entries + 1);
    ARRAY_GROW(r->p, r->p_room, r->entries + entries + 1);
    r->start[0] = 0;
}

static void end_row(struct soft_rows *r, float tail, float gold_logp)
{
    r->tail[r->rows] = tail;
    r->gold_logp[r->rows] = gold_logp;
    r->start[++r->rows] = r->entries;
}

static float probability(uint16_t half)
{
    return expf(half_to_float(half));
}

/* The entries of a row, whose bytes need not be aligned. */
static void add_entries(struct soft_rows *r, const struct soft_header *h, const unsigned char *bytes, int n)
{
    const unsigned char *logp = bytes + (size_t)n * h->id_size;
    int32_t *id = r->id + r->entries;
    float *p = r->p + r->entries;
    for (int i = 0; i < n; i++) {
        uint16_t narrow, half;
        if (h->id_size == 2) {
            memcpy(&narrow, bytes + 2 * (size_t)i, sizeof narrow);
            id[i] = narrow;
        } else {
            memcpy(&id[i], bytes + 4 * (size_t)i, sizeof id[i]);
        }
        memcpy(&half, logp + 2 * (size_t)i, sizeof half);
        p[i] = probability(half);
        if ((uint32_t)id[i] >= h->vocab)        /* only where nobody looked at the checksum */
            id[i] = 0, p[i] = 0;
    }
    r->entries += n;
}

void soft_rows_add(struct soft_rows *r, const struct soft_targets *s, int64_t index, int count)
{
    int64_t at = s->place ? s->place[index] : index;
    assert(index >= 0 && at < s->info.sentences);
    const struct shard *shard = shard_of(s, &at);
    const struct soft_sentence *from = &shard->sentences[at];
    size_t width = shard->header.id_size + 2;
    if (from[1].row - from->row != (uint64_t)count) {
        reserve(r, count, 0);
        for (int i = 0; i < count; i++)
            end_row(r, 1, 0);
        return;
    }
    const unsigned char *bytes = shard->entries + from->entry * width;
    reserve(r, count, (int)(from[1].entry - from->entry));
    for (int i = 0; i < count; i++) {
        const struct soft_row *row = &shard->rows[from->row + (uint64_t)i];
        add_entries(r, &shard->header, bytes, row->entries);
        bytes += row->entries * width;
        end_row(r, probability(row->tail), half_to_float(row->gold));
    }
}
