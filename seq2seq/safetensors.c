/* Reading and writing safetensors files.
 *
 *     +---------+----------------------------+------------------------------+
 *     | u64 n   | n bytes of JSON            | numbers, little-endian       |
 *     +---------+----------------------------+------------------------------+
 *               | "embed": {"dtype": "F32",  |
 *               |   "shape": [V, D],         |
 *               |   "data_offsets": [0, …]}  |  offsets count from the numbers' start
 */
#include "seq2seq/safetensors.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"

#define LENGTH_BYTES 8
#define NUMBERS_ALIGN 64        /* where the numbers start, for vectors and for maps */
#define HEADER_CHECKSUM "xxh3_header"

static const struct { const char *name; size_t bytes; } dtypes[] = {
    [DTYPE_F32] = { "F32", 4 }, [DTYPE_I32] = { "I32", 4 }, [DTYPE_I8] = { "I8", 1 }, [DTYPE_U8] = { "U8", 1 },
};

static size_t entry_bytes(const struct safetensors_entry *e)
{
    return (size_t)(e->rows ? e->rows : 1) * (size_t)e->cols * dtypes[e->type].bytes;
}

static void checksum_text(char text[HASH_TEXT], const struct safetensors_entry *entries, size_t count)
{
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset(state);
    for (size_t i = 0; i < count; i++)
        XXH3_64bits_update(state, entries[i].data, entry_bytes(&entries[i]));
    hash_text(text, XXH3_64bits_digest(state));
    XXH3_freeState(state);
}

/* Of what the header says, whatever the order of its members, but for this checksum itself. */
static void header_checksum_text(char text[HASH_TEXT], json_t *header)
{
    json_t *whole = json_copy(header), *meta = json_copy(json_object_get(header, "__metadata__"));
    json_object_del(meta, HEADER_CHECKSUM);
    json_object_set_new(whole, "__metadata__", meta);
    char *dump = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
    hash_text(text, hash_bytes(dump, strlen(dump), 0));
    free(dump);
    json_decref(whole);
}

static char *header_text(const struct safetensors_entry *entries, size_t count, json_t *metadata)
{
    char checksum[HASH_TEXT];
    json_t *header = json_object(), *meta = metadata ? json_copy(metadata) : json_object();
    size_t offset = 0;
    checksum_text(checksum, entries, count);
    json_object_set_new(meta, "format", json_string("coho"));
    json_object_set_new(meta, "xxh3", json_string(checksum));
    json_object_set_new(header, "__metadata__", meta);
    for (size_t i = 0; i < count; i++) {
        const struct safetensors_entry *e = &entries[i];
        json_t *shape = e->rows ? json_pack("[i,I]", e->rows, (json_int_t)e->cols) : json_pack("[I]", (json_int_t)e->cols);
        json_object_set_new(header, e->name,
                            json_pack("{s:s,s:o,s:[I,I]}", "dtype", dtypes[e->type].name, "shape", shape, "data_offsets",
                                      (json_int_t)offset, (json_int_t)(offset + entry_bytes(e))));
        offset += entry_bytes(e);
    }
    header_checksum_text(checksum, header);
    json_object_set_new(meta, HEADER_CHECKSUM, json_string(checksum));
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    return text;
}

int safetensors_write(const char *path, const struct safetensors_entry *entries, size_t count,
                      json_t *metadata, struct error *err)
{
    struct outfile out = { 0 };
    if (outfile_open(&out, path, err) < 0)
        return -1;
    char *text = header_text(entries, count, metadata);
    size_t length = strlen(text);
    size_t padded = (LENGTH_BYTES + length + NUMBERS_ALIGN - 1) / NUMBERS_ALIGN * NUMBERS_ALIGN - LENGTH_BYTES;
    uint64_t n = padded;
    fwrite(&n, sizeof n, 1, out.stream);
    fwrite(text, 1, length, out.stream);
    while (length++ < padded)
        putc(' ', out.stream);
    for (size_t i = 0; i < count && !ferror(out.stream); i++)
        fwrite(entries[i].data, 1, entry_bytes(&entries[i]), out.stream);
    free(text);
    return outfile_commit(&out, err);
}

const char *safetensors_metadata(const struct safetensors *st, const char *key)
{
    return json_string_value(json_object_get(json_object_get(st->header, "__metadata__"), key));
}

static int header_parse(struct safetensors *st, const char *path, struct error *err)
{
    uint64_t n;
    json_error_t parse;
    if (st->file.length < LENGTH_BYTES)
        return error_set(err, "'%s' is truncated: %zu bytes; copy or make it again", path, st->file.length);
    memcpy(&n, st->file.bytes, sizeof n);
    if (n > st->file.length - LENGTH_BYTES)
        return error_set(err, "'%s' is no safetensors file or is truncated: its header of %llu bytes "
                         "goes beyond its end", path, (unsigned long long)n);
    st->header = json_loadb((const char *)st->file.bytes + LENGTH_BYTES, n, JSON_REJECT_DUPLICATES, &parse);
    if (!json_is_object(st->header))
        return error_set(err, "'%s' is damaged: its header is no JSON object (%s)", path,
                         st->header ? "other type" : parse.text);
    st->data = st->file.bytes + LENGTH_BYTES + n;
    st->data_length = st->file.length - LENGTH_BYTES - n;
    return 0;
}

static int checksum_match(const char *found, const char *stated, const char *path, struct error *err)
{
    if (!stated || !strcmp(stated, found))
        return 0;
    return error_set(err, "'%s' is damaged: its checksum is %s, its header says %s; copy or make it again",
                     path, found, stated);
}

static int checksums_verify(const struct safetensors *st, const char *path, struct error *err)
{
    char found[HASH_TEXT];
    header_checksum_text(found, st->header);
    if (checksum_match(found, safetensors_metadata(st, HEADER_CHECKSUM), path, err) < 0)
        return -1;
    hash_text(found, hash_bytes(st->data, st->data_length, 0));
    return checksum_match(found, safetensors_metadata(st, "xxh3"), path, err);
}

int safetensors_open(struct safetensors *st, const char *path, struct error *err)
{
    struct safetensors opened = { 0 };
    if (mapping_open(&opened.file, path, err) < 0)
        return -1;
    if (header_parse(&opened, path, err) < 0 || checksums_verify(&opened, path, err) < 0) {
        safetensors_close(&opened);
        return -1;
    }
    opened.path = xstrdup(path);
    *st = opened;
    return 0;
}

void safetensors_close(struct safetensors *st)
{
    json_decref(st->header);
    mapping_close(&st->file);
    free(st->path);
    *st = (struct safetensors){ 0 };
}

static int shape_matches(const json_t *shape, int rows, int64_t cols)
{
    size_t n = json_array_size(shape);
    json_int_t first = json_integer_value(json_array_get(shape, 0));
    json_int_t second = json_integer_value(json_array_get(shape, 1));
    return (n == 1 && rows <= 1 && first == cols) || (n == 2 && first == (rows ? rows : 1) && second == cols);
}

bool safetensors_has(const struct safetensors *st, const char *name)
{
    return json_is_object(json_object_get(st->header, name));
}

const void *safetensors_find(const struct safetensors *st, const char *name, int rows, int64_t cols,
                             struct error *err)
{
    return safetensors_find_as(st, DTYPE_F32, name, rows, cols, err);
}

const void *safetensors_find_as(const struct safetensors *st, enum dtype type, const char *name, int rows,
                                int64_t cols, struct error *err)
{
    const json_t *entry = json_object_get(st->header, name);
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *shape = json_object_get(entry, "shape"), *range = json_object_get(entry, "data_offsets");
    size_t bytes = (size_t)(rows ? rows : 1) * (size_t)cols * dtypes[type].bytes;
    if (!json_is_object(entry)) {
        error_set(err, "'%s' has no tensor '%s'", st->path, name);
        return NULL;
    }
    if (!dtype || strcmp(dtype, dtypes[type].name)) {
        error_set(err, "'%s': tensor '%s' is of type %s; %s is needed", st->path, name, dtype ? dtype : "?",
                  dtypes[type].name);
        return NULL;
    }
    if (!shape_matches(shape, rows, cols)) {
        char *text = json_dumps(shape, JSON_ENCODE_ANY | JSON_COMPACT);
        error_set(err, "'%s': tensor '%s' has the shape %s; [%d,%lld] is needed", st->path, name,
                  text ? text : "?", rows ? rows : 1, (long long)cols);
        free(text);
        return NULL;
    }
    json_int_t from = json_integer_value(json_array_get(range, 0)), to = json_integer_value(json_array_get(range, 1));
    if (json_array_size(range) != 2 || from < 0 || to < from || (size_t)to > st->data_length ||
        (size_t)(to - from) != bytes) {
        error_set(err, "'%s' is damaged: tensor '%s' lies outside the file", st->path, name);
        return NULL;
    }
    return st->data + from;
}
