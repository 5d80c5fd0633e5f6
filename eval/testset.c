/* References and systems from files. */
#include "eval/testset.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

static const char *shown(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Loads one more file, which must have as many lines as the first. */
static int load(struct testset *set, const char *path, int columns, struct encoding encoding,
                const char *first_path, struct error *err)
{
    struct segments *s = &set->files[set->files_count];
    if (segments_load(s, path, columns, encoding, err) < 0)
        return -1;
    set->files_count++;
    if (s->marked)
        log_warning("%s begins with a byte order mark, which counts as a character of its first "
                    "line, as in sacreBLEU; take it off", shown(path));
    if (set->files_count == 1)
        set->n = s->count;
    if (s->count != set->n)
        return error_set(err, "%s has %zu line%s but %s has %zu line%s; they must match line by line",
                         shown(path), s->count, plural(s->count), shown(first_path), set->n,
                         plural(set->n));
    return 0;
}

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

static int load_all(struct testset *set, const char *const *ref_paths, size_t ref_count,
                    int num_refs, char *const *system_paths, size_t system_count,
                    struct encoding encoding, struct error *err)
{
    for (size_t r = 0; r < ref_count; r++) {
        if (load(set, ref_paths[r], num_refs, encoding, ref_paths[0], err) < 0)
            return -1;
        add_refs(set, &set->files[r]);
    }
    for (size_t i = 0; i < system_count; i++) {
        if (load(set, system_paths[i], 1, encoding, ref_paths[0], err) < 0)
            return -1;
        add_system(set, xstrdup(system_paths[i]), set->files[ref_count + i].items);
    }
    if (system_count > 0)
        return 0;
    if (load(set, "-", 0, encoding, ref_paths[0], err) < 0)
        return -1;
    for (int c = 0; c < set->files[ref_count].columns; c++)
        add_system(set, xasprintf("System %d", c + 1),
                   set->files[ref_count].items + (size_t)c * set->n);
    return 0;
}

int testset_load(struct testset *set, const char *const *ref_paths, size_t ref_count, int num_refs,
                 char *const *system_paths, size_t system_count, struct encoding encoding,
                 struct error *err)
{
    struct testset fresh = { 0 };
    fresh.files = xcalloc(ref_count + system_count + 1, sizeof *fresh.files);
    if (load_all(&fresh, ref_paths, ref_count, num_refs, system_paths, system_count, encoding, err) < 0) {
        testset_release(&fresh);
        return -1;
    }
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
