/* Manifests: describing, comparing, finishing. */
#include "distill/manifest.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "distill/stage.h"
#include "distill/stamp.h"

/* ---- what a stage is made from ---- */

/* input → [ { "label", "stage", "fingerprint" } … ] */
static json_t *describe_inputs(const struct stage_run *run)
{
    json_t *inputs = json_object();
    for (size_t i = 0; i < run->stage->link_count; i++) {
        const struct stage_link *link = &run->stage->links[i];
        json_t *list = json_object_get(inputs, link->input->name);
        const json_t *mark = json_object_get(run->manifests[link->stage], "fingerprint");
        if (!list) {
            list = json_array();
            json_object_set_new(inputs, link->input->name, list);
        }
        json_array_append_new(list, json_pack("{s:s, s:s, s:O}", "label", link->label, "stage",
                                              run->stages[link->stage].name, "fingerprint", mark));
    }
    return inputs;
}

static json_t *describe_sources(const struct stage_run *run, const json_t *earlier,
                                struct error *err)
{
    struct strings paths = { 0 };
    json_t *stamps = json_array();
    if (run->stage->kind->reads)
        run->stage->kind->reads(run->stage, &paths);
    for (size_t i = 0; i < paths.count; i++) {
        json_t *stamp = stamp_renew(json_object_get(earlier, "sources"), "", paths.items[i], err);
        if (!stamp) {
            json_decref(stamps);
            stamps = NULL;
            break;
        }
        json_array_append_new(stamps, stamp);
    }
    strings_release(&paths);
    return stamps;
}

json_t *manifest_describe(const struct stage_run *run, const json_t *earlier, struct error *err)
{
    const struct stage *s = run->stage;
    json_t *sources = describe_sources(run, earlier, err);
    if (!sources)
        return NULL;
    return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o}", "stage", s->name, "kind", s->kind->name,
                     "version", s->kind->version, "options", stage_options_json(s),
                     "inputs", describe_inputs(run), "sources", sources);
}

/* ---- what has changed ---- */

static char *value_text(const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(7))
                       : NULL;
    return text ? text : xstrdup("nothing");
}

static bool same_options(const json_t *now, const json_t *before, char *why, size_t room)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)now, name, value) {
        const json_t *was = json_object_get(before, name);
        if (was && json_equal(value, was))
            continue;
        char *from = value_text(was), *to = value_text(value);
        snprintf(why, room, "%s: %.40s, was %.40s", name, to, from);
        free(from);
        free(to);
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)before, name, value)
        if (!json_object_get(now, name)) {
            snprintf(why, room, "%s is gone", name);
            return false;
        }
    return true;
}

static bool same_inputs(const json_t *now, const json_t *before, char *why, size_t room)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)now, name, value)
        if (!json_equal(value, json_object_get(before, name))) {
            snprintf(why, room, "its %s changed", name);
            return false;
        }
    snprintf(why, room, "takes less than before");
    return json_object_size(now) == json_object_size(before);
}

static bool same_sources(const json_t *now, const json_t *before, char *why, size_t room)
{
    size_t i;
    json_t *stamp;
    json_array_foreach(now, i, stamp) {
        const json_t *was = json_array_get(before, i);
        if (was && json_equal(json_object_get(stamp, "path"), json_object_get(was, "path"))
            && json_equal(json_object_get(stamp, "hash"), json_object_get(was, "hash")))
            continue;
        snprintf(why, room, "%s changed", json_string_value(json_object_get(stamp, "path")));
        return false;
    }
    snprintf(why, room, "reads less than before");
    return json_array_size(now) == json_array_size(before);
}

bool manifest_same(const json_t *now, const json_t *before, char *why, size_t room)
{
    if (!json_equal(json_object_get(now, "kind"), json_object_get(before, "kind"))
        || !json_equal(json_object_get(now, "version"), json_object_get(before, "version"))) {
        snprintf(why, room, "the kind changed");
        return false;
    }
    if (!same_options(json_object_get(now, "options"), json_object_get(before, "options"), why, room)
        || !same_inputs(json_object_get(now, "inputs"), json_object_get(before, "inputs"), why, room)
        || !same_sources(json_object_get(now, "sources"), json_object_get(before, "sources"), why, room))
        return false;
    *why = '\0';
    return true;
}

bool manifest_intact(const json_t *manifest, const char *folder, char *why, size_t room)
{
    size_t i;
    json_t *stamp;
    json_array_foreach(json_object_get(manifest, "outputs"), i, stamp)
        if (!stamp_holds(stamp, folder)) {
            snprintf(why, room, "%s is missing or changed",
                     path_name(json_string_value(json_object_get(stamp, "path"))));
            return false;
        }
    *why = '\0';
    return true;
}

/* ---- the finished one ---- */

static json_t *stamp_outputs(const struct stage_run *run, struct error *err)
{
    json_t *stamps = json_array();
    for (size_t i = 0; i < run->outputs.count; i++) {
        json_t *stamp = stamp_take(run->folder, run->outputs.items[i], err);
        if (!stamp) {
            json_decref(stamps);
            return NULL;
        }
        json_array_append_new(stamps, stamp);
    }
    return stamps;
}

/* Of what it is made from and of the outputs' contents; times and sizes do not count. */
static void fingerprint(char text[HASH_TEXT], const json_t *description, const json_t *outputs)
{
    static const char *const parts[] = { "kind", "version", "options", "inputs" };
    json_t *all = json_array();
    size_t i;
    json_t *stamp;
    for (i = 0; i < ARRAY_COUNT(parts); i++)
        json_array_append(all, json_object_get(description, parts[i]));
    json_array_foreach(json_object_get(description, "sources"), i, stamp)
        json_array_append(all, json_object_get(stamp, "hash"));
    json_array_foreach(outputs, i, stamp)
        json_array_append(all, json_object_get(stamp, "hash"));
    char *dump = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    hash_text(text, hash_bytes(dump, strlen(dump), 0));
    free(dump);
    json_decref(all);
}

static void time_text(char text[32])
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

json_t *manifest_finish(const struct stage_run *run, const json_t *description, double seconds,
                        struct error *err)
{
    json_t *outputs = stamp_outputs(run, err);
    json_t *manifest;
    char mark[HASH_TEXT], finished[32];
    if (!outputs)
        return NULL;
    fingerprint(mark, description, outputs);
    time_text(finished);
    manifest = json_copy((json_t *)(uintptr_t)description);
    json_object_set_new(manifest, "outputs", outputs);
    json_object_set(manifest, "figures", run->figures);
    json_object_set_new(manifest, "seconds", json_real(seconds));
    json_object_set_new(manifest, "program", json_string("coho " COHO_VERSION));
    json_object_set_new(manifest, "finished", json_string(finished));
    json_object_set_new(manifest, "fingerprint", json_string(mark));
    return manifest;
}

json_t *manifest_read(const char *folder, const char *file)
{
    char *path = path_join(folder, file);
    struct error ignored;
    json_t *manifest = file_exists(path) ? json_read(path, &ignored) : NULL;
    free(path);
    return manifest;
}
