/* Cleaning, and dividing what is left.
 *
 * Sizes of sets are known only when all pairs have been seen, so the pairs that stay are first
 * written into a nameless file (corpora/spool.h), and divided in a second pass. */
#include "corpora/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/pair_files.h"
#include "corpora/spool.h"

/* ---- the sets ---- */

/* The pairs that stay, and what the sets are chosen by. */
struct collection {
    struct spool spool;
    uint64_t *held;                     /* keys of those that may be held out, for the plan */
    size_t held_count, held_room;
    int64_t seed;
};

/* The mark of a spooled pair: its copies, and whether it is for training only. */
#define TRAIN_ONLY (UINT32_C(1) << 31)

static int collect(void *arg, const struct cleaned *p, struct error *err)
{
    struct collection *c = arg;
    uint64_t key = text_key(p->untagged, (uint64_t)c->seed);
    uint32_t mark = (uint32_t)p->copies | (p->source->train_only ? TRAIN_ONLY : 0);
    if (!p->source->train_only) {
        ARRAY_GROW(c->held, c->held_room, c->held_count + 1);
        c->held[c->held_count++] = key;
    }
    return spool_add(&c->spool, &(struct spooled){ p->pair, key, mark }, err);
}

static void collection_release(struct collection *c)
{
    spool_close(&c->spool);
    free(c->held);
}

struct sets {
    struct pair_files files[SPLIT_SETS];
    int64_t pairs[SPLIT_SETS + 1];      /* the last: left out */
};

/* What is for training only stays out of the held-out sets, and where they have its source, out of
 * all. */
static int set_of(const struct split_plan *plan, const struct spooled *item)
{
    int set = split_find(plan, item->key);
    bool held_out = set == SPLIT_TEST || set == SPLIT_DEV;
    return held_out && item->mark & TRAIN_ONLY ? SPLIT_LEFT_OUT : set;
}

static int64_t copies_in(int set, const struct spooled *item)
{
    return set == SPLIT_TRAIN ? (int64_t)(item->mark & ~TRAIN_ONLY) : 1;
}

static int sets_count(struct sets *sets, struct spool *spool, const struct split_plan *plan,
                      struct error *err)
{
    struct spooled item;
    int more;
    if (spool_rewind(spool, err) < 0)
        return -1;
    while ((more = spool_next(spool, &item, err)) > 0) {
        int set = set_of(plan, &item);
        sets->pairs[set] += copies_in(set, &item);
    }
    return more;
}

/* The names of a set's files; NULL for a side that there is not. */
struct set_names { char *source, *target; };

static struct set_names set_names(const char *folder, int set, const struct prepare_config *config,
                                  bool paired)
{
    const struct import_config *import = &config->clean.import;
    bool target_alone = !paired && import->side == SIDE_TARGET;
    return (struct set_names){
        xasprintf("%s/%s.%s", folder, split_names[set],
                  target_alone ? import->target_lang : import->source_lang),
        paired ? xasprintf("%s/%s.%s", folder, split_names[set], import->target_lang) : NULL,
    };
}

static void set_names_release(struct set_names n)
{
    free(n.source);
    free(n.target);
}

static int sets_differ(const char *folder, const char *source, const char *target,
                       const struct prepare_config *config, bool paired, struct error *err)
{
    int ret = 0;
    for (int set = 0; set < SPLIT_SETS && ret == 0; set++) {
        struct set_names names = set_names(folder, set, config, paired);
        if (pair_files_differ(names.source, names.target, err) < 0 ||
            clean_spares(names.source, source, target, &config->clean, err) < 0 ||
            clean_spares(names.target, source, target, &config->clean, err) < 0)
            ret = -1;
        set_names_release(names);
    }
    return ret;
}

static int sets_open(struct sets *sets, const char *folder, const struct prepare_config *config,
                     bool paired, struct error *err)
{
    int ret = 0;
    for (int set = 0; set < SPLIT_SETS && ret == 0; set++) {
        struct set_names names = set_names(folder, set, config, paired);
        if (sets->pairs[set])
            ret = pair_files_open(&sets->files[set], names.source, names.target, err);
        set_names_release(names);
    }
    return ret;
}

static int sets_write(struct sets *sets, struct spool *spool, const struct split_plan *plan,
                      struct error *err)
{
    struct spooled item;
    int more;
    if (spool_rewind(spool, err) < 0)
        return -1;
    while ((more = spool_next(spool, &item, err)) > 0) {
        int set = set_of(plan, &item);
        for (int64_t i = 0; set != SPLIT_LEFT_OUT && i < copies_in(set, &item); i++)
            if (pair_files_write(&sets->files[set], item.pair, err) < 0)
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

/* Divides what was collected. */
static int divide(struct sets *sets, struct collection *c, const char *folder,
                  const struct prepare_config *config, bool paired, struct error *err)
{
    struct split_plan plan;
    if (split_plan(&plan, c->held, c->held_count, &config->split, err) < 0 ||
        sets_count(sets, &c->spool, &plan, err) < 0 ||
        sets_open(sets, folder, config, paired, err) < 0 ||
        sets_write(sets, &c->spool, &plan, err) < 0)
        return -1;
    return sets_commit(sets, err);
}

int corpus_prepare(struct prepare_report *report, const char *folder,
                   const char *source, const char *target, const struct prepare_config *config,
                   struct error *err)
{
    struct prepare_report done = { 0 };
    struct collection collection = { .seed = config->split.seed };
    struct clean_sink sink = { collect, &collection };
    struct sets sets = { 0 };
    bool paired;
    int ret = -1;
    if (clean_is_paired(&paired, source, target, &config->clean, err) == 0 &&
        dir_make(folder, err) == 0 &&
        sets_differ(folder, source, target, config, paired, err) == 0 &&
        spool_open(&collection.spool, folder, err) == 0 &&
        clean_run(&done.clean, source, target, &config->clean, &sink, err) == 0)
        ret = divide(&sets, &collection, folder, config, paired, err);
    if (ret == 0) {
        memcpy(done.sets, sets.pairs, sizeof done.sets);
        done.left_out = sets.pairs[SPLIT_LEFT_OUT];
        *report = done;
    }
    for (int set = 0; set < SPLIT_SETS; set++)
        pair_files_abort(&sets.files[set]);
    collection_release(&collection);
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
