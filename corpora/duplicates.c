/* A table of fingerprints that overflows into files. */
#include "corpora/duplicates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/hash_set.h"

#define NOBODY (UINT64_MAX / 8)

struct record {
    uint64_t key, place;                /* place: waiting pair × 8 + which of its keys */
};

struct duplicates {
    struct hash_set seen;
    size_t limit;
    char *folder;
    FILE *files[DEDUP_FILES];           /* of records, by the upper bits of the key */
    size_t waiting;
    unsigned char *verdict;             /* of each waiting pair: 0 fresh, else 1 + which key */
};

struct duplicates *duplicates_new(int64_t limit, const char *folder)
{
    struct duplicates *d = xcalloc(1, sizeof *d);
    d->limit = (size_t)limit;
    d->folder = xstrdup(folder);
    return d;
}

void duplicates_free(struct duplicates *d)
{
    if (!d)
        return;
    hash_set_release(&d->seen);
    for (int i = 0; i < DEDUP_FILES; i++)
        if (d->files[i])
            fclose(d->files[i]);
    free(d->verdict);
    free(d->folder);
    free(d);
}

static int cannot_write(const struct duplicates *d, struct error *err)
{
    return write_failed(d->folder, errno, err);
}

static int files_open(struct duplicates *d, struct error *err)
{
    char *begin = path_join(d->folder, "keys");
    int ret = 0;
    for (int i = 0; i < DEDUP_FILES && ret == 0; i++) {
        d->files[i] = scratch_open(begin, err);
        ret = d->files[i] ? 0 : -1;
    }
    free(begin);
    return ret;
}

/* The keys to their files, for a waiting pair or for NOBODY. */
static int keys_write(struct duplicates *d, const uint64_t *keys, int count, uint64_t pair,
                      struct error *err)
{
    if (!d->files[0] && files_open(d, err) < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        struct record record = { keys[i], pair * 8 + (unsigned)i };
        if (fwrite(&record, sizeof record, 1, d->files[keys[i] >> 58]) != 1)
            return cannot_write(d, err);
    }
    return 0;
}

/* Room for the keys of one more pair, by a table that may have to double. */
static bool is_full(const struct duplicates *d, int count)
{
    return hash_set_bytes_with(&d->seen, (size_t)count) > d->limit;
}

int duplicates_add(struct duplicates *d, const uint64_t *keys, int count, int *which, struct error *err)
{
    int found = -1;
    if (d->waiting || is_full(d, count)) {
        for (int i = count - 1; i >= 0; i--)
            if (hash_set_has(&d->seen, keys[i]))
                found = i;
        /* A duplicate's other keys count for those that follow. */
        if ((found < 0 || count > 1) &&
            keys_write(d, keys, count, found < 0 ? d->waiting : NOBODY, err) < 0)
            return -1;
        if (found < 0) {
            d->waiting++;
            return DEDUP_WAITS;
        }
    } else {
        for (int i = count - 1; i >= 0; i--)
            if (!hash_set_add(&d->seen, keys[i]))
                found = i;
    }
    *which = found;
    return found < 0 ? DEDUP_FRESH : DEDUP_SEEN;
}

void duplicates_prefetch(const struct duplicates *d, uint64_t key)
{
    hash_set_prefetch(&d->seen, key);
}

static int judge_file(struct duplicates *d, FILE *file, struct error *err)
{
    struct record records[4096];
    struct hash_set seen = { 0 };
    size_t count;
    if (fflush(file))
        return cannot_write(d, err);
    rewind(file);
    while ((count = fread(records, sizeof *records, ARRAY_COUNT(records), file)))
        for (size_t i = 0; i < count; i++) {
            size_t place = records[i].place / 8;
            unsigned char which = (unsigned char)(1 + records[i].place % 8);
            bool fresh = hash_set_add(&seen, records[i].key);
            if (!fresh && place < d->waiting && (!d->verdict[place] || d->verdict[place] > which))
                d->verdict[place] = which;
        }
    hash_set_release(&seen);
    return ferror(file) ? cannot_write(d, err) : 0;
}

int duplicates_finish(struct duplicates *d, struct error *err)
{
    d->verdict = xcalloc(d->waiting + 1, 1);
    for (int i = 0; i < DEDUP_FILES && d->files[i]; i++)
        if (judge_file(d, d->files[i], err) < 0)
            return -1;
    return 0;
}

size_t duplicates_waiting(const struct duplicates *d)
{
    return d->waiting;
}

enum dedup_answer duplicates_verdict(const struct duplicates *d, size_t i, int *which)
{
    *which = d->verdict[i] - 1;
    return d->verdict[i] ? DEDUP_SEEN : DEDUP_FRESH;
}
