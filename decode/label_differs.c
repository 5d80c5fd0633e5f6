/* What is another labelling job than the one that a folder holds, told to people. */
#include "decode/label_differs.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "decode/label_plan.h"

/* ---- options ---- */

/* The first difference, as "beam is 5 there and 4 here". */
static bool find_difference(char *text, size_t room, const char *name, const json_t *there, const json_t *here)
{
    const char *key;
    json_t *value;
    if (json_equal(there, here))
        return false;
    if (json_is_object(there) && json_is_object(here)) {
        json_object_foreach((json_t *)there, key, value)
            if (find_difference(text, room, key, value, json_object_get(here, key)))
                return true;
        json_object_foreach((json_t *)here, key, value)
            if (!json_object_get(there, key))
                return find_difference(text, room, key, NULL, value);
    }
    char *a = json_dumps(there, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    char *b = json_dumps(here, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    snprintf(text, room, "%s is %.100s there and %.100s here", name, a ? a : "not set", b ? b : "not set");
    free(a);
    free(b);
    return true;
}

/* ---- models ---- */

static const json_t *models_of(const struct label_plan *plan)
{
    return json_object_get(json_object_get(plan->about, "models"), "models");
}

static const char *text_of(const json_t *text, const char *otherwise)
{
    return json_is_string(text) ? json_string_value(text) : otherwise;
}

/* "'big' (fingerprint 03ab…, weight 2), 'wide' (fingerprint 7c6c…, weight 1)". */
static void tell_models(struct strbuf *out, const struct label_plan *plan)
{
    const json_t *names = json_object_get(plan->names, "models");
    size_t i;
    json_t *model;
    json_array_foreach((json_t *)models_of(plan), i, model) {
        const json_t *weight = json_object_get(model, "weight");
        strbuf_printf(out, "%s'%s' (fingerprint %s", i ? ", " : "", text_of(json_array_get(names, i), "a model"),
                      text_of(json_object_get(model, "fingerprint"), "unknown"));
        if (weight)
            strbuf_printf(out, ", weight %g", json_number_value(weight));
        strbuf_printf(out, ")");
    }
}

static int other_models(const struct label_plan *there, const struct label_plan *here, const char *folder,
                        struct error *err)
{
    struct strbuf before = { 0 }, now = { 0 };
    tell_models(&before, there);
    tell_models(&now, here);
    error_set(err, "'%s' holds the labels of %s, not of %s; go on with the same models, or choose another folder", folder,
              before.text, now.text);
    strbuf_release(&before);
    strbuf_release(&now);
    return -1;
}

/* ---- texts ---- */

/* The first of the files: "inputs", or those of the given translations, "target". */
static const char *file_of(const struct label_plan *plan, const char *which)
{
    return text_of(json_array_get(json_object_get(plan->names, which), 0), "another text");
}

/* The first of the shards that have other lines, or -1. */
static int64_t find_shard(const struct label_plan *there, const uint64_t *before, const uint64_t *now)
{
    for (int64_t s = 0; before && now && s < there->shards; s++)
        if (before[s] != now[s])
            return s;
    return -1;
}

static int other_lines(const struct label_plan *there, const struct label_plan *here, const char *which, int64_t shard,
                       const char *folder, struct error *err)
{
    const char *before = file_of(there, which), *now = file_of(here, which), *made = *which == 't' ? "given " : "";
    int64_t first = shard * there->shard_lines + 1, last = first + label_plan_lines(there, shard) - 1;
    if (!strcmp(before, now))
        return error_set(err, "'%s' holds the labels of '%s' as it was: one of its %slines %" PRId64 " to %" PRId64
                         " has changed since; choose another folder", folder, now, made, first, last);
    return error_set(err, "'%s' holds the labels of '%s': one of the %slines %" PRId64 " to %" PRId64 " of '%s' is not as "
                     "there; choose another folder", folder, before, made, first, last, now);
}

static int other_count(const struct label_plan *there, const struct label_plan *here, const char *folder,
                       struct error *err)
{
    const char *before = file_of(there, "inputs"), *now = file_of(here, "inputs");
    if (!strcmp(before, now))
        return error_set(err, "'%s' holds the labels of '%s' as it was, of %" PRId64 " lines, and now it has %" PRId64
                         "; choose another folder", folder, now, there->lines, here->lines);
    return error_set(err, "'%s' holds the labels of '%s', of %" PRId64 " lines, and '%s' has %" PRId64 "; choose another "
                     "folder", folder, before, there->lines, now, here->lines);
}

int label_differs(const struct label_plan *there, const struct label_plan *here, const char *folder, struct error *err)
{
    char what[400] = "";
    int64_t shard;
    if (!json_equal(models_of(there), models_of(here)))
        return other_models(there, here, folder, err);
    if (find_difference(what, sizeof what, "about", there->about, here->about))
        return error_set(err, "'%s' holds the labels of another job: %s; go on with the same, or choose another "
                         "folder", folder, what);
    if (there->lines != here->lines)
        return other_count(there, here, folder, err);
    if (there->shard_lines != here->shard_lines)
        return error_set(err, "'%s' was begun with --shard-lines %" PRId64 ", and now it is %" PRId64 "; go on with the "
                         "same, or choose another folder", folder, there->shard_lines, here->shard_lines);
    if ((shard = find_shard(there, there->input, here->input)) >= 0)
        return other_lines(there, here, "inputs", shard, folder, err);
    if ((shard = find_shard(there, there->target, here->target)) >= 0)
        return other_lines(there, here, "target", shard, folder, err);
    return error_set(err, "'%s' holds the labels of another job; choose another folder", folder);
}
