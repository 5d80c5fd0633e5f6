/* Fingerprints of files and folders, cheap to check again. */
#include "distill/stamp.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

struct facts {
    int64_t size, mtime;        /* bytes; nanoseconds, the latest of a folder's files */
};

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Adds one file to the folder's facts and, where wanted, to its hash. */
static int add_entry(const FTSENT *e, size_t prefix, struct facts *facts, uint64_t *hash,
                     struct error *err)
{
    uint64_t content;
    int64_t mtime = mtime_of(e->fts_statp);
    if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
        return error_set(err, "cannot read %s: %s", e->fts_path, strerror(e->fts_errno));
    if (e->fts_info != FTS_F)
        return 0;
    facts->size += e->fts_statp->st_size;
    facts->mtime = mtime > facts->mtime ? mtime : facts->mtime;
    if (!hash)
        return 0;
    if (hash_file(&content, e->fts_path, err) < 0)
        return -1;
    *hash = hash_bytes(e->fts_path + prefix, strlen(e->fts_path + prefix), *hash ^ content);
    return 0;
}

static int walk(const char *path, struct facts *facts, uint64_t *hash, struct error *err)
{
    char *roots[] = { (char *)(uintptr_t)path, NULL };
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    FTSENT *entry;
    int ret = 0;
    if (!tree)
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    while (ret == 0 && (entry = fts_read(tree)))
        ret = add_entry(entry, strlen(path), facts, hash, err);
    fts_close(tree);
    return ret;
}

static int look(const char *path, struct facts *facts, uint64_t *hash, struct error *err)
{
    struct stat st;
    *facts = (struct facts){ 0 };
    if (stat(path, &st))
        return error_set(err, "cannot read %s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        if (hash)
            *hash = 0;
        return walk(path, facts, hash, err);
    }
    *facts = (struct facts){ st.st_size, mtime_of(&st) };
    return hash ? hash_file(hash, path, err) : 0;
}

static json_t *make(const char *path, const struct facts *facts, const char *hash)
{
    return json_pack("{s:s, s:I, s:I, s:s}", "path", path, "size", (json_int_t)facts->size,
                     "mtime", (json_int_t)facts->mtime, "hash", hash);
}

json_t *stamp_take(const char *base, const char *path, struct error *err)
{
    char *full = path_join(base, path);
    char text[HASH_TEXT];
    struct facts facts;
    uint64_t hash;
    json_t *stamp = NULL;
    if (look(full, &facts, &hash, err) == 0) {
        hash_text(text, hash);
        stamp = make(path, &facts, text);
    }
    free(full);
    return stamp;
}

static bool same_facts(const json_t *stamp, const struct facts *facts)
{
    return json_integer_value(json_object_get(stamp, "size")) == facts->size
        && json_integer_value(json_object_get(stamp, "mtime")) == facts->mtime;
}

static const char *text_of(const json_t *stamp, const char *name)
{
    const char *text = json_string_value(json_object_get(stamp, name));
    return text ? text : "";
}

int stamp_holds(const json_t *stamp, const char *base)
{
    char *full = path_join(base, text_of(stamp, "path"));
    char text[HASH_TEXT];
    struct facts facts;
    struct error ignored;
    uint64_t hash;
    int holds = 0;
    if (look(full, &facts, NULL, &ignored) == 0) {
        holds = same_facts(stamp, &facts);
        if (!holds && json_integer_value(json_object_get(stamp, "size")) == facts.size
            && look(full, &facts, &hash, &ignored) == 0) {
            hash_text(text, hash);
            holds = !strcmp(text, text_of(stamp, "hash"));
        }
    }
    free(full);
    return holds;
}

json_t *stamp_renew(const json_t *earlier, const char *base, const char *path, struct error *err)
{
    char *full = path_join(base, path);
    struct facts facts;
    json_t *stamp, *found = NULL;
    size_t i;
    if (look(full, &facts, NULL, err) < 0) {
        free(full);
        return NULL;
    }
    json_array_foreach(earlier, i, stamp)
        if (!strcmp(text_of(stamp, "path"), path) && same_facts(stamp, &facts))
            found = stamp;
    free(full);
    return found ? json_incref(found) : stamp_take(base, path, err);
}

int64_t path_bytes(const char *path)
{
    struct facts facts;
    return look(path, &facts, NULL, NULL) < 0 ? 0 : facts.size;
}

int64_t stamps_size(const json_t *stamps)
{
    int64_t size = 0;
    size_t i;
    json_t *stamp;
    json_array_foreach(stamps, i, stamp)
        size += json_integer_value(json_object_get(stamp, "size"));
    return size;
}
