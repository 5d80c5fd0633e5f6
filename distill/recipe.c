/* What the stages of a recipe mean: kinds, options, references to other stages, and an order in
 * which each comes after all that it takes from. */
#include "distill/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "distill/facts.h"
#include "distill/generations.h"
#include "distill/recipe_text.h"
#include "distill/seeds.h"

struct reader {
    struct recipe *recipe;
    struct recipe_text text;
    const struct stage_kind *const *kinds;
    struct error *err;
};

static int blame(struct reader *r, const struct stage *s, const char *key)
{
    return recipe_text_blame(&r->text, s->name, key, r->err);
}

/* ---- one stage ---- */

static int read_kind(struct reader *r, struct stage *s, const json_t *given)
{
    const char *name = json_string_value(json_object_get(given, "kind"));
    json_t *known = json_object();
    char near[80];

    for (const struct stage_kind *const *k = r->kinds; *k; k++)
        json_object_set_new(known, (*k)->name, json_null());
    if (name) {
        s->kind = stage_kind_find(r->kinds, name);
        recipe_text_hint(near, sizeof near, name, known);
    }
    json_decref(known);
    if (s->kind)
        return 0;
    if (name)
        error_set(r->err, "stage '%s' is of the unknown kind '%s'%s", s->name, name, near);
    else
        error_set(r->err, "stage '%s' has no 'kind'", s->name);
    return blame(r, s, "kind");
}

/* The tables of the kind, and those that the variant brings. */
static int open_groups(struct reader *r, struct stage *s, const json_t *given)
{
    size_t n = 0, size = 0;
    const struct option *variant = NULL;

    s->config = xcalloc(1, s->kind->config_size ? s->kind->config_size : 1);
    for (const struct stage_options *o = s->kind->options; o && o->options; o++)
        s->groups[n++] = (struct option_group){ NULL, o->options, (char *)s->config + o->offset };
    if (s->kind->variant && s->kind->variant(given, &variant, &size, r->err) < 0)
        return blame(r, s, NULL);
    if (variant) {
        s->variant = xcalloc(1, size ? size : 1);
        s->groups[n++] = (struct option_group){ NULL, variant, s->variant };
    }
    options_default(s->groups);
    return 0;
}

static const struct stage_input *find_input(const struct stage_kind *kind, const char *key)
{
    for (const struct stage_input *i = kind->inputs; i && i->name; i++)
        if (!strcmp(i->name, key))
            return i;
    return NULL;
}

static int unknown_key(struct reader *r, const struct stage *s, const char *key)
{
    json_t *known = json_pack("{s:n, s:n}", "kind", "like");
    char near[80];
    for (const struct stage_input *i = s->kind->inputs; i && i->name; i++)
        json_object_set_new(known, i->name, json_null());
    for (const struct option_group *g = s->groups; g->options; g++)
        for (const struct option *o = g->options; o->name; o++)
            json_object_set_new(known, o->name, json_null());
    recipe_text_hint(near, sizeof near, key, known);
    json_decref(known);
    error_set(r->err, "unknown key '%s' in stage '%s' (kind %s)%s", key, s->name, s->kind->name, near);
    return blame(r, s, key);
}

/* Texts stand for any kind of value here: variables and --set give texts. */
static int set_option(struct reader *r, struct stage *s, const char *key, const json_t *value)
{
    const struct option *o = options_find(s->groups, key, NULL);
    const char *text = json_string_value(value);
    int ret = text && o->kind != OPTION_LIST ? options_set(s->groups, key, text, r->err)
                                             : options_set_json(s->groups, key, value, r->err);
    if (ret == 0)
        return 0;
    error_prefix(r->err, "stage '%s'", s->name);
    return blame(r, s, key);
}

static int read_keys(struct reader *r, struct stage *s, const json_t *given)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)given, key, value) {
        if (!strcmp(key, "kind") || find_input(s->kind, key))
            continue;
        if (!options_find(s->groups, key, NULL))
            return unknown_key(r, s, key);
        if (set_option(r, s, key, value) < 0)
            return -1;
    }
    return 0;
}

/* Whether stages are named: an empty list names none. */
static bool names_stages(const json_t *value)
{
    return value && (json_is_string(value) || json_array_size(value) || json_object_size(value));
}

static int check_required(struct reader *r, const struct stage *s, const json_t *given)
{
    for (const struct option_group *g = s->groups; g->options; g++)
        for (const struct option *o = g->options; o->name; o++)
            if (o->required && !json_object_get(given, o->name)) {
                error_set(r->err, "stage '%s' (kind %s) lacks '%s': %s", s->name, s->kind->name,
                          o->name, o->help);
                return blame(r, s, NULL);
            }
    for (const struct stage_input *i = s->kind->inputs; i && i->name; i++)
        if (i->required && !names_stages(json_object_get(given, i->name))) {
            error_set(r->err, "stage '%s' (kind %s) lacks '%s', which names a stage that makes a %s",
                      s->name, s->kind->name, i->name, i->wants);
            return blame(r, s, NULL);
        }
    return 0;
}

/* The recipe's seed stands in where a stage gives none. */
static int set_seed(struct reader *r, struct stage *s, const json_t *given)
{
    json_t *seed;
    int ret = 0;
    if (!r->recipe->seed || json_object_get(given, "seed") || !options_find(s->groups, "seed", NULL))
        return 0;
    seed = json_integer(r->recipe->seed);
    ret = options_set_json(s->groups, "seed", seed, r->err);
    json_decref(seed);
    return ret < 0 ? blame(r, s, NULL) : 0;
}

static int read_stage(struct reader *r, struct stage *s, const char *name, const json_t *given)
{
    s->name = xstrdup(name);
    s->origin = recipe_text_place(&r->text, name, NULL);
    if (read_kind(r, s, given) < 0 || open_groups(r, s, given) < 0 || read_keys(r, s, given) < 0)
        return -1;
    return check_required(r, s, given) < 0 || set_seed(r, s, given) < 0 ? -1 : 0;
}

/* ---- references ---- */

static int find_stage(const struct recipe *recipe, const char *name)
{
    for (size_t i = 0; i < recipe->count; i++)
        if (!strcmp(recipe->stages[i].name, name))
            return (int)i;
    return -1;
}

static int add_link(struct reader *r, struct stage *s, const struct stage_input *input,
                    const char *label, const json_t *value)
{
    const char *name = json_string_value(value);
    int found = name ? find_stage(r->recipe, name) : -1;
    char near[80];

    if (!name) {
        error_set(r->err, "stage '%s': '%s' takes the name of a stage", s->name, input->name);
        return blame(r, s, input->name);
    }
    if (found < 0) {
        recipe_text_hint(near, sizeof near, name, r->text.stages);
        error_set(r->err, "stage '%s' takes '%s' from '%s', which does not exist%s", s->name,
                  input->name, name, near);
        return blame(r, s, input->name);
    }
    const struct stage_kind *kind = r->recipe->stages[found].kind;
    if (strcmp(kind->makes, input->wants)) {
        error_set(r->err, "stage '%s': '%s' wants a %s, but '%s' (kind %s) makes a %s", s->name,
                  input->name, input->wants, name, kind->name, kind->makes);
        return blame(r, s, input->name);
    }
    ARRAY_GROW(s->links, s->link_room, s->link_count + 1);
    s->links[s->link_count++] = (struct stage_link){ input, xstrdup(label ? label : name), (size_t)found };
    return 0;
}

/* Several stages may stand under one label: copies of one, for several seeds. */
static int link_label(struct reader *r, struct stage *s, const struct stage_input *input,
                      const char *label, const json_t *value)
{
    json_t *item;
    size_t i;
    if (!s->kind->gathers || !json_is_array(value))
        return add_link(r, s, input, label, value);
    json_array_foreach(value, i, item)
        if (add_link(r, s, input, label, item) < 0)
            return -1;
    return 0;
}

static int link_many(struct reader *r, struct stage *s, const struct stage_input *input,
                     const json_t *value)
{
    const char *label;
    json_t *item;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)value, label, item)
        if (link_label(r, s, input, label, item) < 0)
            return -1;
    json_array_foreach(value, i, item)
        if (add_link(r, s, input, NULL, item) < 0)
            return -1;
    return 0;
}

static int link_stage(struct reader *r, struct stage *s)
{
    const json_t *given = json_object_get(r->text.stages, s->name);
    for (const struct stage_input *i = s->kind->inputs; i && i->name; i++) {
        const json_t *value = json_object_get(given, i->name);
        bool several = json_is_object(value) || json_is_array(value);
        if (!value)
            continue;
        if (i->many && several ? link_many(r, s, i, value) < 0 : add_link(r, s, i, NULL, value) < 0)
            return -1;
    }
    return 0;
}

/* ---- order ---- */

enum mark { FRESH, ENTERED, PLACED };

struct sorter {
    struct reader *r;
    enum mark *marks;
    size_t *order, placed;
    size_t *trail, depth;               /* the stages entered, for naming a circle */
};

static int name_circle(struct sorter *s, size_t again)
{
    const struct stage *stages = s->r->recipe->stages;
    struct strbuf circle = { 0 };
    size_t from = 0;
    while (s->trail[from] != again)
        from++;
    for (size_t i = from; i < s->depth; i++)
        strbuf_printf(&circle, "%s ← ", stages[s->trail[i]].name);
    error_set(s->r->err, "the stages need each other in a circle: %s%s", circle.text, stages[again].name);
    strbuf_release(&circle);
    return blame(s->r, &stages[again], NULL);
}

static int place(struct sorter *s, size_t stage)
{
    const struct stage *it = &s->r->recipe->stages[stage];
    if (s->marks[stage] == PLACED)
        return 0;
    if (s->marks[stage] == ENTERED)
        return name_circle(s, stage);
    s->marks[stage] = ENTERED;
    s->trail[s->depth++] = stage;
    for (size_t i = 0; i < it->link_count; i++)
        if (place(s, it->links[i].stage) < 0)
            return -1;
    s->depth--;
    s->marks[stage] = PLACED;
    s->order[s->placed++] = stage;
    return 0;
}

/* Puts the `count` stages of `order` in that order and makes the links follow. */
static void reorder(struct recipe *recipe, const size_t *order, size_t count)
{
    struct stage *stages = xcalloc(recipe->count, sizeof *stages);
    size_t *where = xcalloc(recipe->count, sizeof *where);
    for (size_t i = 0; i < count; i++) {
        stages[i] = recipe->stages[order[i]];
        recipe->stages[order[i]] = (struct stage){ 0 };
        where[order[i]] = i;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < stages[i].link_count; l++)
            stages[i].links[l].stage = where[stages[i].links[l].stage];
    for (size_t i = 0; i < recipe->count; i++)
        stage_release(&recipe->stages[i]);
    free(recipe->stages);
    free(where);
    recipe->stages = stages;
    recipe->count = count;
}

static int sort_stages(struct reader *r)
{
    size_t count = r->recipe->count;
    struct sorter s = { .r = r };
    int ret = 0;
    s.marks = xcalloc(count, sizeof *s.marks);
    s.order = xcalloc(count, sizeof *s.order);
    s.trail = xcalloc(count + 1, sizeof *s.trail);
    for (size_t i = 0; i < count && ret == 0; i++)
        ret = place(&s, i);
    if (ret == 0)
        reorder(r->recipe, s.order, count);
    free(s.marks);
    free(s.order);
    free(s.trail);
    return ret;
}

/* ---- what goes together ---- */

static int check_stage(struct reader *r, struct stage_view *v)
{
    const struct stage *s = v->stage;
    if (!s->kind->check || s->kind->check(v, r->err) == 0)
        return 0;
    stage_say_keys(s, r->err);
    const char *key = v->key ? v->key : stage_leading_key(s, r->err->text);
    error_prefix(r->err, "stage '%s'", s->name);
    return blame(r, s, key);
}

/* In their order, so that a stage finds what is known of those that it takes from. */
static int check_stages(struct reader *r)
{
    const struct recipe *recipe = r->recipe;
    struct stage_facts *facts = xcalloc(recipe->count, sizeof *facts);
    int ret = 0;
    for (size_t i = 0; i < recipe->count && ret == 0; i++) {
        struct stage_view v = { &recipe->stages[i], recipe->stages, facts, NULL };
        ret = check_stage(r, &v);
        if (ret == 0 && v.stage->kind->facts)
            v.stage->kind->facts(&facts[i], &v);
    }
    free(facts);
    return ret;
}

/* ---- the whole ---- */

static int read_head(struct reader *r)
{
    const json_t *name = json_object_get(r->text.root, "name");
    const json_t *seed = json_object_get(r->text.root, "seed");
    uint64_t hash;
    if (seed && !json_is_integer(seed))
        return error_set(r->err, "%s:%d: 'seed' is not a whole number", r->recipe->path,
                         yaml_line(r->text.root, "seed"));
    r->recipe->seed = json_integer_value(seed);
    if (json_is_string(name)) {
        r->recipe->name = xstrdup(json_string_value(name));
    } else {
        const char *base = path_name(r->recipe->path);
        const char *dot = strrchr(base, '.');
        r->recipe->name = dot > base ? xstrndup(base, (size_t)(dot - base)) : xstrdup(base);
    }
    if (hash_file(&hash, r->recipe->path, r->err) < 0)
        return -1;
    hash_text(r->recipe->hash, hash);
    return 0;
}

/* `seeds`, checked: different whole numbers. */
static int check_seeds(struct reader *r, const json_t *seeds)
{
    json_t *seed, *seen = json_object();
    size_t i;
    bool good = json_array_size(seeds) > 0;
    json_array_foreach(seeds, i, seed) {
        char text[32];
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(seed));
        good &= json_integer_value(seed) > 0 && json_object_set_new(seen, text, json_true()) == 0;
    }
    good &= json_object_size(seen) == json_array_size(seeds);
    json_decref(seen);
    return good ? 0 : error_set(r->err, "%s:%d: 'seeds' is a list of different whole numbers from 1 on",
                                r->recipe->path, yaml_line(r->text.root, "seeds"));
}

static int expand_seeds(struct reader *r)
{
    const json_t *seeds = json_object_get(r->text.root, "seeds");
    json_t *stages;
    if (!seeds)
        return 0;
    if (check_seeds(r, seeds) < 0)
        return -1;
    stages = seeds_expand(r->text.stages, seeds, r->kinds);
    json_decref(r->text.stages);
    r->text.stages = stages;
    return 0;
}

static int expand_generations(struct reader *r)
{
    const char *blamed = NULL;
    json_t *stages = generations_expand(r->text.stages, r->kinds, &blamed, r->err);
    if (!stages) {
        error_prefix(r->err, "stage '%s'", blamed);
        return recipe_text_blame(&r->text, blamed, "generations", r->err);
    }
    json_decref(r->text.stages);
    r->text.stages = stages;
    return 0;
}

static int read_stages(struct reader *r)
{
    struct recipe *recipe = r->recipe;
    const char *name;
    json_t *given;
    if (expand_generations(r) < 0 || expand_seeds(r) < 0)
        return -1;
    recipe->stages = xcalloc(json_object_size(r->text.stages), sizeof *recipe->stages);
    json_object_foreach(r->text.stages, name, given)
        if (read_stage(r, &recipe->stages[recipe->count++], name, given) < 0)
            return -1;
    for (size_t i = 0; i < recipe->count; i++)
        if (link_stage(r, &recipe->stages[i]) < 0)
            return -1;
    return 0;
}

int recipe_load(struct recipe *out, const char *path, const struct stage_kind *const *kinds,
                const struct strings *set, struct error *err)
{
    struct recipe recipe = { .path = xstrdup(path) };
    struct reader r = { .recipe = &recipe, .kinds = kinds, .err = err };
    int ret = -1;

    if (recipe_text_read(&r.text, recipe.path, set, err) == 0
        && read_head(&r) == 0 && read_stages(&r) == 0 && sort_stages(&r) == 0 && check_stages(&r) == 0) {
        *out = recipe;
        recipe = (struct recipe){ 0 };
        ret = 0;
    }
    recipe_text_release(&r.text);
    recipe_release(&recipe);
    return ret;
}

void recipe_release(struct recipe *r)
{
    for (size_t i = 0; i < r->count; i++)
        stage_release(&r->stages[i]);
    free(r->stages);
    free(r->name);
    free(r->path);
    *r = (struct recipe){ 0 };
}

/* Stages stand after what they need, so one pass from the back finds all that is needed. */
int recipe_narrow(struct recipe *r, const char *stage, struct error *err)
{
    int last = find_stage(r, stage);
    json_t *known;
    char near[80];
    if (last < 0) {
        known = json_object();
        for (size_t i = 0; i < r->count; i++)
            json_object_set_new(known, r->stages[i].name, json_null());
        recipe_text_hint(near, sizeof near, stage, known);
        json_decref(known);
        return error_set(err, "%s has no stage '%s'%s", r->path, stage, near);
    }
    bool *needed = xcalloc(r->count, sizeof *needed);
    size_t *order = xcalloc(r->count, sizeof *order), count = 0;
    needed[last] = true;
    for (size_t i = r->count; i-- > 0;)
        for (size_t l = 0; needed[i] && l < r->stages[i].link_count; l++)
            needed[r->stages[i].links[l].stage] = true;
    for (size_t i = 0; i < r->count; i++)
        if (needed[i])
            order[count++] = i;
    reorder(r, order, count);
    free(needed);
    free(order);
    return 0;
}
