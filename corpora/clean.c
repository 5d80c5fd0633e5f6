/* Importing, filtering, dropping duplicates. */
#include "corpora/clean.h"

#include <stddef.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "corpora/pair_files.h"

static const char *const dedup_names[] = {
    [DEDUP_NONE] = "none", [DEDUP_PAIR] = "pair", [DEDUP_SOURCE] = "source",
    [DEDUP_TARGET] = "target", NULL
};

const struct option dedup_options[] = {
    { "dedup", OPTION_CHOICE, offsetof(struct clean_config, dedup), "pair", 0, 0,
      "of equal pairs, sources or targets keep the first", dedup_names },
    { 0 }
};

int cleaner_open(struct cleaner *c, const char *source, const char *target,
                 const struct clean_config *config, struct error *err)
{
    *c = (struct cleaner){ .config = config, .source = source, .target = target };
    c->in = import_open(&config->import, source, target, err);
    if (!c->in)
        return -1;
    progress_start(&c->progress, "reading", "pairs", 0);
    return 0;
}

void cleaner_close(struct cleaner *c)
{
    if (c->in)
        progress_end(&c->progress);
    import_close(c->in);
    hash_set_release(&c->seen);
}

static uint64_t dedup_key(struct text_pair pair, enum dedup by)
{
    struct text source = text_trim(pair.source), target = text_trim(pair.target);
    uint64_t key = 0;
    if (by != DEDUP_TARGET)
        key = hash_bytes(source.bytes, source.length, key);
    if (by != DEDUP_SOURCE)
        key = hash_bytes(target.bytes, target.length, key);
    return key;
}

static bool is_duplicate(struct cleaner *c, struct text_pair pair)
{
    enum dedup by = (enum dedup)c->config->dedup;
    return by != DEDUP_NONE && !hash_set_add(&c->seen, dedup_key(pair, by));
}

/* Whether the pair is kept; counts why not. */
static bool is_kept(struct cleaner *c, struct text_pair pair)
{
    int filter = filter_find(&c->config->filter, pair);
    if (++c->report.read % 256 == 0)
        progress_add(&c->progress, 256);
    if (filter >= 0)
        c->report.dropped[filter]++;
    else if (is_duplicate(c, pair))
        c->report.duplicates++;
    else
        return ++c->report.kept;
    return false;
}

static int nothing_left(const struct cleaner *c, struct error *err)
{
    if (!c->report.read)
        return error_set(err, "empty corpus: '%s' and '%s' hold no pair of sentences",
                         c->source, c->target);
    return error_set(err, "no pair is left of the %lld in '%s' and '%s': the filters dropped all "
                          "of them; loosen them or look at the corpus",
                     (long long)c->report.read, c->source, c->target);
}

int cleaner_next(struct cleaner *c, struct text_pair *out, struct error *err)
{
    int more;
    while ((more = import_next(c->in, out, err)) > 0) {
        if (interrupt_requested())
            return error_set(err, "interrupted");
        if (is_kept(c, *out))
            return 1;
    }
    c->report.repaired = import_repaired(c->in);
    return more == 0 && !c->report.kept ? nothing_left(c, err) : more;
}

int corpus_clean(struct clean_report *report, const char *source_out, const char *target_out,
                 const char *source, const char *target, const struct clean_config *config,
                 struct error *err)
{
    struct cleaner cleaner = { 0 };
    struct pair_files out = { 0 };
    struct text_pair pair;
    int more = -1, ret = -1;
    if (pair_files_differ(source_out, target_out, source, target, err) < 0 ||
        cleaner_open(&cleaner, source, target, config, err) < 0 ||
        pair_files_open(&out, source_out, target_out, err) < 0)
        goto done;
    while ((more = cleaner_next(&cleaner, &pair, err)) > 0)
        if (pair_files_write(&out, pair, err) < 0)
            goto done;
    if (more < 0 || pair_files_commit(&out, err) < 0)
        goto done;
    *report = cleaner.report;
    ret = 0;
done:
    pair_files_abort(&out);
    cleaner_close(&cleaner);
    return ret;
}

json_t *clean_report_json(const struct clean_report *report)
{
    json_t *dropped = json_object();
    for (int i = 0; filters[i].name; i++)
        json_object_set_new(dropped, filters[i].name, json_integer(report->dropped[i]));
    return json_pack("{s:I, s:o, s:I, s:I, s:I}", "read", (json_int_t)report->read,
                     "dropped", dropped, "duplicates", (json_int_t)report->duplicates,
                     "kept", (json_int_t)report->kept, "repaired", (json_int_t)report->repaired);
}
