#include "seq2seq/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "seq2seq/numbered.h"
#include "seq2seq/safetensors.h"
#include "tensor/kernels.h"

static char *checkpoint_path(const char *folder, const char *kind, int64_t update)
{
    return xasprintf("%s/checkpoints/%s-%lld.safetensors", folder, kind, (long long)update);
}

/* ---- whole blocks ---- */

static void entry_add(struct safetensors_entry *e, const char *name, const struct param_set *set,
                      const float *block)
{
    *e = (struct safetensors_entry){ (char *)name, 0, (int64_t)set->total, block };
}

static int block_read(const struct safetensors *st, const char *name, const struct param_set *set,
                      float *block, struct error *err)
{
    const void *data = safetensors_find(st, name, 0, (int64_t)set->total, err);
    if (!data)
        return -1;
    memcpy(block, data, set->total * sizeof(float));
    return 0;
}

/* ---- the folder ---- */

/* The updates of which there are checkpoints, newest first. */
static size_t checkpoints_find(const char *folder, int64_t **updates)
{
    char *path = path_join(folder, "checkpoints");
    size_t count = numbered_find(updates, path, "update-", ".safetensors");
    free(path);
    return count;
}

/* Of those up to this update, which has just been written, so many stay.  Later ones are damaged, or the
 * training would have gone on from them: they shall take no place of a sound one. */
static void checkpoints_prune(const char *folder, int64_t update, int keep)
{
    int64_t *updates;
    size_t count = checkpoints_find(folder, &updates);
    for (size_t i = 0; i < count; i++) {
        if (updates[i] <= update && keep-- > 0)
            continue;
        char *path = checkpoint_path(folder, "update", updates[i]);
        unlink(path);
        free(path);
    }
    free(updates);
}

/* Returns how many there are. */
static size_t list_entries(struct safetensors_entry entries[5 + KEPT_MOST], const struct checkpoint *c)
{
    const struct param_set *set = &c->m->params;
    size_t count = 0;
    entry_add(&entries[count++], "weights", set, set->block);
    entry_add(&entries[count++], "adam.m", set, c->a->m);
    entry_add(&entries[count++], "adam.v", set, c->a->v);
    if (c->a->ema)
        entry_add(&entries[count++], "ema", set, c->a->ema);
    if (c->best)
        entry_add(&entries[count++], "best", set, c->best);
    for (int i = 0; i < c->kept_count; i++)
        entries[count++] = (struct safetensors_entry){ (char *)(uintptr_t)c->kept[i].name, 0, (int64_t)c->kept[i].count,
                                                       c->kept[i].data };
    return count;
}

int checkpoint_save(const char *folder, const struct checkpoint *c, const json_t *state, int64_t update, int keep,
                    struct error *err)
{
    struct safetensors_entry entries[5 + KEPT_MOST];
    size_t count = list_entries(entries, c);
    char *path = path_join(folder, "checkpoints"), *text = json_dumps(state, JSON_COMPACT);
    json_t *shape = model_config_json(&c->m->config);
    char *model = json_dumps(shape, JSON_COMPACT | JSON_REAL_PRECISION(7));
    json_t *metadata = json_pack("{s:s,s:s}", "state", text, "model", model);
    int ret = dir_make(path, err);
    free(path);
    path = checkpoint_path(folder, "update", update);
    if (ret == 0)
        ret = safetensors_write(path, entries, count, metadata, err);
    if (ret == 0)
        checkpoints_prune(folder, update, keep > 0 ? keep : 1);
    json_decref(metadata);
    json_decref(shape);
    free(model);
    free(text);
    free(path);
    return ret;
}

/* Opens a sound checkpoint. */
static int checkpoint_open(struct safetensors *st, json_t **state, const char *path, struct error *err)
{
    json_error_t parse;
    if (safetensors_open(st, path, err) < 0)
        return -1;
    const char *text = safetensors_metadata(st, "state");
    *state = text ? json_loads(text, 0, &parse) : NULL;
    if (*state)
        return 0;
    safetensors_close(st);
    return error_set(err, "'%s' has no training state", path);
}

/* The first option of the model that differs ends the matter; dropout may change on the way. */
static int model_matches(const struct safetensors *st, const struct model *m, struct error *err)
{
    const char *text = safetensors_metadata(st, "model"), *name;
    json_t *then = text ? json_loads(text, 0, NULL) : NULL, *now = model_config_json(&m->config), *value;
    int ret = 0;
    json_object_foreach(then, name, value) {
        json_t *other = json_object_get(now, name);
        if (ret < 0 || !strncmp(name, "dropout", 7) || json_equal(value, other))
            continue;
        char *was = json_dumps(value, JSON_ENCODE_ANY), *is = other ? json_dumps(other, JSON_ENCODE_ANY) : NULL;
        ret = error_set(err, "cannot resume: %s was %s and is %s now; resume with the old value or start again "
                        "in another folder", name, was, is ? is : "absent");
        free(was);
        free(is);
    }
    json_decref(then);
    json_decref(now);
    return ret;
}

/* An average that begins or ends on the way would not be that of an undisturbed run. */
static int average_matches(const struct safetensors *st, const struct adam *a, struct error *err)
{
    bool had = json_object_get(st->header, "ema") != NULL;
    if (had == (a->ema != NULL))
        return 0;
    return error_set(err, "cannot resume: ema was %s and is %s now; resume with the old value or start again in "
                     "another folder", had ? "on" : "0", had ? "0" : "on");
}

static int best_read(const struct safetensors *st, const struct model *m, float **best, struct error *err)
{
    if (!json_object_get(st->header, "best"))
        return 0;
    *best = block_new(&m->params);
    return block_read(st, "best", &m->params, *best, err);
}

static int kept_read(const struct safetensors *st, const struct kept_block *kept, struct error *err)
{
    const void *data = safetensors_find(st, kept->name, 0, (int64_t)kept->count, err);
    if (!data)
        return error_set(err, "cannot resume: the checkpoint is of a training without '%s'; resume with the old "
                         "options or start again in another folder", kept->name);
    memcpy(kept->data, data, kept->count * sizeof(float));
    return 0;
}

static int blocks_read(const struct safetensors *st, struct checkpoint *c, struct error *err)
{
    struct model *m = c->m;
    struct adam *a = c->a;
    if (model_matches(st, m, err) < 0 || average_matches(st, a, err) < 0 ||
        block_read(st, "weights", &m->params, m->params.block, err) < 0 ||
        block_read(st, "adam.m", &m->params, a->m, err) < 0 || block_read(st, "adam.v", &m->params, a->v, err) < 0)
        return -1;
    for (int i = 0; i < c->kept_count; i++)
        if (kept_read(st, &c->kept[i], err) < 0)
            return -1;
    return a->ema ? block_read(st, "ema", &m->params, a->ema, err) : 0;
}

/* The newest sound checkpoint: 1, 0 where there is none, -1 where all are damaged. */
static int newest_open(struct safetensors *st, json_t **state, const char *folder, struct error *err)
{
    int64_t *updates;
    size_t count = checkpoints_find(folder, &updates);
    int ret = count ? -1 : 0;
    for (size_t i = 0; i < count && ret < 0; i++) {
        char *path = checkpoint_path(folder, "update", updates[i]);
        ret = checkpoint_open(st, state, path, err) < 0 ? -1 : 1;
        if (ret < 0 && i + 1 < count)
            log_warning("%s; going back to the checkpoint of update %lld", err->text,
                        (long long)updates[i + 1]);
        free(path);
    }
    free(updates);
    return ret < 0 ? error_set(err, "%s; remove '%s/checkpoints' to start again", err ? err->text : "", folder)
                   : ret;
}

int checkpoint_load(const char *folder, struct checkpoint *c, json_t **state, struct error *err)
{
    struct safetensors st = { 0 };
    *state = NULL;
    int ret = newest_open(&st, state, folder, err);
    if (ret > 0)
        ret = blocks_read(&st, c, err);
    if (ret == 0)
        ret = best_read(&st, c->m, &c->best, err);
    safetensors_close(&st);
    if (ret < 0) {
        json_decref(*state);
        *state = NULL;
    }
    return ret;
}

int64_t checkpoint_newest(const char *folder)
{
    int64_t *updates;
    int64_t newest = checkpoints_find(folder, &updates) ? updates[0] : -1;
    free(updates);
    return newest;
}

/* ---- snapshots of weights ---- */

int snapshot_save(const char *folder, const struct model *m, const float *block, int64_t update,
                  struct error *err)
{
    struct safetensors_entry entry;
    char *dir = path_join(folder, "checkpoints"), *path = checkpoint_path(folder, "weights", update);
    entry_add(&entry, "weights", &m->params, block);
    int ret = dir_make(dir, err);
    if (ret == 0)
        ret = safetensors_write(path, &entry, 1, NULL, err);
    free(dir);
    free(path);
    return ret;
}

int best_set_aside(const char *folder, const struct model *m, int64_t update, struct error *err)
{
    struct safetensors_entry entry;
    char *path = path_join(folder, "checkpoints/best.safetensors"), number[32];
    snprintf(number, sizeof number, "%lld", (long long)update);
    json_t *metadata = json_pack("{s:s}", "update", number);
    entry_add(&entry, "weights", &m->params, m->params.block);
    int ret = safetensors_write(path, &entry, 1, metadata, err);
    json_decref(metadata);
    free(path);
    return ret;
}

int best_find(const char *folder, struct model *m, int64_t update, struct error *err)
{
    struct safetensors st = { 0 };
    char *path = path_join(folder, "checkpoints/best.safetensors");
    int ret = !file_exists(path) ? 0 : safetensors_open(&st, path, err) < 0 ? -1 : 1;
    const char *number = ret > 0 ? safetensors_metadata(&st, "update") : NULL;
    if (ret > 0 && (!number || atoll(number) != update))
        ret = 0;                        /* of an earlier end */
    if (ret > 0 && block_read(&st, "weights", &m->params, m->params.block, err) < 0)
        ret = -1;
    safetensors_close(&st);
    free(path);
    return ret;
}

void snapshot_remove(const char *folder, int64_t update)
{
    char *path = checkpoint_path(folder, "weights", update);
    unlink(path);
    free(path);
}

static int snapshot_read(const char *folder, const struct model *m, int64_t update, float *block,
                         struct error *err)
{
    struct safetensors st = { 0 };
    char *path = checkpoint_path(folder, "weights", update);
    int ret = safetensors_open(&st, path, err);
    if (ret == 0)
        ret = block_read(&st, "weights", &m->params, block, err);
    safetensors_close(&st);
    free(path);
    return ret;
}

int snapshots_average(const char *folder, const struct model *m, const int64_t *updates, int count,
                      float *block, struct error *err)
{
    float *one = block_new(&m->params);
    struct error problem;
    int found = 0;
    memset(block, 0, m->params.total * sizeof(float));
    for (int i = 0; i < count; i++) {
        if (snapshot_read(folder, m, updates[i], one, &problem) == 0) {
            kernel->axpy(block, one, 1, m->params.total);
            found++;
        } else {
            log_warning("%s; these weights are left out of the average", problem.text);
        }
    }
    free(one);
    if (found)
        kernel->scale(block, 1.0f / (float)found, m->params.total);
    return found ? 0 : error_set(err, "%s; there is nothing to average", problem.text);
}
