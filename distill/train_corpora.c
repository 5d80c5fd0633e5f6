/* One corpus or several as what a training learns from. */
#include "distill/train_corpora.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/store.h"
#include "distill/corpus_lines.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

static bool is_corpus(const struct stage_link *link)
{
    return !strcmp(link->input->name, "corpus");
}

int train_corpora_read(struct train_corpora *c, struct stage_run *run, struct error *err)
{
    const struct stage *s = run->stage;
    *c = (struct train_corpora){ .run = run };
    c->files = xcalloc(s->link_count, sizeof *c->files);
    c->stores = xcalloc(s->link_count, sizeof *c->stores);
    c->pair_weights = xcalloc(s->link_count, sizeof *c->pair_weights);
    for (size_t i = 0; i < s->link_count; i++) {
        if (!is_corpus(&s->links[i]))
            continue;
        char *folder = stage_link_folder(run, &s->links[i]);
        int ret = corpus_files_read(&c->files[c->count], folder, err);
        free(folder);
        if (ret < 0)
            return -1;
        c->count++;
    }
    return 0;
}

/* ---- text to ids ---- */

struct store *train_corpora_encode(const struct stage_run *run, const char *name, const struct corpus_set *set,
                                   const struct model *m, struct error *err)
{
    char *path = stage_path(run, name);
    struct store *store = NULL;
    if (file_exists(path) || store_build(path, set->source, set->target, m->source_tokenizer, m->target_tokenizer,
                                         run->threads, err) == 0)
        store = store_open(path, true, err);
    free(path);
    return store;
}

/* "train.ids" of the first, "train-2.ids" of the second … */
static void file_name(char name[32], int corpus)
{
    snprintf(name, 32, corpus ? "train-%d.ids" : "train.ids", corpus + 1);
}

int train_corpora_clear(const struct stage_run *run, int count, struct error *err)
{
    int ret = 0;
    for (int i = 0; i < count && ret == 0; i++) {
        char name[32];
        file_name(name, i);
        ret = stage_remove(run, name, err);
    }
    return ret;
}

/* ---- batches ---- */

static int open_one(struct train_corpora *c, struct batch_source *out, int corpus, const struct model *m,
                    const struct batching_config *batching, struct error *err)
{
    struct batching_config config = *batching;
    char name[32];
    int64_t skipped = 0;
    file_name(name, corpus);
    c->stores[corpus] = train_corpora_encode(c->run, name, &c->files[corpus].train, m, err);
    if (!c->stores[corpus]
        || corpus_weights_read(&c->pair_weights[corpus], &c->files[corpus], store_count(c->stores[corpus]), err) < 0)
        return -1;
    if (corpus)
        config.seed = (int64_t)(rng_mix((uint64_t)batching->seed ^ rng_mix((uint64_t)corpus)) >> 12);
    config.weights = c->pair_weights[corpus];
    const struct tokenizer *target = m->target_tokenizer;
    int ret = batching_open(out, c->stores[corpus], tokenizer_bos(target), tokenizer_eos(target), &config, &skipped, err);
    c->skipped += skipped;
    return ret;
}

int train_corpora_open(struct train_corpora *c, struct batch_source *out, const struct model *m,
                       const struct mixing_config *mixing, const struct batching_config *batching, struct error *err)
{
    struct batch_source *parts = xcalloc((size_t)c->count, sizeof *parts);
    int opened = 0, ret = 0;
    for (int i = 0; i < c->count && ret == 0; i++) {
        ret = open_one(c, &parts[i], i, m, batching, err);
        opened += ret == 0;
    }
    if (ret == 0 && c->count == 1)
        *out = parts[0];
    else if (ret == 0)
        ret = mixing_open(out, parts, c->stores, (size_t)c->count, mixing, batching, err);
    for (int i = 0; i < opened && ret < 0; i++)
        parts[i].free(parts[i].state);
    free(parts);
    return ret;
}

void train_corpora_release(struct train_corpora *c)
{
    for (int i = 0; i < c->count; i++) {
        corpus_files_release(&c->files[i]);
        if (c->stores[i])
            store_close(c->stores[i]);
        free(c->pair_weights[i]);
    }
    free(c->files);
    free(c->stores);
    free(c->pair_weights);
    *c = (struct train_corpora){ 0 };
}

/* ---- lineage ---- */

json_t *train_corpora_describe(const struct train_corpora *c)
{
    const struct stage *s = c->run->stage;
    json_t *all = json_array();
    for (size_t i = 0, n = 0; i < s->link_count; i++) {
        char text[HASH_TEXT];
        if (!is_corpus(&s->links[i]))
            continue;
        const struct store *store = c->stores[n++];
        hash_text(text, store_fingerprint(store));
        json_array_append_new(all, json_pack("{s:s, s:s, s:I}", "stage", c->run->stages[s->links[i].stage].name,
                                             "fingerprint", text, "pairs", (json_int_t)store_count(store)));
    }
    json_t *described = c->count > 1 ? json_incref(all) : json_incref(json_array_get(all, 0));
    json_decref(all);
    return described;
}

void train_corpora_teachers(const struct train_corpora *c, json_t *teachers)
{
    for (int i = 0; i < c->count; i++) {
        const json_t *teacher = c->files[i].teacher;
        if (json_is_array(teacher))
            json_array_extend(teachers, (json_t *)(uintptr_t)teacher);
        else if (teacher)
            json_array_append(teachers, (json_t *)(uintptr_t)teacher);
    }
}
