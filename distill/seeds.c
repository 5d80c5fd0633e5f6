#include "distill/seeds.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const struct stage_kind *kind_of(const json_t *given, const struct stage_kind *const *kinds)
{
    const char *name = json_string_value(json_object_get(given, "kind"));
    return name ? stage_kind_find(kinds, name) : NULL;
}

/* ---- which stages vary ---- */

struct seeds {
    const json_t *stages, *seeds;
    const struct stage_kind *const *kinds;
    json_t *varies;             /* name → whether; a stage under inspection counts as not */
};

static bool stage_varies(struct seeds *s, const char *name);

/* Whether a value of an input, or any in it, names a stage that varies. */
static bool names_varying(struct seeds *s, const json_t *value)
{
    bool found = false;
    const char *label;
    json_t *item;
    size_t i;
    if (json_is_string(value))
        return stage_varies(s, json_string_value(value));
    json_object_foreach((json_t *)(uintptr_t)value, label, item)
        found |= names_varying(s, item);
    json_array_foreach(value, i, item)
        found |= names_varying(s, item);
    return found;
}

static bool look(struct seeds *s, const json_t *given)
{
    const struct stage_kind *kind = kind_of(given, s->kinds);
    if (!kind || kind->gathers)
        return false;
    if (kind->varies && !json_object_get(given, "seed"))
        return true;
    for (const struct stage_input *i = kind->inputs; i && i->name; i++)
        if (names_varying(s, json_object_get(given, i->name)))
            return true;
    return false;
}

static bool stage_varies(struct seeds *s, const char *name)
{
    const json_t *known = json_object_get(s->varies, name), *given = json_object_get(s->stages, name);
    if (known || !given)
        return json_is_true(known);
    json_object_set_new(s->varies, name, json_false());
    bool varies = look(s, given);
    json_object_set_new(s->varies, name, json_boolean(varies));
    return varies;
}

/* ---- copies ---- */

static json_t *copy_name(const char *name, const json_t *seed)
{
    return json_sprintf("%s@%" JSON_INTEGER_FORMAT, name, json_integer_value(seed));
}

/* An input's value for the copy of this seed. */
static json_t *for_seed(struct seeds *s, const json_t *value, const json_t *seed)
{
    const char *label;
    json_t *item, *out;
    size_t i;
    if (json_is_string(value) && stage_varies(s, json_string_value(value)))
        return copy_name(json_string_value(value), seed);
    if (json_is_object(value)) {
        out = json_object();
        json_object_foreach((json_t *)(uintptr_t)value, label, item)
            json_object_set_new(out, label, for_seed(s, item, seed));
        return out;
    }
    if (json_is_array(value)) {
        out = json_array();
        json_array_foreach(value, i, item)
            json_array_append_new(out, for_seed(s, item, seed));
        return out;
    }
    return json_deep_copy(value);
}

/* The value itself, or the list of all its copies; of a list, those of each in turn. */
static json_t *all_copies(struct seeds *s, const json_t *value)
{
    const char *name = json_string_value(value);
    json_t *out = json_array(), *seed, *item;
    size_t i;
    json_array_foreach(value, i, item) {
        json_t *copies = all_copies(s, item);
        if (json_is_array(copies))
            json_array_extend(out, copies);
        else
            json_array_append(out, copies);
        json_decref(copies);
    }
    if (json_is_array(value))
        return out;
    if (name && stage_varies(s, name)) {
        json_array_foreach(s->seeds, i, seed)
            json_array_append_new(out, copy_name(name, seed));
        return out;
    }
    json_decref(out);
    return json_deep_copy(value);
}

/* A gathering input: label → one stage, or the copies of one. */
static json_t *for_all(struct seeds *s, const json_t *value)
{
    json_t *out = json_object(), *item;
    const char *label;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)value, label, item)
        json_object_set_new(out, label, all_copies(s, item));
    json_array_foreach(value, i, item)
        json_object_set_new(out, json_is_string(item) ? json_string_value(item) : "", all_copies(s, item));
    return out;
}

static void add_copy(struct seeds *s, json_t *out, const char *name, const json_t *given, const json_t *seed)
{
    const struct stage_kind *kind = kind_of(given, s->kinds);
    json_t *copy = json_deep_copy(given), *key = copy_name(name, seed);
    for (const struct stage_input *i = kind->inputs; i && i->name; i++)
        if (json_object_get(given, i->name))
            json_object_set_new(copy, i->name, for_seed(s, json_object_get(given, i->name), seed));
    if (kind->varies && !json_object_get(given, "seed"))
        json_object_set(copy, "seed", (json_t *)(uintptr_t)seed);
    json_object_set_new(out, json_string_value(key), copy);
    json_decref(key);
}

static void add_gathering(struct seeds *s, json_t *out, const char *name, const json_t *given)
{
    const struct stage_kind *kind = kind_of(given, s->kinds);
    json_t *copy = json_deep_copy(given);
    for (const struct stage_input *i = kind->inputs; i && i->name; i++) {
        const json_t *value = json_object_get(given, i->name);
        if (json_is_object(value) || json_is_array(value))
            json_object_set_new(copy, i->name, for_all(s, value));
    }
    json_object_set_new(out, name, copy);
}

json_t *seeds_expand(const json_t *stages, const json_t *seeds, const struct stage_kind *const *kinds)
{
    struct seeds s = { stages, seeds, kinds, json_object() };
    json_t *out = json_object(), *given, *seed;
    const char *name;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)stages, name, given) {
        const struct stage_kind *kind = kind_of(given, kinds);
        if (kind && kind->gathers)
            add_gathering(&s, out, name, given);
        else if (!stage_varies(&s, name))
            json_object_set(out, name, given);
        else
            json_array_foreach(seeds, i, seed)
                add_copy(&s, out, name, given, seed);
    }
    json_decref(s.varies);
    return out;
}
