#include "distill/task_generations.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define TO " to "
#define SCORES "-scores"

/* What the stages themselves do not know. */
static const char *const own_keys[] = { "generations", "single", "multi", "of", "taught", "kept", "variants" };

struct family {
    json_t *out;
    const char *name;
    const json_t *given, *tasks;
    bool kept;
};

bool task_generations_given(const json_t *stage)
{
    return json_is_array(json_object_get(stage, "generations"));
}

/* ---- names ---- */

/* "single to multi" → "bam-single-to-multi"; with a task, that of the model of it alone. */
static char *stage_name(const char *family, const char *way, const char *task)
{
    char *name = task ? xasprintf("%s-%s-%s", family, way, task) : xasprintf("%s-%s", family, way);
    for (char *c = name; *c; c++)
        if (*c == ' ')
            *c = '-';
    return name;
}

static const char *last_step(const char *way)
{
    const char *last = way, *to;
    while ((to = strstr(last, TO)))
        last = to + strlen(TO);
    return last;
}

static bool of_one_task(const char *way)
{
    return !strcmp(last_step(way), "single");
}

static int check_way(const char *way, struct error *err)
{
    const char *step = way;
    while (step) {
        const char *to = strstr(step, TO);
        size_t length = to ? (size_t)(to - step) : strlen(step);
        if ((length != 6 || strncmp(step, "single", 6)) && (length != 5 || strncmp(step, "multi", 5)))
            return error_set(err, "generations: '%s' is no way from model to model; write single, multi, or steps such "
                             "as 'single to multi'", way);
        step = to ? to + strlen(TO) : NULL;
    }
    return 0;
}

/* ---- stages ---- */

static json_t *keys_of(const struct family *f, const char *way, const char *task)
{
    json_t *stage = json_deep_copy(f->given);
    for (size_t i = 0; i < ARRAY_COUNT(own_keys); i++)
        json_object_del(stage, own_keys[i]);
    json_object_update(stage, json_object_get(f->given, task ? "single" : "multi"));
    if (task)
        json_object_update(stage, json_object_get(json_object_get(f->given, "of"), task));
    if (strstr(way, TO))
        json_object_update(stage, json_object_get(f->given, "taught"));
    return stage;
}

/* task: the only one, or NULL for all. */
static json_t *tasks_of(const struct family *f, const char *task)
{
    return task ? json_pack("[s]", task) : json_deep_copy(f->tasks);
}

/* What the teacher says of the task, kept; the stage's name. */
static json_t *outputs_of(const struct family *f, const char *teacher, const char *before, const char *task)
{
    json_t *name = of_one_task(before) ? json_sprintf("%s-outputs", teacher) : json_sprintf("%s-%s-outputs", teacher, task);
    if (!json_object_get(f->out, json_string_value(name)))
        json_object_set_new(f->out, json_string_value(name), json_pack("{s:s, s:s, s:s}", "kind", "task-outputs", "model",
                                                                       teacher, "task", task));
    return name;
}

/* Each task of the model is taught by the generation before. */
static json_t *teachers_of(const struct family *f, const char *before, const char *task)
{
    json_t *teachers = json_object(), *it;
    size_t i;
    json_array_foreach(f->tasks, i, it) {
        const char *name = json_string_value(it);
        if (task && strcmp(task, name))
            continue;
        char *teacher = stage_name(f->name, before, of_one_task(before) ? name : NULL);
        json_object_set_new(teachers, name, f->kept ? outputs_of(f, teacher, before, name) : json_string(teacher));
        free(teacher);
    }
    return teachers;
}

/* The stage and its evaluation. */
static void add_stage(const struct family *f, const char *name, json_t *keys, const char *task)
{
    char *scores = xasprintf("%s" SCORES, name);
    json_object_set_new(keys, "tasks", tasks_of(f, task));
    json_object_set_new(f->out, name, keys);
    json_object_set_new(f->out, scores, json_pack("{s:s, s:s, s:o}", "kind", "evaluate-tasks", "model", name, "tasks",
                                                  tasks_of(f, task)));
    free(scores);
}

static void add_model(const struct family *f, const char *way, const char *before, const char *task)
{
    char *name = stage_name(f->name, way, task);
    if (!json_object_get(f->out, name)) {
        json_t *keys = keys_of(f, way, task);
        if (before)
            json_object_set_new(keys, f->kept ? "outputs" : "teachers", teachers_of(f, before, task));
        add_stage(f, name, keys, task);
    }
    free(name);
}

static char *way_before(const char *way)
{
    const char *last = last_step(way);
    return last == way ? NULL : xstrndup(way, (size_t)(last - way) - strlen(TO));
}

static void add_way(const struct family *f, const char *way)
{
    char *before = way_before(way);
    json_t *task;
    size_t i;
    if (before)
        add_way(f, before);
    if (of_one_task(way))
        json_array_foreach(f->tasks, i, task)
            add_model(f, way, before, json_string_value(task));
    else
        add_model(f, way, before, NULL);
    free(before);
}

static int add_variant(const struct family *f, const char *label, const json_t *changes, struct error *err)
{
    const char *way = json_string_value(json_object_get(changes, "generation"));
    if (!way || check_way(way, err) < 0 || of_one_task(way))
        return error_set(err, "variants: '%s' needs a 'generation' that knows all tasks, such as 'single to multi'",
                         label);
    char *before = way_before(way), *name = stage_name(f->name, label, NULL);
    json_t *keys = keys_of(f, way, NULL);
    if (before) {
        add_way(f, before);
        json_object_set_new(keys, f->kept ? "outputs" : "teachers", teachers_of(f, before, NULL));
    }
    json_object_update(keys, (json_t *)(uintptr_t)changes);
    json_object_del(keys, "generation");
    add_stage(f, name, keys, NULL);
    free(before);
    free(name);
    return 0;
}

static int check_family(const struct family *f, struct error *err)
{
    static const char *const mappings[] = { "single", "multi", "of", "taught", "variants" };
    const char *kind = json_string_value(json_object_get(f->given, "kind")), *task;
    json_t *keys;
    if (!kind || strcmp(kind, "train-tasks"))
        return error_set(err, "a list of generations is for stages of kind train-tasks");
    if (!json_is_array(f->tasks) || !json_array_size(f->tasks))
        return error_set(err, "a stage with generations takes its 'tasks' as a list");
    for (size_t i = 0; i < ARRAY_COUNT(mappings); i++) {
        const json_t *given = json_object_get(f->given, mappings[i]);
        if (given && !json_is_object(given))
            return error_set(err, "'%s' is a mapping", mappings[i]);
    }
    json_object_foreach(json_object_get(f->given, "of"), task, keys) {
        bool known = false;
        json_t *it;
        size_t i;
        json_array_foreach(f->tasks, i, it)
            known |= json_is_string(it) && !strcmp(json_string_value(it), task);
        if (!known)
            return error_set(err, "of: '%s' is none of the 'tasks'", task);
    }
    return 0;
}

int task_generations_add(json_t *out, const char *name, const json_t *stage, struct error *err)
{
    const json_t *kept = json_object_get(stage, "kept");
    const struct family f = { out, name, stage, json_object_get(stage, "tasks"), json_is_true(kept) };
    const char *label;
    json_t *it;
    size_t i;
    if (kept && !json_is_boolean(kept))
        return error_set(err, "kept: true or false");
    if (check_family(&f, err) < 0)
        return -1;
    json_array_foreach(json_object_get(stage, "generations"), i, it) {
        if (check_way(json_is_string(it) ? json_string_value(it) : "?", err) < 0)
            return -1;
        add_way(&f, json_string_value(it));
    }
    json_object_foreach(json_object_get(stage, "variants"), label, it)
        if (add_variant(&f, label, it, err) < 0)
            return -1;
    return 0;
}

/* ---- what other stages say of them ---- */

/* The scores of one row: of one model, or of one a task. */
static json_t *row_of(const char *family, const json_t *stage, const char *way)
{
    if (!of_one_task(way)) {
        char *name = stage_name(family, way, NULL);
        json_t *row = json_sprintf("%s" SCORES, name);
        free(name);
        return row;
    }
    json_t *row = json_array(), *task;
    size_t i;
    json_array_foreach(json_object_get(stage, "tasks"), i, task) {
        char *name = stage_name(family, way, json_string_value(task));
        json_array_append_new(row, json_sprintf("%s" SCORES, name));
        free(name);
    }
    return row;
}

/* The family that "bam-scores" stands for, as a new text; NULL: none. */
static char *family_of_scores(const json_t *stages, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = text ? strlen(text) : 0, tail = strlen(SCORES);
    if (length <= tail || strcmp(text + length - tail, SCORES))
        return NULL;
    char *family = xstrndup(text, length - tail);
    if (task_generations_given(json_object_get(stages, family)))
        return family;
    free(family);
    return NULL;
}

static void add_rows(json_t *out, const char *family, const json_t *stage)
{
    const char *label;
    json_t *it;
    size_t i;
    json_array_foreach(json_object_get(stage, "generations"), i, it)
        if (json_is_string(it))
            json_object_set_new(out, json_string_value(it), row_of(family, stage, json_string_value(it)));
    json_object_foreach(json_object_get(stage, "variants"), label, it)
        json_object_set_new(out, label, row_of(family, stage, label));
}

/* The last generation, where it is one model. */
static json_t *last_of(const char *family, const json_t *stage)
{
    const json_t *ways = json_object_get(stage, "generations");
    const char *way = json_string_value(json_array_get(ways, json_array_size(ways) - 1));
    if (!way || of_one_task(way))
        return json_string(family);
    char *name = stage_name(family, way, NULL);
    json_t *out = json_string(name);
    free(name);
    return out;
}

json_t *task_generations_followed(const json_t *stages, const json_t *value)
{
    json_t *whole = json_is_object(value) ? json_incref((json_t *)(uintptr_t)value)
                                          : json_pack("{s:O}", "", value), *out = json_object(), *it;
    const char *key;
    bool rows = false;
    json_object_foreach(whole, key, it) {
        char *family = family_of_scores(stages, it);
        const json_t *stage = json_is_string(it) ? json_object_get(stages, json_string_value(it)) : NULL;
        if (family)
            add_rows(out, family, json_object_get(stages, family));
        else
            json_object_set_new(out, key, task_generations_given(stage) ? last_of(json_string_value(it), stage)
                                                                       : json_incref(it));
        rows |= family != NULL;
        free(family);
    }
    json_decref(whole);
    if (json_is_object(value) || rows)
        return out;
    it = json_incref(json_object_get(out, ""));
    json_decref(out);
    return it;
}
