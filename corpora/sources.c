/* Lists of corpora. */
#include "corpora/sources.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"

#define FIELD(member) offsetof(struct corpus_source, member)
static const struct option source_options[] = {
    { "source", OPTION_STRING, FIELD(source), NULL, 0, 0, "the input, or that of the source" },
    { "target", OPTION_STRING, FIELD(target), NULL, 0, 0, "the input of the target" },
    { "weight", OPTION_FLOAT, FIELD(weight), "1", 0, 1000, "how often each pair appears" },
    { "tag", OPTION_STRING, FIELD(tag), NULL, 0, 0, "what stands before each source sentence" },
    { "train-only", OPTION_FLAG, FIELD(train_only), "false", 0, 0, "not for held-out sets" },
    { 0 }
};

static void groups_of(struct option_group groups[3], struct corpus_source *s)
{
    groups[0] = (struct option_group){ NULL, source_options, s };
    groups[1] = (struct option_group){ NULL, import_options, &s->import };
    groups[2] = (struct option_group){ NULL, NULL, NULL };
}

static void release_one(struct corpus_source *s)
{
    struct option_group groups[3];
    groups_of(groups, s);
    options_release(groups);
}

/* The options of `usual`, copied by way of JSON. */
static void take_usual(struct corpus_source *s, const struct import_config *usual)
{
    struct option_group from[] = {
        { NULL, import_options, (struct import_config *)(uintptr_t)usual }, { NULL, NULL, NULL } };
    struct option_group to[] = { { NULL, import_options, &s->import }, { NULL, NULL, NULL } };
    json_t *values = options_to_json(from), *value;
    const char *name;
    json_object_foreach(values, name, value)
        if (!json_is_null(value))
            options_set_json(to, name, value, NULL);
    json_decref(values);
}

static int take_row(struct corpus_source *out, const json_t *row, const struct import_config *usual,
                    struct error *err)
{
    struct option_group groups[3];
    groups_of(groups, out);
    options_default(groups);
    take_usual(out, usual);
    if (!json_is_object(row))
        return error_set(err, "a mapping is wanted, such as { source: a.en, target: a.de }");
    if (options_from_json(groups, row, err) < 0)
        return -1;
    return out->source ? 0 : error_set(err, "it has no source");
}

int sources_load(struct corpus_sources *out, const char *path, const struct import_config *usual,
                 struct error *err)
{
    struct corpus_sources list = { 0 };
    json_t *root = yaml_read(path, err);
    int ret = root ? 0 : -1;
    if (root && (!json_is_array(root) || !json_array_size(root)))
        ret = error_set(err, "%s:1: a list of corpora is wanted, each - { source: …, target: … }", path);
    if (ret == 0)
        list.items = xcalloc(json_array_size(root), sizeof *list.items);
    for (size_t i = 0; ret == 0 && i < json_array_size(root); i++) {
        char at[24];
        snprintf(at, sizeof at, "%zu", i);
        ret = take_row(&list.items[list.count++], json_array_get(root, i), usual, err);
        if (ret < 0)
            error_prefix(err, "%s:%d", path, yaml_line(root, at));
    }
    if (root)
        yaml_forget(root);
    json_decref(root);
    if (ret < 0)
        sources_release(&list);
    else
        *out = list;
    return ret;
}

void sources_single(struct corpus_sources *out, const char *source, const char *target,
                    const struct import_config *import)
{
    *out = (struct corpus_sources){ xcalloc(1, sizeof *out->items), 1 };
    struct option_group groups[3];
    groups_of(groups, out->items);
    options_default(groups);
    take_usual(out->items, import);
    out->items->source = xstrdup(source);
    out->items->target = target ? xstrdup(target) : NULL;
}

void sources_release(struct corpus_sources *s)
{
    for (size_t i = 0; i < s->count; i++)
        release_one(&s->items[i]);
    free(s->items);
    *s = (struct corpus_sources){ 0 };
}
