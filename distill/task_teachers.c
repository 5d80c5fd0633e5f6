#include "distill/task_teachers.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"
#include "distill/model_stage.h"
#include "distill/task_outputs.h"
#include "seq2seq/model.h"

/* Several teachers of one task are an ensemble. */
static int load_teacher(struct task_teachers *t, const struct stage_link *link, struct error *err)
{
    int task = task_data_find(t->data, link->label), n = t->of[task].count;
    char *folder = stage_link_folder(t->data->run, link);
    struct model *m = model_load(folder, err);
    free(folder);
    if (!m)
        return -1;
    if (model_takes(m, t->data->config->batching->max_length, "the teacher", err) < 0) {
        model_free(m);
        return error_prefix(err, "task '%s'", link->label);
    }
    t->models[task] = xrealloc(t->models[task], (size_t)(n + 1) * sizeof *t->models[task]);
    t->models[task][n] = m;
    t->of[task] = (struct task_teacher){ (const struct model *const *)t->models[task], n + 1, NULL };
    return 0;
}

static int load_outputs(struct task_teachers *t, const struct stage_link *link, struct error *err)
{
    int task = task_data_find(t->data, link->label);
    char *folder = stage_link_folder(t->data->run, link), *path = path_join(folder, TASK_OUTPUTS_FILE);
    struct soft_targets *soft = soft_targets_open(path, true, err);
    int ret = soft ? soft_targets_bind(soft, t->data->train_stores[task], err) : -1;
    soft_targets_close(t->outputs[task]);
    t->outputs[task] = soft;
    t->of[task] = (struct task_teacher){ .soft = soft };
    free(folder);
    free(path);
    return ret;
}

int task_teachers_load(struct task_teachers *out, const struct task_data *data, struct error *err)
{
    const struct stage *s = data->run->stage;
    size_t count = (size_t)data->count;
    *out = (struct task_teachers){ .data = data };
    out->of = xcalloc(count, sizeof *out->of);
    out->models = xcalloc(count, sizeof *out->models);
    out->outputs = xcalloc(count, sizeof *out->outputs);
    for (size_t i = 0; i < s->link_count; i++)
        if ((stage_link_is(&s->links[i], "teachers") && load_teacher(out, &s->links[i], err) < 0)
            || (stage_link_is(&s->links[i], "outputs") && load_outputs(out, &s->links[i], err) < 0))
            return -1;
    return 0;
}

void task_teachers_release(struct task_teachers *t)
{
    for (int i = 0; t->data && i < t->data->count; i++) {
        for (int k = 0; k < t->of[i].count; k++)
            model_free(t->models[i][k]);
        free(t->models[i]);
        soft_targets_close(t->outputs[i]);
    }
    free(t->of);
    free(t->models);
    free(t->outputs);
    *t = (struct task_teachers){ 0 };
}

/* ---- lineage ---- */

/* Who said what was kept. */
static void describe_outputs(const struct task_teachers *t, const struct stage_link *link, json_t *teachers)
{
    const struct soft_targets *soft = t->outputs[task_data_find(t->data, link->label)];
    json_t *made_by = json_object_get(soft_targets_info(soft)->about, "teachers"), *it;
    size_t i;
    json_array_foreach(made_by, i, it) {
        json_t *one = json_deep_copy(it);
        json_object_set_new(one, "task", json_string(link->label));
        json_object_set_new(one, "outputs", json_string(t->data->run->stages[link->stage].name));
        json_array_append_new(teachers, one);
    }
}

json_t *task_teachers_describe(const struct task_teachers *t)
{
    const struct stage *s = t->data->run->stage;
    json_t *teachers = json_array();
    int *seen = xcalloc((size_t)t->data->count, sizeof *seen);
    for (size_t i = 0; i < s->link_count; i++) {
        if (stage_link_is(&s->links[i], "outputs"))
            describe_outputs(t, &s->links[i], teachers);
        if (!stage_link_is(&s->links[i], "teachers"))
            continue;
        int task = task_data_find(t->data, s->links[i].label);
        uint64_t weights = model_fingerprint(t->models[task][seen[task]++]);
        json_t *it = stage_ancestor(t->data->run, &s->links[i], weights);
        json_object_set_new(it, "task", json_string(s->links[i].label));
        json_array_append_new(teachers, it);
    }
    free(seen);
    return teachers;
}
