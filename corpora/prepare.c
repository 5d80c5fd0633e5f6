/* Cleaning, and dividing what is left.
 *
 * Sizes of sets are known only when all pairs have been seen, so the pairs that stay are first
 * written into a nameless file, each as
 *
 *     | key: uint64 | source length: uint32 | target length: uint32 | source | target |
 *
 * and divided in a second pass. */
#include "corpora/prepare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "corpora/pair_files.h"

#define FIELD(member) offsetof(struct prepare_config, member)
const struct option prepare_options[] = {
    { "source-lang", OPTION_STRING, FIELD(source_lang), "src", 0, 0,
      "suffix of the source files: train.src" },
    { "target-lang", OPTION_STRING, FIELD(target_lang), "trg", 0, 0,
      "suffix of the target files: train.trg" },
    { 0 }
};

/* ---- the file between the passes ---- */

struct spool {
    FILE *file;
    char *name;                         /* for messages; the file has none any more */
    uint64_t *keys;                     /* of every pair, in their order */
    size_t count, room;
    struct strbuf text;
};

struct spool_record {
    uint64_t key;
    uint32_t source, target;
};

static int spool_failed(const struct spool *s, struct error *err)
{
    return error_set(err, "cannot write '%s': %s", s->name, strerror(errno));
}

static int spool_open(struct spool *s, const char *folder, struct error *err)
{
    s->name = xasprintf("%s/pairs-XXXXXX", folder);
    int fd = mkstemp(s->name);
    if (fd < 0)
        return spool_failed(s, err);
    unlink(s->name);
    s->file = fdopen(fd, "w+b");
    if (!s->file)
        close(fd);
    return s->file ? 0 : spool_failed(s, err);
}

static void spool_close(struct spool *s)
{
    if (s->file)
        fclose(s->file);
    free(s->name);
    free(s->keys);
    strbuf_release(&s->text);
}

static int spool_add(struct spool *s, struct text_pair pair, int64_t seed, struct error *err)
{
    struct spool_record record = { text_key(pair.source, (uint64_t)seed),
                                   (uint32_t)pair.source.length, (uint32_t)pair.target.length };
    if (pair.source.length > UINT32_MAX || pair.target.length > UINT32_MAX)
        return error_set(err, "pair %zu has a line of more than 4 GiB; drop it with the filters",
                         s->count + 1);
    ARRAY_GROW(s->keys, s->room, s->count + 1);
    s->keys[s->count++] = record.key;
    fwrite(&record, sizeof record, 1, s->file);
    fwrite(pair.source.bytes, 1, record.source, s->file);
    fwrite(pair.target.bytes, 1, record.target, s->file);
    return ferror(s->file) ? spool_failed(s, err) : 0;
}

/* Back to the first pair; what was added is on its way to the disk after this. */
static int spool_rewind(struct spool *s, struct error *err)
{
    if (fflush(s->file))
        return spool_failed(s, err);
    rewind(s->file);
    return 0;
}

static int spool_next(struct spool *s, struct text_pair *out, uint64_t *key, struct error *err)
{
    struct spool_record record;
    if (fread(&record, sizeof record, 1, s->file) != 1)
        return ferror(s->file) ? spool_failed(s, err) : 0;
    size_t length = (size_t)record.source + record.target;
    strbuf_reset(&s->text);
    ARRAY_GROW(s->text.text, s->text.room, length + 1);
    if (fread(s->text.text, 1, length, s->file) != length)
        return spool_failed(s, err);
    *out = (struct text_pair){ { s->text.text, record.source },
                               { s->text.text + record.source, record.target } };
    *key = record.key;
    return 1;
}

/* ---- the sets ---- */

struct sets {
    struct pair_files files[SPLIT_SETS];
    int64_t pairs[SPLIT_SETS + 1];      /* the last: left out */
};

static void sets_count(struct sets *sets, const struct spool *spool, const struct split_plan *plan)
{
    for (size_t i = 0; i < spool->count; i++)
        sets->pairs[split_find(plan, spool->keys[i])]++;
}

static char *set_path(const char *folder, int set, const char *suffix)
{
    return xasprintf("%s/%s.%s", folder, split_names[set], suffix);
}

static int sets_differ(const char *folder, const char *source, const char *target,
                       const struct prepare_config *config, struct error *err)
{
    int ret = 0;
    for (int set = 0; set < SPLIT_SETS && ret == 0; set++) {
        char *source_out = set_path(folder, set, config->source_lang);
        char *target_out = set_path(folder, set, config->target_lang);
        ret = pair_files_differ(source_out, target_out, source, target, err);
        free(source_out);
        free(target_out);
    }
    return ret;
}

static int sets_open(struct sets *sets, const char *folder, const struct prepare_config *config,
                     struct error *err)
{
    int ret = 0;
    for (int set = 0; set < SPLIT_SETS && ret == 0; set++) {
        char *source = set_path(folder, set, config->source_lang);
        char *target = set_path(folder, set, config->target_lang);
        if (sets->pairs[set])
            ret = pair_files_open(&sets->files[set], source, target, err);
        free(source);
        free(target);
    }
    return ret;
}

static int sets_write(struct sets *sets, struct spool *spool, const struct split_plan *plan,
                      struct error *err)
{
    struct text_pair pair;
    uint64_t key = 0;
    int more;
    if (spool_rewind(spool, err) < 0)
        return -1;
    while ((more = spool_next(spool, &pair, &key, err)) > 0) {
        int set = split_find(plan, key);
        if (set != SPLIT_LEFT_OUT && pair_files_write(&sets->files[set], pair, err) < 0)
            return -1;
    }
    return more;
}

static int sets_commit(struct sets *sets, struct error *err)
{
    for (int set = 0; set < SPLIT_SETS; set++)
        if (sets->pairs[set] && pair_files_flush(&sets->files[set], err) < 0)
            return -1;
    for (int set = 0; set < SPLIT_SETS; set++)
        if (sets->pairs[set] && pair_files_commit(&sets->files[set], err) < 0)
            return -1;
    return 0;
}

static int collect(struct clean_report *report, struct spool *spool, const char *source,
                   const char *target, const struct prepare_config *config, struct error *err)
{
    struct cleaner cleaner;
    struct text_pair pair;
    int more = -1;
    if (cleaner_open(&cleaner, source, target, &config->clean, err) == 0)
        while ((more = cleaner_next(&cleaner, &pair, err)) > 0)
            if (spool_add(spool, pair, config->split.seed, err) < 0) {
                more = -1;
                break;
            }
    *report = cleaner.report;
    cleaner_close(&cleaner);
    return more;
}

int corpus_prepare(struct prepare_report *report, const char *folder,
                   const char *source, const char *target, const struct prepare_config *config,
                   struct error *err)
{
    struct prepare_report done = { 0 };
    struct spool spool = { 0 };
    struct sets sets = { 0 };
    struct split_plan plan;
    int ret = -1;
    if (dir_make(folder, err) < 0 || sets_differ(folder, source, target, config, err) < 0 ||
        spool_open(&spool, folder, err) < 0 ||
        collect(&done.clean, &spool, source, target, config, err) < 0)
        goto done;
    uint64_t *keys = xmalloc(spool.count * sizeof *keys);
    memcpy(keys, spool.keys, spool.count * sizeof *keys);
    int planned = split_plan(&plan, keys, spool.count, &config->split, err);
    free(keys);
    if (planned < 0)
        goto done;
    sets_count(&sets, &spool, &plan);
    if (sets_open(&sets, folder, config, err) < 0 ||
        sets_write(&sets, &spool, &plan, err) < 0 || sets_commit(&sets, err) < 0)
        goto done;
    memcpy(done.sets, sets.pairs, sizeof done.sets);
    done.left_out = sets.pairs[SPLIT_LEFT_OUT];
    *report = done;
    ret = 0;
done:
    for (int set = 0; set < SPLIT_SETS; set++)
        pair_files_abort(&sets.files[set]);
    spool_close(&spool);
    return ret;
}

json_t *prepare_report_json(const struct prepare_report *report)
{
    json_t *json = clean_report_json(&report->clean);
    for (int set = SPLIT_SETS - 1; set >= 0; set--)
        json_object_set_new(json, split_names[set], json_integer(report->sets[set]));
    json_object_set_new(json, "left_out", json_integer(report->left_out));
    return json;
}
