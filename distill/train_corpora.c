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
#include "corpora/mixture.h"
#include "corpora/store.h"
#include "distill/corpus_lines.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

const struct option train_corpora_options[] = {
    { "corpus-weights", OPTION_LIST, offsetof(struct train_corpora_config, weights), NULL, 0, 0,
      "of several corpora, how often batches are drawn from each: a number or course for each; without, by their sizes" },
    { 0 }
};

static int weight_parse(struct course *out, const struct train_corpora_config *config, int corpus, struct error *err)
{
    if (course_parse(out, config->weights.items[corpus], 0, 1e6, err) == 0)
        return 0;
    return error_prefix(err, "corpus-weights");
}

int train_corpora_check(const struct train_corpora_config *config, int corpora, struct error *err)
{
    struct course course;
    if (config->weights.count && config->weights.count != (size_t)corpora)
        return error_set(err, "corpus-weights has %zu numbers, but there %s %d %s", config->weights.count,
                         corpora == 1 ? "is" : "are", corpora, corpora == 1 ? "corpus" : "corpora");
    for (size_t i = 0; i < config->weights.count; i++)
        if (weight_parse(&course, config, (int)i, err) < 0)
            return -1;
    return 0;
}

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
        char *path = stage_path(run, name);
        ret = dir_remove(path, err);
        free(path);
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

/* Batches have about the same number of tokens, so the sizes of corpora are their tokens. */
static int weigh(struct mixture_part *part, const struct train_corpora_config *config, int corpus, struct error *err)
{
    part->factor = 1;
    if (config->weights.count)
        return weight_parse(&part->weight, config, corpus, err);
    part->weight.from = (float)part->source.tokens(part->source.state);
    return 0;
}

int train_corpora_open(struct train_corpora *c, struct batch_source *out, const struct model *m,
                       const struct train_corpora_config *config, const struct batching_config *batching,
                       struct error *err)
{
    struct mixture_part *parts = xcalloc((size_t)c->count, sizeof *parts);
    int opened = 0, ret = 0;
    for (int i = 0; i < c->count && ret == 0; i++) {
        ret = open_one(c, &parts[i].source, i, m, batching, err);
        opened += ret == 0;
        if (ret == 0)
            ret = weigh(&parts[i], config, i, err);
    }
    if (ret == 0 && c->count == 1)
        *out = parts[0].source;
    else if (ret == 0)
        ret = mixture_open(out, parts, c->count, batching->seed, err);
    for (int i = 0; i < opened && ret < 0; i++)
        parts[i].source.free(parts[i].source.state);
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
