/* References and systems from files. */
#include "eval/testset.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

static const char *shown(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- the files, each on some thread ---- */

struct loading {
    const char **paths;                 /* (count) references, then systems */
    int *columns, *rets;                /* (count) */
    struct error *errors;               /* (count) */
    size_t count;
    struct encoding encoding;
    struct segments *files;             /* (count) */
};

static void load_one(void *arg, int index)
{
    struct loading *l = arg;
    l->rets[index] = segments_load(&l->files[index], l->paths[index], l->columns[index], l->encoding,
                                   &l->errors[index]);
}

/* What is told is what reading one after the other would have come upon. */
static int check_file(const struct loading *l, size_t index, struct error *err)
{
    const struct segments *s = &l->files[index], *first = &l->files[0];
    if (l->rets[index] < 0) {
        *err = l->errors[index];
        return -1;
    }
    if (s->marked)
        log_warning("%s begins with a byte order mark, which counts as a character of its first "
                    "line, as in sacreBLEU; take it off", shown(l->paths[index]));
    if (s->count != first->count)
        return error_set(err, "%s has %zu line%s but %s has %zu line%s; they must match line by line",
                         shown(l->paths[index]), s->count, plural(s->count), shown(l->paths[0]), first->count,
                         plural(first->count));
    return 0;
}

static int load_files(struct loading *l, int threads, struct error *err)
{
    struct pool *pool = pool_new(threads < (int)l->count ? threads : (int)l->count);
    int ret = 0;
    l->rets = xcalloc(l->count, sizeof *l->rets);
    l->errors = xcalloc(l->count, sizeof *l->errors);
    pool_run(pool, (int)l->count, load_one, l);
    pool_free(pool);
    for (size_t i = 0; i < l->count && ret == 0; i++)
        ret = check_file(l, i, err);
    free(l->rets);
    free(l->errors);
    return ret;
}

/* ---- what they hold ---- */

static void add_refs(struct testset *set, const struct segments *s)
{
    size_t had = (size_t)set->nrefs * set->n, more = (size_t)s->columns * s->count;
    set->refs = xrealloc(set->refs, (had + more) * sizeof *set->refs);
    memcpy(set->refs + had, s->items, more * sizeof *set->refs);
    set->nrefs += s->columns;
}

static void add_system(struct testset *set, char *name, const struct text *hyps)
{
    set->systems = xrealloc(set->systems, (set->systems_count + 1) * sizeof *set->systems);
    set->systems[set->systems_count++] = (struct testset_system){ name, hyps };
}

static void add_systems(struct testset *set, char *const *system_paths, size_t system_count, size_t ref_count)
{
    const struct segments *piped = &set->files[ref_count];
    for (size_t i = 0; i < system_count; i++)
        add_system(set, xstrdup(system_paths[i]), set->files[ref_count + i].items);
    for (int c = 0; system_count == 0 && c < piped->columns; c++)
        add_system(set, xasprintf("System %d", c + 1), piped->items + (size_t)c * set->n);
}

int testset_load(struct testset *set, const char *const *ref_paths, size_t ref_count, int num_refs,
                 char *const *system_paths, size_t system_count, struct encoding encoding, int threads,
                 struct error *err)
{
    struct testset fresh = { .files_count = ref_count + (system_count ? system_count : 1) };
    struct loading l = { .count = fresh.files_count, .encoding = encoding };

    l.files = fresh.files = xcalloc(l.count, sizeof *l.files);
    l.paths = xcalloc(l.count, sizeof *l.paths);
    l.columns = xcalloc(l.count, sizeof *l.columns);
    for (size_t i = 0; i < l.count; i++) {
        l.paths[i] = i < ref_count ? ref_paths[i] : system_count ? system_paths[i - ref_count] : "-";
        l.columns[i] = i < ref_count ? num_refs : system_count ? 1 : 0;
    }
    int ret = load_files(&l, threads > 0 ? threads : cpu_count(), err);
    free(l.paths);
    free(l.columns);
    if (ret < 0) {
        testset_release(&fresh);
        return -1;
    }
    fresh.n = fresh.files[0].count;
    for (size_t r = 0; r < ref_count; r++)
        add_refs(&fresh, &fresh.files[r]);
    add_systems(&fresh, system_paths, system_count, ref_count);
    *set = fresh;
    return 0;
}

void testset_release(struct testset *set)
{
    for (size_t i = 0; i < set->files_count; i++)
        segments_release(&set->files[i]);
    for (size_t i = 0; i < set->systems_count; i++)
        free(set->systems[i].name);
    free(set->files);
    free(set->systems);
    free(set->refs);
    *set = (struct testset){ 0 };
}

void testset_warn_of_tokens(const struct testset *set)
{
    for (size_t s = 0; s < set->systems_count; s++) {
        size_t lines = 0;
        for (size_t i = 0; i < set->n; i++) {
            struct text t = set->systems[s].hyps[i];
            lines += t.length >= 2 && !memcmp(t.bytes + t.length - 2, " .", 2);
        }
        if (lines >= 100)
            log_warning("%s: %zu lines end in a tokenized period (' .'); it looks as if they were "
                        "not detokenized, which distorts BLEU (--force silences this)",
                        shown(set->systems[s].name), lines);
    }
}
