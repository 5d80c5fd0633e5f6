/* One corpus or several as what a training learns from. */
#include "distill/train_corpora.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/store.h"
#include "distill/corpus_lines.h"
#include "distill/on_policy.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

static int read_input(struct train_corpora *c, const char *input, struct error *err)
{
    const struct stage *s = c->run->stage;
    for (size_t i = 0; i < s->link_count; i++) {
        if (!stage_link_is(&s->links[i], input))
            continue;
        char *folder = stage_link_folder(c->run, &s->links[i]);
        int ret = corpus_files_read(&c->files[c->count], folder, err);
        free(folder);
        if (ret < 0)
            return -1;
        c->links[c->count++] = &s->links[i];
    }
    return 0;
}

int train_corpora_read(struct train_corpora *c, struct stage_run *run, struct error *err)
{
    size_t most = run->stage->link_count;
    *c = (struct train_corpora){ .run = run };
    c->files = xcalloc(most, sizeof *c->files);
    c->links = xcalloc(most, sizeof *c->links);
    c->stores = xcalloc(most, sizeof *c->stores);
    c->pair_weights = xcalloc(most, sizeof *c->pair_weights);
    c->labelling = xcalloc(most, sizeof *c->labelling);
    if (read_input(c, "corpus", err) < 0)
        return -1;
    c->labelled = c->count;
    return read_input(c, "unlabelled", err);
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

struct store *train_corpora_encode_unlabelled(const struct stage_run *run, const char *name,
                                              const struct corpus_set *set, const struct model *m, struct error *err)
{
    const struct corpus_set given = { .source = set->source, .target = set->source };
    return train_corpora_encode(run, name, &given, m, err);
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

static int encode(struct train_corpora *c, int corpus, const struct model *m, struct error *err)
{
    const struct corpus_files *files = &c->files[corpus];
    bool labelled = corpus < c->labelled;
    char name[32];
    file_name(name, corpus);
    struct store *store = labelled ? train_corpora_encode(c->run, name, &files->train, m, err)
                                   : train_corpora_encode_unlabelled(c->run, name, &files->train, m, err);
    c->stores[corpus] = store;
    if (!store)
        return -1;
    return labelled ? corpus_weights_read(&c->pair_weights[corpus], files, store_count(store), err) : 0;
}

/* The text's batches, out, become those of what the student says of it. */
static int label_online(struct train_corpora *c, struct batch_source *out, int corpus, const struct model *m,
                        int64_t seed, int longest, struct error *err)
{
    struct batch_source text = *out;
    if (on_policy_open(out, &text, m, &on_policy_labels, longest, seed, c->run->threads, err) < 0) {
        text.free(text.state);
        return -1;
    }
    c->labelling[corpus] = *out;
    return 0;
}

static int open_one(struct train_corpora *c, struct batch_source *out, int corpus, const struct model *m,
                    const struct batching_config *batching, int longest, struct error *err)
{
    struct batching_config config = *batching;
    int64_t skipped = 0;
    if (encode(c, corpus, m, err) < 0)
        return -1;
    if (corpus)
        config.seed = (int64_t)(rng_mix((uint64_t)batching->seed ^ rng_mix((uint64_t)corpus)) >> 12);
    config.weights = c->pair_weights[corpus];
    const struct tokenizer *target = m->target_tokenizer;
    int ret = batching_open(out, c->stores[corpus], tokenizer_bos(target), tokenizer_eos(target), &config, &skipped, err);
    c->skipped += skipped;
    if (ret < 0)
        return error_prefix(err, "'%s'", c->run->stages[c->links[corpus]->stage].name);
    if (corpus < c->labelled)
        return 0;
    return label_online(c, out, corpus, m, config.seed, longest, err);
}

int train_corpora_open(struct train_corpora *c, struct batch_source *out, const struct model *m,
                       const struct mixing_config *mixing, const struct batching_config *batching, int longest,
                       struct error *err)
{
    struct batch_source *parts = xcalloc((size_t)c->count, sizeof *parts);
    int opened = 0, ret = 0;
    for (int i = 0; i < c->count && ret == 0; i++) {
        ret = open_one(c, &parts[i], i, m, batching, longest, err);
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
    free(c->links);
    free(c->stores);
    free(c->pair_weights);
    free(c->labelling);
    *c = (struct train_corpora){ 0 };
}

/* ---- figures and lineage ---- */

void train_corpora_label_figures(const struct train_corpora *c, json_t *figures)
{
    struct on_policy_counts all = { 0 };
    for (int i = c->labelled; i < c->count; i++) {
        struct on_policy_counts n = on_policy_count(&c->labelling[i]);
        all.made += n.made;
        all.left_out += n.left_out;
    }
    if (c->labelled < c->count) {
        json_object_set_new(figures, "labels", json_integer(all.made));
        json_object_set_new(figures, "labels_left_out", json_integer(all.left_out));
    }
}

json_t *train_corpora_describe_one(const struct stage_run *run, const struct stage_link *link, const struct store *store)
{
    char text[HASH_TEXT];
    hash_text(text, store_fingerprint(store));
    return json_pack("{s:s, s:s, s:I}", "stage", run->stages[link->stage].name, "fingerprint", text, "pairs",
                     (json_int_t)store_count(store));
}

static json_t *describe(const struct train_corpora *c, int from, int to)
{
    json_t *all = json_array();
    for (int i = from; i < to; i++)
        json_array_append_new(all, train_corpora_describe_one(c->run, c->links[i], c->stores[i]));
    json_t *described = to - from > 1 ? json_incref(all) : json_incref(json_array_get(all, 0));
    json_decref(all);
    return described;
}

json_t *train_corpora_describe(const struct train_corpora *c)
{
    return describe(c, 0, c->labelled);
}

json_t *train_corpora_describe_unlabelled(const struct train_corpora *c)
{
    return describe(c, c->labelled, c->count);
}

void train_corpora_teachers(const struct train_corpora *c, json_t *teachers)
{
    for (int i = 0; i < c->labelled; i++) {
        const json_t *teacher = c->files[i].teacher;
        if (json_is_array(teacher))
            json_array_extend(teachers, (json_t *)(uintptr_t)teacher);
        else if (teacher)
            json_array_append(teachers, (json_t *)(uintptr_t)teacher);
    }
}
