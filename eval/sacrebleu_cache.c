/* Files that sacreBLEU has fetched. */
#include "eval/sacrebleu_cache.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

static char *in_cache(const char *folder, const char *file)
{
    const char *cache = getenv("SACREBLEU"), *home = getenv("HOME");
    if (cache)
        return xasprintf("%s/%s/%s", cache, folder, file);
    return xasprintf("%s/.sacrebleu/%s/%s", home ? home : "", folder, file);
}

char *sacrebleu_model(const char *file)
{
    return in_cache("models", file);
}

/* ---- test sets ---- */

/* wmt17.en-de.ref: the files' names have no slash where the set's name has one. */
static char *reference_name(const char *set, const char *pair)
{
    char *name = xasprintf("%s.%s.ref", set, pair);
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '_';
    return name;
}

static void add_numbered(struct strings *out, const char *path)
{
    for (int i = 0;; i++) {
        char *numbered = xasprintf("%s-%d", path, i);
        bool there = file_exists(numbered);
        if (there)
            strings_add(out, numbered);
        free(numbered);
        if (!there)
            return;
    }
}

/* References told apart by letters or names. */
static void add_named(struct strings *out, const char *path)
{
    char *folder = path_dir(path);
    const char *name = path_name(path);
    size_t length = strlen(name);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (!strncmp(entry->d_name, name, length) && entry->d_name[length] == '-') {
            char *found = path_join(folder, entry->d_name);
            strings_add(out, found);
            free(found);
        }
    if (dir)
        closedir(dir);
    free(folder);
}

int sacrebleu_references(struct strings *out, const char *set, const char *pair, struct error *err)
{
    char *name = reference_name(set, pair), *path = in_cache(set, name);
    struct strings named = { 0 };
    size_t before = out->count;
    int ret = 0;
    if (file_exists(path))
        strings_add(out, path);
    else
        add_numbered(out, path);
    if (out->count == before)
        add_named(&named, path);
    if (named.count == 1)
        strings_add(out, named.items[0]);
    if (named.count > 1)
        ret = error_set(err, "there are %zu references of %s, %s and others; name those wanted as REF", named.count,
                        path, named.items[0]);
    else if (out->count == before)
        ret = error_set(err, "there is no %s, and coho fetches no test sets; let sacreBLEU do it once, "
                        "`sacrebleu -t %s -l %s --echo ref >ref`", path, set, pair);
    strings_release(&named);
    free(name);
    free(path);
    return ret;
}
