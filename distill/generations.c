/* Generations of a training, as stages that follow each other. */
#include "distill/generations.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "distill/objectives.h"
#include "distill/task_generations.h"

#define MOST 1000

/* The keys that say how generations follow each other; the stages themselves do not know them. */
static const char *const own_keys[] = { "generations", "taught-by", "data", "labelling", "start-from", "generation" };

struct generations {
    const char *name;
    const json_t *given;
    int count;
    const char *objective, *taught_by, *data, *start_from;
    bool learns;                /* the objective wants a teacher */
};

static const char *text_of(const json_t *given, const char *key, const char *usual)
{
    const char *text = json_string_value(json_object_get(given, key));
    return text ? text : usual;
}

/* Each of these keys is a text or absent, so that `taught-by: 2` is not taken for the usual one. */
static int check_texts(const json_t *given, struct error *err)
{
    static const char *const keys[] = { "taught-by", "data", "start-from" };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const json_t *value = json_object_get(given, keys[i]);
        if (value && !json_is_string(value) && !json_is_null(value))
            return error_set(err, "'%s' is not a text", keys[i]);
    }
    return 0;
}

static bool one_of(const char *text, const char *a, const char *b, const char *c)
{
    return !strcmp(text, a) || !strcmp(text, b) || !strcmp(text, c);
}

/* Weights come from one model, and a generation may have several teachers. */
static int check_start(const struct generations *g, struct error *err)
{
    const json_t *teacher = json_object_get(g->given, "teacher");
    if (!one_of(g->start_from, "nothing", "previous", "first") && strcmp(g->start_from, "teacher"))
        return error_set(err, "start-from: '%s' is none of nothing, previous, first, teacher", g->start_from);
    if (strcmp(g->start_from, "teacher"))
        return 0;
    if (!teacher)
        return error_set(err, "start-from: teacher needs a 'teacher' for the first generation");
    if (json_array_size(teacher) > 1 || (!strcmp(g->taught_by, "all") && g->count > 1))
        return error_set(err, "start-from: teacher needs a single one; say taught-by: previous or first");
    return 0;
}

/* A --set text or a variable gives the number as text. */
static int count_of(const json_t *given)
{
    const json_t *value = json_object_get(given, "generations");
    const char *text = json_string_value(value);
    char *end;
    json_int_t count = text ? strtoll(text, &end, 10) : json_integer_value(value);
    return (text && *end) || count < 1 || count > MOST ? -1 : (int)count;
}

static int check_generation_keys(const struct generations *g, struct error *err)
{
    const json_t *single = json_object_get(g->given, "generation");
    const char *number;
    json_t *keys;
    if (single && !json_is_object(single))
        return error_set(err, "'generation' is a mapping from numbers to keys");
    json_object_foreach((json_t *)(uintptr_t)single, number, keys) {
        char *end;
        long n = strtol(number, &end, 10);
        if (*end || n < 1 || n > g->count || !json_is_object(keys))
            return error_set(err, "'generation' has keys for '%s', which is none of the generations 1 … %d", number,
                             g->count);
    }
    return 0;
}

/* What would be passed over in silence. */
static int check_unused(const struct generations *g, struct error *err)
{
    const json_t *labelling = json_object_get(g->given, "labelling");
    bool relabelled = !strcmp(g->data, "relabelled");
    if (labelling && !json_is_object(labelling))
        return error_set(err, "'labelling' is a mapping of the keys of a stage of kind label");
    if (labelling && !relabelled)
        return error_set(err, "'labelling' goes with data: relabelled");
    if (json_object_get(g->given, "teacher") && !g->learns && !relabelled && strcmp(g->start_from, "teacher"))
        return error_set(err, "objective %s takes no 'teacher'; for word-level distillation say objective: word-kd, "
                         "for sequence-level distillation data: relabelled", g->objective);
    if (strcmp(text_of(g->given, "reset", "none"), "none") && !strcmp(g->start_from, "nothing")
        && !json_object_get(g->given, "start"))
        return error_set(err, "there is nothing to reset: every generation starts at random; say start-from: previous, "
                         "first or teacher");
    return 0;
}

static int read_generations(struct generations *g, const char *name, const json_t *given, struct error *err)
{
    if (check_texts(given, err) < 0)
        return -1;
    *g = (struct generations){
        .name = name, .given = given, .count = count_of(given),
        .objective = text_of(given, "objective", "cross-entropy"),
        .taught_by = text_of(given, "taught-by", "previous"), .data = text_of(given, "data", "kept"),
        .start_from = text_of(given, "start-from", "nothing"),
    };
    const struct objective_kind *kind = objective_find(g->objective, err);
    if (!kind)
        return -1;
    g->learns = kind->wants_teacher;
    if (strcmp(text_of(given, "kind", ""), "train"))
        return error_set(err, "only a stage of kind train has generations");
    if (g->count < 1)
        return error_set(err, "'generations' is a whole number, 1 … %d", MOST);
    if (!one_of(g->taught_by, "previous", "first", "all"))
        return error_set(err, "taught-by: '%s' is none of previous, first, all", g->taught_by);
    if (strcmp(g->data, "kept") && strcmp(g->data, "relabelled"))
        return error_set(err, "data: '%s' is none of kept, relabelled", g->data);
    if (!strcmp(g->data, "relabelled") && !json_object_get(given, "teacher"))
        return error_set(err, "data: relabelled needs a 'teacher' for the first generation");
    return check_start(g, err) < 0 || check_unused(g, err) < 0 ? -1 : check_generation_keys(g, err);
}

/* ---- one generation ---- */

static json_t *name_of(const struct generations *g, int n)
{
    return json_sprintf("%s-%d", g->name, n);
}

static void append(json_t *list, const json_t *value)
{
    json_t *item;
    size_t i;
    if (json_is_array(value))
        json_array_foreach(value, i, item)
            json_array_append(list, item);
    else
        json_array_append(list, (json_t *)(uintptr_t)value);
}

/* Who teaches generation n; NULL: nobody. */
static json_t *teacher_of(const struct generations *g, int n)
{
    const json_t *first = json_object_get(g->given, "teacher");
    if (n == 1 || (!strcmp(g->taught_by, "first") && first))
        return first ? json_incref((json_t *)(uintptr_t)first) : NULL;
    if (!strcmp(g->taught_by, "first"))
        return name_of(g, 1);
    if (!strcmp(g->taught_by, "previous"))
        return name_of(g, n - 1);
    json_t *all = json_array();
    if (first)
        append(all, first);
    for (int i = 1; i < n; i++)
        json_array_append_new(all, name_of(g, i));
    return all;
}

/* The weights that generation n starts from: the first one's is what the stage itself says. */
static void set_start(const struct generations *g, json_t *stage, int n, json_t *teacher)
{
    if (!strcmp(g->start_from, "teacher")) {
        json_object_set(stage, "start", json_is_array(teacher) ? json_array_get(teacher, 0) : teacher);
        return;
    }
    if (n > 1 && strcmp(g->start_from, "nothing")) {
        json_object_set_new(stage, "start", name_of(g, !strcmp(g->start_from, "first") ? 1 : n - 1));
        return;
    }
    if (!json_object_get(stage, "start")) {             /* there is nothing to reset yet */
        json_object_del(stage, "reset");
        json_object_del(stage, "keep");
    }
}

static void add_labels(const struct generations *g, json_t *out, json_t *stage, int n, json_t *teacher)
{
    const json_t *how = json_object_get(g->given, "labelling");
    json_t *labels = how ? json_deep_copy(how) : json_object(), *name = json_sprintf("%s-%d-labels", g->name, n);
    json_object_set_new(labels, "kind", json_string("label"));
    json_object_set(labels, "model", teacher);
    json_object_set(labels, "corpus", json_object_get(g->given, "corpus"));
    json_object_set_new(out, json_string_value(name), labels);
    json_object_set_new(stage, "corpus", name);
}

static void add_generation(const struct generations *g, json_t *out, int n)
{
    json_t *stage = json_deep_copy(g->given), *teacher = teacher_of(g, n), *name = name_of(g, n);
    char number[16];
    for (size_t i = 0; i < ARRAY_COUNT(own_keys); i++)
        json_object_del(stage, own_keys[i]);
    json_object_del(stage, "teacher");
    json_object_set_new(stage, "generation", json_integer(n));
    if (teacher && g->learns)
        json_object_set(stage, "teacher", teacher);
    if (!strcmp(g->data, "relabelled"))
        add_labels(g, out, stage, n, teacher);
    set_start(g, stage, n, teacher);
    snprintf(number, sizeof number, "%d", n);
    json_object_update(stage, json_object_get(json_object_get(g->given, "generation"), number));
    json_object_set_new(out, json_string_value(name), stage);
    json_decref(name);
    json_decref(teacher);
}

/* ---- what other stages say of them ---- */

/* How many generations the stage `name`, or the one before "-*", has; 0: none. */
static int known(const json_t *stages, const char *name, size_t length)
{
    char *bare = xstrndup(name, length);
    const json_t *given = json_object_get(stages, bare);
    int count = json_object_get(given, "generations") ? count_of(given) : 0;
    free(bare);
    return count > 0 ? count : 0;
}

static json_t *renamed(const json_t *stages, const json_t *value);

static void append_renamed(json_t *out, const json_t *stages, const json_t *item)
{
    const char *name = json_string_value(item);
    size_t length = name ? strlen(name) : 0;
    int count = length > 2 && !strcmp(name + length - 2, "-*") ? known(stages, name, length - 2) : 0;
    for (int n = 1; n <= count; n++)
        json_array_append_new(out, json_sprintf("%.*s-%d", (int)(length - 2), name, n));
    if (!count)
        json_array_append_new(out, renamed(stages, item));
}

/* A text that is the name of a stage with generations becomes that of its last one. */
static json_t *renamed(const json_t *stages, const json_t *value)
{
    const char *name = json_string_value(value), *key;
    json_t *item, *out;
    size_t i;
    int count = name ? known(stages, name, strlen(name)) : 0;
    if (count)
        return json_sprintf("%s-%d", name, count);
    if (json_is_array(value)) {
        out = json_array();
        json_array_foreach(value, i, item)
            append_renamed(out, stages, item);
        return out;
    }
    if (json_is_object(value)) {
        out = json_object();
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
            json_object_set_new(out, key, renamed(stages, item));
        return out;
    }
    return json_deep_copy(value);
}

/* The keys of a stage, what its inputs name being followed. */
static json_t *followed(const json_t *stages, const json_t *given, const struct stage_kind *const *kinds)
{
    const char *name = json_string_value(json_object_get(given, "kind"));
    const struct stage_kind *kind = name ? stage_kind_find(kinds, name) : NULL;
    json_t *out = json_copy((json_t *)(uintptr_t)given);
    for (const struct stage_input *i = kind ? kind->inputs : NULL; i && i->name; i++)
        if (json_object_get(given, i->name)) {
            json_t *value = task_generations_followed(stages, json_object_get(given, i->name));
            json_object_set_new(out, i->name, renamed(stages, value));
            json_decref(value);
        }
    return out;
}

json_t *generations_expand(const json_t *stages, const struct stage_kind *const *kinds, const char **blame,
                           struct error *err)
{
    json_t *out = json_object(), *given;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)stages, name, given) {
        struct generations g;
        json_t *it = followed(stages, given, kinds);
        int ret = 0;
        if (!json_object_get(given, "generations"))
            json_object_set(out, name, it);
        else if (task_generations_given(given))
            ret = task_generations_add(out, name, it, err);
        else if ((ret = read_generations(&g, name, it, err)) == 0)
            for (int n = 1; n <= g.count; n++)
                add_generation(&g, out, n);
        json_decref(it);
        if (ret < 0) {
            *blame = name;
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

size_t generations_name_length(const char *name, const json_t *stages)
{
    size_t length = strcspn(name, "@");
    for (size_t end = length; end > 0; end--)
        if (name[end] == '-') {
            char *bare = xstrndup(name, end);
            const json_t *given = json_object_get(stages, bare);
            bool number = name[end + 1] >= '0' && name[end + 1] <= '9';
            bool has = number ? json_object_get(given, "generations") != NULL : task_generations_given(given);
            free(bare);
            if (has)
                return end;
        }
    return length;
}
