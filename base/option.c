/* Groups of options: defaults, names, and values by name. */
#include "base/option.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option_row.h"
#include "base/strbuf.h"

/* ---- defaults ---- */

void options_default(const struct option_group *groups)
{
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            row_default(o, row_field(o, g->target));
}

void options_release(const struct option_group *groups)
{
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            row_clear(o, row_field(o, g->target));
}

/* ---- names ---- */

const struct option *options_find(const struct option_group *groups, const char *name,
                                  void **target)
{
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            if (!strcmp(o->name, name) || (o->alias && !strcmp(o->alias, name))) {
                if (target)
                    *target = g->target;
                return o;
            }
    return NULL;
}

const char *options_complete(const struct option_group *groups, const char *begin)
{
    const char *found = NULL;
    int count = 0;
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            if (!strncmp(o->name, begin, strlen(begin))) {
                found = o->name;
                count++;
            }
    return count == 1 ? found : NULL;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

#define LONGEST_NAME 64

/* Insertions, deletions, changes and swaps of neighbours (optimal string alignment). */
static size_t edit_distance(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b), cost[3][LONGEST_NAME];     /* row i is cost[i % 3] */

    if (m >= LONGEST_NAME || n >= LONGEST_NAME)
        return SIZE_MAX;
    for (size_t i = 0; i <= m; i++) {
        size_t *row = cost[i % 3], *above = cost[(i + 2) % 3], *two_above = cost[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]
                && two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return cost[m % 3][n];
}

/* Near is a third of the letters, at least one; or a name that goes on where `name` stops. */
const char *nearest_name(const char *name, const char *const *known, size_t count)
{
    const char *best = NULL;
    size_t length = strlen(name), best_distance = length / 3 > 1 ? length / 3 : 1;

    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(name, known[i]);
        if (distance <= best_distance && (!best || distance < best_distance)) {
            best = known[i];
            best_distance = distance;
        }
    }
    for (size_t i = 0; !best && length >= 3 && i < count; i++)
        if (!strncmp(name, known[i], length))
            best = known[i];
    return best;
}

static const char *nearest_option(const struct option_group *groups, const char *name,
                                  bool flags_only)
{
    const char **known = NULL;
    const char *near;
    size_t count = 0, room = 0;

    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g)) {
            if (flags_only && o->kind != OPTION_FLAG)
                continue;
            known = array_grow(known, &room, count + 1, sizeof *known);
            known[count++] = o->name;
        }
    near = nearest_name(name, known, count);
    free(known);
    return near;
}

int unknown_option(const struct option_group *groups, const char *kind, const char *dashes,
                   const char *name, struct error *err)
{
    bool negated = *dashes && !strncmp(name, "no-", 3);
    const char *near = nearest_option(groups, name, false), *no = "";
    if (!near && negated) {
        near = nearest_option(groups, name + 3, true);
        no = "no-";
    }
    if (near)
        return error_set(err, "unknown %s '%s%s', did you mean '%s%s%s'?", kind, dashes, name,
                         dashes, no, near);
    return error_set(err, "unknown %s '%s%s'", kind, dashes, name);
}

/* ---- values by name ---- */

int options_set(const struct option_group *groups, const char *name, const char *value,
                struct error *err)
{
    void *target = NULL;
    const struct option *o = options_find(groups, name, &target);
    if (!o)
        return unknown_option(groups, "option", "", name, err);
    if (o->kind == OPTION_LIST)
        strings_release(row_field(o, target));
    return row_set_text(o, row_field(o, target), value, err) < 0 ? error_prefix(err, "key '%s'", name) : 0;
}

int options_set_json(const struct option_group *groups, const char *name, const json_t *value,
                     struct error *err)
{
    void *target = NULL;
    const struct option *o = options_find(groups, name, &target);
    if (!o)
        return unknown_option(groups, "key", "", name, err);
    return row_set_json(o, row_field(o, target), value, err) < 0 ? error_prefix(err, "key '%s'", name) : 0;
}

int options_from_json(const struct option_group *groups, const json_t *object, struct error *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return error_set(err, "a mapping of options is wanted");
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        if (options_set_json(groups, name, value, err) < 0)
            return -1;
    return 0;
}

json_t *options_to_json(const struct option_group *groups)
{
    json_t *object = json_object();
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            json_object_set_new(object, o->name, row_json(o, row_field(o, g->target)));
    return object;
}
