/* The data of students of several tasks: examples as ids, batches, mixtures. */
#include "distill/task_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/chain.h"
#include "corpora/damage.h"
#include "corpora/mixing.h"
#include "corpora/mixture.h"
#include "corpora/store.h"
#include "seq2seq/model.h"
#include "seq2seq/train_plan.h"
#include "tokenize/tokenizer.h"

int task_data_read(struct task_data *out, struct stage_run *run, struct error *err)
{
    const struct stage *s = run->stage;
    *out = (struct task_data){ .run = run };
    out->files = xcalloc(s->link_count, sizeof *out->files);
    for (size_t i = 0; i < s->link_count; i++) {
        if (!stage_link_is(&s->links[i], "tasks"))
            continue;
        char *folder = stage_link_folder(run, &s->links[i]);
        int ret = task_files_read(&out->files[out->count], folder, err);
        free(folder);
        if (ret < 0)
            return -1;
        struct task *task = &out->files[out->count++].task;
        free(task->name);
        task->name = xstrdup(s->links[i].label);
    }
    return 0;
}

int task_data_find(const struct task_data *d, const char *name)
{
    for (int i = 0; i < d->count; i++)
        if (!strcmp(d->files[i].task.name, name))
            return i;
    return -1;
}

/* ---- one task ---- */

static struct store *encode(struct task_data *d, const struct model *m, int task, const struct task_set *set,
                            const char *name, struct error *err)
{
    const struct task_files *f = &d->files[task];
    char *file = xasprintf("%s.%s.ids", f->task.name, name), *path = stage_path(d->run, file);
    struct store *store = NULL;
    int ret = 0;
    if (!file_exists(path))
        ret = set->targets ? store_build(path, set->examples, set->targets, m->source_tokenizer,
                                         m->target_tokenizer, d->run->threads, err)
                           : examples_build(path, set->examples, &f->task, m->source_tokenizer, err);
    if (ret == 0)
        store = store_open(path, true, err);
    free(path);
    free(file);
    return store;
}

static int open_source(const struct task_data *d, const struct model *m, struct batch_source *out, int task,
                       const struct store *store, bool shuffle, struct error *err)
{
    const struct tokenizer *target = m->target_tokenizer;
    struct batching_config c = *d->config->batching;
    c.seed = (int64_t)(hash_bytes(&task, sizeof task, (uint64_t)d->config->seed) >> 1);
    c.shuffle &= shuffle;
    if (!shuffle)
        train_plan_validation(&c, m, d->run->threads, d->config->micro_tokens);
    c.labels = d->files[task].task.kind != TASK_TRANSLATE;
    return batching_open(out, store, tokenizer_bos(target), tokenizer_eos(target), &c, NULL, err);
}

/* What is learnt from, as it is damaged on the way; texts to restore are damaged for validation, too. */
static void damage(const struct task_data *d, const struct model *m, struct batch_source *source, int task, bool learning)
{
    const struct tokenizer *tokenizer = m->source_tokenizer;
    const struct task_files *f = &d->files[task];
    const struct damage_config c = {
        .drop = learning ? d->config->word_dropout : 0, .infill = f->infill, .span = f->span,
        .mask = tokenizer_unk(tokenizer), .eos = tokenizer_eos(tokenizer), .keep = f->task.tag != NULL,
        .seed = (int64_t)(rng_mix((uint64_t)d->config->seed + (uint64_t)task) >> 1),
    };
    struct batch_source whole = *source;
    if (c.drop > 0 || c.infill > 0)
        damage_open(source, &whole, &c);
}

static double batch_sentences(const struct task_data *d, int task)
{
    struct batching_config c = *d->config->batching;
    c.labels = d->files[task].task.kind != TASK_TRANSLATE;
    return mixing_batch_sentences(d->train_stores[task], &c);
}

/* Pseudo-labelled examples of a task as a part beside its own, whose weight is `own`. */
static int open_pseudo(struct task_data *d, const struct model *m, struct mixture_part *out,
                       const struct stage_link *link, double own, int task, struct error *err)
{
    struct task_files files;
    char *folder = stage_link_folder(d->run, link);
    int ret = task_files_read(&files, folder, err);
    free(folder);
    if (ret < 0)
        return -1;
    d->pseudo_stores[task] = encode(d, m, task, &files.train, "pseudo", err);
    task_files_release(&files);
    if (!d->pseudo_stores[task] || open_source(d, m, &out->source, task, d->pseudo_stores[task], true, err) < 0)
        return -1;
    damage(d, m, &out->source, task, true);
    out->weight = d->config->pseudo_weight;
    out->weight.from *= (float)own;
    out->weight.to *= (float)own;
    out->task = task;
    out->factor = 1;
    return 0;
}

static int open_pseudos(struct task_data *d, const struct model *m, struct mixture_part *parts, int *opened,
                        struct error *err)
{
    const struct stage *s = d->run->stage;
    for (size_t i = 0; i < s->link_count; i++) {
        if (!stage_link_is(&s->links[i], "pseudo"))
            continue;
        int task = task_data_find(d, s->links[i].label);
        double own = (double)parts[task].weight.from;
        if (open_pseudo(d, m, &parts[*opened], &s->links[i], own, task, err) < 0)
            return -1;
        ++*opened;
    }
    return 0;
}

static int open_train(struct task_data *d, const struct model *m, struct error *err)
{
    struct mixture_part *parts = xcalloc(2 * (size_t)d->count, sizeof *parts);
    int opened = 0, ret = 0;
    for (int i = 0; i < d->count && ret == 0; i++) {
        d->train_stores[i] = encode(d, m, i, &d->files[i].train, "train", err);
        ret = d->train_stores[i] ? open_source(d, m, &parts[i].source, i, d->train_stores[i], true, err) : -1;
        if (ret < 0)
            break;
        damage(d, m, &parts[i].source, i, true);
        opened++;
        double n = (double)parts[i].source.sentences(parts[i].source.state);
        parts[i].weight.from = mixture_weight(n, batch_sentences(d, i), (double)d->config->mixing);
        parts[i].task = i;
        parts[i].factor = 1;
    }
    if (ret == 0)
        ret = open_pseudos(d, m, parts, &opened, err);
    if (ret == 0)
        ret = mixture_open(&d->train, parts, opened, d->config->seed, err);
    for (int i = 0; i < opened && ret < 0; i++)
        parts[i].source.free(parts[i].source.state);
    free(parts);
    return ret;
}

static int open_dev(struct task_data *d, const struct model *m, struct error *err)
{
    struct batch_source *parts = xcalloc((size_t)d->count, sizeof *parts);
    int *task = xcalloc((size_t)d->count, sizeof *task), count = 0, ret = 0;
    for (int i = 0; i < d->count && ret == 0; i++) {
        if (!d->files[i].dev.examples)
            continue;
        d->dev_stores[i] = encode(d, m, i, &d->files[i].dev, "dev", err);
        ret = d->dev_stores[i] ? open_source(d, m, &parts[count], i, d->dev_stores[i], false, err) : -1;
        if (ret == 0) {
            damage(d, m, &parts[count], i, false);
            task[count++] = i;
        }
    }
    if (ret == 0 && count)
        chain_open(&d->dev, parts, task, count);
    for (int i = 0; i < count && ret < 0; i++)
        parts[i].free(parts[i].state);
    free(parts);
    free(task);
    return ret;
}

int task_data_open(struct task_data *d, const struct task_data_config *config, const struct model *m, struct error *err)
{
    d->config = config;
    d->train_stores = xcalloc((size_t)d->count, sizeof *d->train_stores);
    d->dev_stores = xcalloc((size_t)d->count, sizeof *d->dev_stores);
    d->pseudo_stores = xcalloc((size_t)d->count, sizeof *d->pseudo_stores);
    return open_train(d, m, err) < 0 ? -1 : open_dev(d, m, err);
}

void task_data_release(struct task_data *d)
{
    if (d->train.free)
        d->train.free(d->train.state);
    if (d->dev.free)
        d->dev.free(d->dev.state);
    for (int i = 0; i < d->count; i++) {
        if (d->config) {
            store_close(d->train_stores[i]);
            store_close(d->dev_stores[i]);
            store_close(d->pseudo_stores[i]);
        }
        task_files_release(&d->files[i]);
    }
    free(d->train_stores);
    free(d->dev_stores);
    free(d->pseudo_stores);
    free(d->files);
    *d = (struct task_data){ 0 };
}

int task_data_clear(const struct task_data *d, struct error *err)
{
    static const char *const sets[] = { "train", "dev", "pseudo" };
    int kinds = (int)ARRAY_COUNT(sets), ret = 0;
    for (int i = 0; i < kinds * d->count && ret == 0; i++) {
        char *file = xasprintf("%s.%s.ids", d->files[i / kinds].task.name, sets[i % kinds]);
        ret = stage_remove(d->run, file, err);
        free(file);
    }
    return ret;
}
