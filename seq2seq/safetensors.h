#ifndef SEQ2SEQ_SAFETENSORS_H
#define SEQ2SEQ_SAFETENSORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"

struct error;

/* The safetensors format: a JSON header of names, shapes and offsets, then the numbers.
 * Files written here start their numbers at a multiple of 64 bytes, and carry checksums in their metadata, of the numbers ("xxh3") and of the
 * header ("xxh3_header"), which are verified where they are present. */
enum dtype { DTYPE_F32, DTYPE_I32, DTYPE_I8, DTYPE_U8 };
struct safetensors_entry {
    char *name;                 /* owned by whoever made the entry */
    int rows;
    int64_t cols;               /* rows 0: a vector of cols, as long as all weights of a model */
    const void *data;
    enum dtype type;
};

int safetensors_write(const char *path, const struct safetensors_entry *entries, size_t count,
                      json_t *metadata, struct error *err);     /* metadata: strings; may be NULL */

struct safetensors {
    struct mapping file;
    json_t *header;
    const unsigned char *data;
    size_t data_length;
    char *path;
};

/* {0} is valid and empty. */
int safetensors_open(struct safetensors *st, const char *path, struct error *err);
void safetensors_close(struct safetensors *st);

/* The numbers of a float32 tensor of exactly this shape (rows 0 or 1: a vector, or one row), not
 * necessarily aligned; NULL after describing what is wrong. */
const void *safetensors_find(const struct safetensors *st, const char *name, int rows, int64_t cols,
                             struct error *err);
const void *safetensors_find_as(const struct safetensors *st, enum dtype type, const char *name, int rows,
                                int64_t cols, struct error *err);
bool safetensors_has(const struct safetensors *st, const char *name);
/* A string of the metadata, or NULL. */
const char *safetensors_metadata(const struct safetensors *st, const char *key);

#endif
