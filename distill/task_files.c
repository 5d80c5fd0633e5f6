#include "distill/task_files.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

static void set_release(struct task_set *s)
{
    free(s->examples);
    free(s->targets);
}

void task_files_release(struct task_files *t)
{
    task_release(&t->task);
    set_release(&t->train);
    set_release(&t->dev);
    set_release(&t->test);
    free(t->text[0]);
    free(t->text[1]);
    *t = (struct task_files){ 0 };
}

static json_t *set_json(const struct task_set *s)
{
    return json_pack("{s:s, s:s*, s:I}", "examples", s->examples, "targets", s->targets, "count",
                     (json_int_t)s->count);
}

int task_files_write(const struct task_files *t, const char *folder, struct error *err)
{
    json_t *root = json_pack("{s:s, s:o, s:o}", "format", "coho-task-1", "task", task_json(&t->task), "train",
                             set_json(&t->train));
    json_t *text = json_array();
    char *path = path_join(folder, TASK_FILE);
    if (t->dev.examples)
        json_object_set_new(root, "dev", set_json(&t->dev));
    if (t->test.examples)
        json_object_set_new(root, "test", set_json(&t->test));
    if (t->infill > 0) {
        json_object_set_new(root, "infill", json_real((double)t->infill));
        json_object_set_new(root, "span", json_real((double)t->span));
    }
    for (int i = 0; i < 2 && t->text[i]; i++)
        json_array_append_new(text, json_string(t->text[i]));
    json_object_set_new(root, "text", text);
    int ret = json_write(root, path, err);
    free(path);
    json_decref(root);
    return ret;
}

static char *beside(const char *folder, const json_t *name)
{
    return json_is_string(name) ? path_join(folder, json_string_value(name)) : NULL;
}

static void set_read(struct task_set *out, const json_t *json, const char *folder)
{
    out->examples = beside(folder, json_object_get(json, "examples"));
    out->targets = beside(folder, json_object_get(json, "targets"));
    out->count = json_integer_value(json_object_get(json, "count"));
}

int task_files_read(struct task_files *out, const char *folder, struct error *err)
{
    char *path = path_join(folder, TASK_FILE);
    json_t *root = json_read(path, err);
    *out = (struct task_files){ 0 };
    int ret = root ? task_from_json(&out->task, json_object_get(root, "task"), err) : -1;
    if (ret == 0) {
        set_read(&out->train, json_object_get(root, "train"), folder);
        set_read(&out->dev, json_object_get(root, "dev"), folder);
        set_read(&out->test, json_object_get(root, "test"), folder);
        out->infill = (float)json_number_value(json_object_get(root, "infill"));
        out->span = (float)json_number_value(json_object_get(root, "span"));
        for (size_t i = 0; i < 2; i++)
            out->text[i] = beside(folder, json_array_get(json_object_get(root, "text"), i));
        if (!out->train.examples)
            ret = error_set(err, "no training examples are named");
    }
    if (ret < 0 && root)
        error_prefix(err, "%s", path);
    if (ret < 0)
        task_files_release(out);
    json_decref(root);
    free(path);
    return ret;
}
