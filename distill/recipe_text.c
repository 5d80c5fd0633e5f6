/* From the YAML file to one flat mapping of keys a stage.
 *
 * In this order: --set texts replace variables and stages' keys in the file's text; `like` copies
 * another stage's keys; ${variables} are put in.  So a student that is like another one follows
 * what the command line says about that one. */
#include "distill/recipe_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/option.h"
#include "distill/generations.h"

static const char *const top_keys[] = { "name", "about", "seed", "seeds", "variables", "stages" };

/* ---- places ---- */

static const char *like_of(const json_t *stage)
{
    return json_string_value(json_object_get(stage, "like"));
}

/* The stage as the file has it: without the seed of a copy. */
static json_t *find_raw(const json_t *stages, const char *name)
{
    char *bare = xstrndup(name, generations_name_length(name, stages));
    json_t *found = json_object_get(stages, bare);
    free(bare);
    return found;
}

/* The line of the key, looked for in the stage and then in those that it is like. */
static int line_of(const struct recipe_text *t, const char *stage, const char *key)
{
    const json_t *stages = json_object_get(t->root, "stages");
    size_t hops = json_object_size(stages);
    int line = 0;
    for (; key && stage && !line && hops; hops--) {
        char *pointer = xasprintf("stages/%.*s/%s", (int)generations_name_length(stage, stages), stage,
                                  key);
        line = yaml_line(t->root, pointer);
        free(pointer);
        stage = like_of(find_raw(stages, stage));
    }
    return line;
}

char *recipe_text_place(const struct recipe_text *t, const char *stage, const char *key)
{
    int length = (int)generations_name_length(stage, json_object_get(t->root, "stages"));
    char *pointer = xasprintf("stages/%.*s", length, stage);
    char *dotted = xasprintf("%.*s.%s", length, stage, key ? key : "");
    const char *set = json_string_value(json_object_get(t->overrides, dotted));
    int line = line_of(t, stage, key);
    char *place;
    if (!line)
        line = yaml_line(t->root, pointer);
    if (set)
        place = xasprintf("--set %s", set);
    else if (line)
        place = xasprintf("%s:%d", t->path, line);
    else
        place = xstrdup(t->path);
    free(pointer);
    free(dotted);
    return place;
}

int recipe_text_blame(const struct recipe_text *t, const char *stage, const char *key,
                      struct error *err)
{
    char *place = recipe_text_place(t, stage, key);
    error_prefix(err, "%s", place);
    free(place);
    return -1;
}

static int blame_pointer(const struct recipe_text *t, const char *pointer, struct error *err)
{
    int line = yaml_line(t->root, pointer);
    return line ? error_prefix(err, "%s:%d", t->path, line) : error_prefix(err, "%s", t->path);
}

static void hint(char *text, size_t room, const char *name, const char *const *known, size_t count)
{
    const char *near = nearest_name(name, known, count);
    *text = '\0';
    if (near)
        snprintf(text, room, ", did you mean '%s'?", near);
}

void recipe_text_hint(char *text, size_t room, const char *name, const json_t *known)
{
    const char **names = xcalloc(json_object_size(known) + 1, sizeof *names);
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)known, key, value)
        names[count++] = key;
    hint(text, room, name, names, count);
    free(names);
}

/* ---- the shape of the file ---- */

static int check_top(const struct recipe_text *t, struct error *err)
{
    const char *key;
    json_t *value;
    char near[80];
    if (!json_is_object(t->root))
        return error_set(err, "%s: a recipe is a mapping with the key 'stages'", t->path);
    json_object_foreach(t->root, key, value) {
        hint(near, sizeof near, key, top_keys, ARRAY_COUNT(top_keys));
        bool known = false;
        for (size_t i = 0; i < ARRAY_COUNT(top_keys); i++)
            known |= !strcmp(key, top_keys[i]);
        if (!known) {
            error_set(err, "unknown key '%s' of a recipe%s", key, near);
            return blame_pointer(t, key, err);
        }
    }
    if (json_object_size(json_object_get(t->root, "stages")) == 0)
        return error_set(err, "%s: the recipe has no stages; they stand in a mapping under "
                         "the key 'stages'", t->path);
    return 0;
}

static bool good_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return *name && name[0] != '-' && !name[strspn(name, letters)];
}

static int check_stages(const struct recipe_text *t, struct error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(t->root, "stages"), name, value) {
        if (!good_name(name))
            error_set(err, "'%s' is no name for a stage; letters, digits, - and _ make one", name);
        else if (!json_is_object(value))
            error_set(err, "stage '%s' is not a mapping of keys", name);
        else
            continue;
        return recipe_text_blame(t, name, NULL, err);
    }
    return 0;
}

/* ---- --set ---- */

static int set_variable(json_t *variables, const char *name, const char *value, struct error *err)
{
    char near[80];
    if (json_object_get(variables, name)) {
        json_object_set_new(variables, name, json_string(value));
        return 0;
    }
    recipe_text_hint(near, sizeof near, name, variables);
    return error_set(err, "the recipe has no variable '%s'%s", name, near);
}

static int set_key(struct recipe_text *t, json_t *stages, const char *name, const char *value,
                   const char *text, struct error *err)
{
    char *stage = xstrndup(name, strcspn(name, "."));
    const char *key = name + strlen(stage) + 1;
    json_t *found = json_object_get(stages, stage);
    char near[80];
    int ret = 0;
    if (found) {
        json_object_set_new(found, key, *value ? json_string(value) : json_null());
        json_object_set_new(t->overrides, name, json_string(text));
    } else {
        recipe_text_hint(near, sizeof near, stage, stages);
        ret = error_set(err, "the recipe has no stage '%s'%s", stage, near);
    }
    free(stage);
    return ret;
}

static int apply_set(struct recipe_text *t, json_t *variables, json_t *stages, const char *text,
                     struct error *err)
{
    size_t length = strcspn(text, "=");
    char *name = xstrndup(text, length);
    int ret;
    if (!text[length])
        ret = error_set(err, "wanted: variable=value or stage.option=value");
    else if (strchr(name, '.'))
        ret = set_key(t, stages, name, text + length + 1, text, err);
    else
        ret = set_variable(variables, name, text + length + 1, err);
    free(name);
    return ret < 0 ? error_prefix(err, "--set %s", text) : 0;
}

/* ---- like ---- */

/* Puts the keys of the stages that `name` is like under its own.  `depth` counts the hops. */
static int flatten(const struct recipe_text *t, json_t *out, const json_t *raw, const char *name,
                   size_t depth, struct error *err)
{
    const json_t *own = json_object_get(raw, name);
    const json_t *like = json_object_get(own, "like");
    char near[80];
    json_object_update_missing(out, (json_t *)(uintptr_t)own);
    if (!like || json_is_null(like))
        return 0;
    if (!json_is_string(like))
        error_set(err, "'like' takes the name of a stage");
    else if (!json_object_get(raw, json_string_value(like))) {
        recipe_text_hint(near, sizeof near, json_string_value(like), raw);
        error_set(err, "stage '%s' is like '%s', which does not exist%s", name,
                  json_string_value(like), near);
    } else if (depth > json_object_size(raw))
        error_set(err, "stage '%s' is like itself", name);
    else
        return flatten(t, out, raw, json_string_value(like), depth + 1, err);
    return recipe_text_blame(t, name, "like", err);
}

/* A null takes a key away, also one that `like` brought. */
static void drop_nulls(json_t *stage)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(stage, next, key, value)
        if (json_is_null(value) || !strcmp(key, "like"))
            json_object_del(stage, key);
}

/* ---- variables ---- */

static int add_variable(struct strbuf *out, const json_t *variables, const char *name,
                        struct error *err)
{
    const json_t *value = json_object_get(variables, name);
    char near[80];
    char *text;
    if (!value) {
        recipe_text_hint(near, sizeof near, name, variables);
        return error_set(err, "no variable '%s'%s", name, near);
    }
    if (json_is_null(value))
        return error_set(err, "variable '%s' has no value; give --set %s=…", name, name);
    if (json_is_string(value)) {
        strbuf_puts(out, json_string_value(value));
        return 0;
    }
    text = json_dumps(value, JSON_ENCODE_ANY);
    strbuf_puts(out, text);
    free(text);
    return 0;
}

static int expand_text(struct strbuf *out, const char *text, const json_t *variables,
                       struct error *err)
{
    strbuf_reset(out);
    while (*text) {
        const char *end;
        if (text[0] == '$' && text[1] == '$') {
            strbuf_putc(out, '$');
            text += 2;
        } else if (text[0] == '$' && text[1] == '{' && (end = strchr(text, '}'))) {
            char *name = xstrndup(text + 2, (size_t)(end - text - 2));
            int ret = add_variable(out, variables, name, err);
            free(name);
            if (ret < 0)
                return -1;
            text = end + 1;
        } else {
            strbuf_putc(out, *text++);
        }
    }
    return 0;
}

static json_t *expand(const json_t *value, const json_t *variables, struct error *err);

static json_t *expand_string(const json_t *value, const json_t *variables, struct error *err)
{
    struct strbuf text = { 0 };
    json_t *out = NULL;
    if (expand_text(&text, json_string_value(value), variables, err) == 0)
        out = json_string(text.text ? text.text : "");
    strbuf_release(&text);
    return out;
}

static json_t *expand_object(const json_t *object, const json_t *variables, struct error *err)
{
    json_t *out = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
        if (json_object_set_new(out, key, expand(value, variables, err))) {
            json_decref(out);
            return NULL;
        }
    return out;
}

static json_t *expand_array(const json_t *array, const json_t *variables, struct error *err)
{
    json_t *out = json_array();
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value)
        if (json_array_append_new(out, expand(value, variables, err))) {
            json_decref(out);
            return NULL;
        }
    return out;
}

static json_t *expand(const json_t *value, const json_t *variables, struct error *err)
{
    if (json_is_string(value))
        return expand_string(value, variables, err);
    if (json_is_object(value))
        return expand_object(value, variables, err);
    if (json_is_array(value))
        return expand_array(value, variables, err);
    return json_deep_copy(value);
}

/* Variables may use those above them. */
static json_t *expand_variables(const struct recipe_text *t, const json_t *raw, struct error *err)
{
    json_t *out = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)raw, name, value) {
        json_t *done = expand(value, out, err);
        if (!done || json_is_object(done) || json_is_array(done)) {
            if (done)
                error_set(err, "variable '%s' is no plain value", name);
            char *pointer = xasprintf("variables/%s", name);
            blame_pointer(t, pointer, err);
            free(pointer);
            json_decref(done);
            json_decref(out);
            return NULL;
        }
        json_object_set_new(out, name, done);
    }
    return out;
}

static int finish_stage(struct recipe_text *t, const json_t *raw, const json_t *variables,
                        const char *name, struct error *err)
{
    json_t *flat = json_object(), *stage = json_object();
    const char *key;
    json_t *value;
    int ret = flatten(t, flat, raw, name, 0, err);
    drop_nulls(flat);
    json_object_foreach(flat, key, value) {
        json_t *done = ret < 0 ? NULL : expand(value, variables, err);
        if (!done && ret == 0)
            ret = recipe_text_blame(t, name, key, err);
        if (done)
            json_object_set_new(stage, key, done);
    }
    json_decref(flat);
    json_object_set_new(t->stages, name, stage);
    return ret;
}

static int finish_stages(struct recipe_text *t, const struct strings *set, struct error *err)
{
    json_t *raw = json_deep_copy(json_object_get(t->root, "stages"));
    json_t *texts = json_object_get(t->root, "variables");
    json_t *given = json_is_object(texts) ? json_deep_copy(texts) : json_object();
    json_t *variables = NULL;
    const char *name;
    json_t *value;
    int ret = 0;

    for (size_t i = 0; set && ret == 0 && i < set->count; i++)
        ret = apply_set(t, given, raw, set->items[i], err);
    if (ret == 0 && !(variables = expand_variables(t, given, err)))
        ret = -1;
    json_object_foreach(raw, name, value)
        if (ret == 0)
            ret = finish_stage(t, raw, variables, name, err);
    json_decref(variables);
    json_decref(given);
    json_decref(raw);
    return ret;
}

int recipe_text_read(struct recipe_text *out, const char *path, const struct strings *set,
                     struct error *err)
{
    struct recipe_text t = { .path = path };
    t.root = yaml_read(path, err);
    if (!t.root)
        return -1;
    t.stages = json_object();
    t.overrides = json_object();
    if (check_top(&t, err) < 0 || check_stages(&t, err) < 0 || finish_stages(&t, set, err) < 0) {
        recipe_text_release(&t);
        return -1;
    }
    *out = t;
    return 0;
}

void recipe_text_release(struct recipe_text *t)
{
    if (t->root)
        yaml_forget(t->root);
    json_decref(t->root);
    json_decref(t->stages);
    json_decref(t->overrides);
    *t = (struct recipe_text){ 0 };
}
