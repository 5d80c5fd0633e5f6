/* What every kind of stage does the same way: options, inputs, the folders of a run. */
#include "distill/stage.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

void stage_output(struct stage_run *run, const char *path)
{
    strings_add(&run->outputs, path);
}

char *stage_path(const struct stage_run *run, const char *name)
{
    return path_join(run->folder, name);
}

int stage_remove(const struct stage_run *run, const char *name, struct error *err)
{
    char *path = stage_path(run, name);
    int ret = dir_remove(path, err);
    free(path);
    return ret;
}

const struct stage_link *stage_link(const struct stage *s, const char *input)
{
    for (size_t i = 0; i < s->link_count; i++)
        if (!strcmp(s->links[i].input->name, input))
            return &s->links[i];
    return NULL;
}

bool stage_link_is(const struct stage_link *link, const char *input)
{
    return !strcmp(link->input->name, input);
}

int stage_link_count(const struct stage *s, const char *input)
{
    int count = 0;
    for (size_t i = 0; i < s->link_count; i++)
        count += stage_link_is(&s->links[i], input);
    return count;
}

bool stage_has(const struct stage_run *run, const char *input)
{
    return stage_link(run->stage, input) != NULL;
}

char *stage_link_folder(const struct stage_run *run, const struct stage_link *link)
{
    return path_join(run->root, run->stages[link->stage].name);
}

char *stage_input_folder(const struct stage_run *run, const char *input)
{
    const struct stage_link *link = stage_link(run->stage, input);
    assert(link);
    return stage_link_folder(run, link);
}

const json_t *stage_link_manifest(const struct stage_run *run, const struct stage_link *link)
{
    return run->manifests[link->stage];
}

const json_t *stage_input_manifest(const struct stage_run *run, const char *input)
{
    const struct stage_link *link = stage_link(run->stage, input);
    return link ? stage_link_manifest(run, link) : NULL;
}

const json_t *stage_own_manifest(const struct stage_run *run)
{
    return run->manifests[run->stage - run->stages];
}

const struct stage_cost stage_cost_unknown = { -1, -1, -1, -1, -1 };

const struct stage_cost *stage_input_cost(const struct stage_run *run, const char *input)
{
    const struct stage_link *link = stage_link(run->stage, input);
    return link ? &run->costs[link->stage] : &stage_cost_unknown;
}

double manifest_figure(const json_t *manifest, const char *name)
{
    const json_t *value = json_object_get(json_object_get(manifest, "figures"), name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Where several tables have an option of one name (each library part has a seed), the first one
 * is set by the recipe and told here. */
json_t *stage_options_json(const struct stage *s)
{
    json_t *all = json_object();
    for (const struct option_group *g = s->groups; g->options; g++) {
        const struct option_group one[] = { *g, { NULL } };
        json_t *part = options_to_json(one);
        json_object_update_missing(all, part);
        json_decref(part);
    }
    json_object_del(all, "threads");
    json_object_del(all, "resume");
    return all;
}

/* The option whose name the text begins with, up to a character that no name has; NULL: none. */
static const struct option *option_at(const struct stage *s, const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    for (const struct option_group *g = s->groups; g->options; g++)
        for (const struct option *o = g->options; o->name; o++)
            if (strlen(o->name) == length && !strncmp(o->name, text, length))
                return o;
    return NULL;
}

static bool is_key(const struct stage *s, const char *text)
{
    const struct option *o = option_at(s, text);
    return o && strcmp(o->name, "threads") && strcmp(o->name, "resume");
}

const char *stage_leading_key(const struct stage *s, const char *message)
{
    const struct option *o = option_at(s, message);
    return o ? o->name : NULL;
}

void stage_say_keys(const struct stage *s, struct error *err)
{
    char *out = err->text;
    for (const char *in = err->text; *in;) {
        if (in[0] == '-' && in[1] == '-' && is_key(s, in + 2))
            in += 2;
        *out++ = *in++;
    }
    *out = '\0';
}

const struct stage_kind *stage_kind_find(const struct stage_kind *const *kinds, const char *name)
{
    for (; *kinds; kinds++)
        if (!strcmp((*kinds)->name, name))
            return *kinds;
    return NULL;
}

void stage_release(struct stage *s)
{
    options_release(s->groups);
    for (size_t i = 0; i < s->link_count; i++)
        free(s->links[i].label);
    free(s->links);
    free(s->config);
    free(s->variant);
    free(s->origin);
    free(s->name);
    *s = (struct stage){ 0 };
}
