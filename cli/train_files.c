/* The text that `coho train` learns from and validates on, as ids in the model's folder, and its batches. */
#include "cli/train_files.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"
#include "base/thread.h"
#include "corpora/store.h"
#include "decode/validate.h"
#include "distill/lock.h"
#include "seq2seq/train_plan.h"

/* Encodes a corpus into the output folder; in a team, rank 0 does, and the others read it there. */
static struct store *store_make(struct train_files *f, const char *name, const char *source,
                                const char *target, struct error *err)
{
    bool leads = team_rank(f->team) == 0;
    char *path = path_join(f->folder, name);
    int threads = f->config->threads ? f->config->threads : cpu_count(), ret = 0;
    if (leads)
        ret = store_build(path, source, target, f->model->source_tokenizer, f->model->target_tokenizer, threads,
                          err);
    struct store *store = team_agree(f->team, ret, err) < 0 ? NULL : store_open(path, leads, err);
    free(path);
    return store;
}

static int batches_open(struct train_files *f, struct batch_source *out, const struct store *store, bool training,
                        uint64_t seed, const char *source, const char *target, struct error *err)
{
    struct batching_config config = *f->batching;
    const char *what = training ? "training" : "validation";
    int64_t skipped = 0;
    config.seed = (int64_t)seed;
    config.shuffle &= training;
    if (!training)
        train_plan_validation(&config, f->model, f->config->threads, f->config->micro_tokens);
    if (batching_open(out, store, model_bos(f->model), model_eos(f->model), &config, &skipped, err) < 0)
        return error_prefix(err, "'%s' and '%s'", source, target);
    log_info("%s: %lld sentence pairs, %lld target tokens", what, (long long)out->sentences(out->state),
             (long long)out->tokens(out->state));
    if (skipped && team_rank(f->team) == 0)
        log_warning("%s: %lld pairs left out: a side is empty or longer than max-length %d tokens", what,
                    (long long)skipped, config.max_length);
    return 0;
}

/* The i-th corpus of the training, from 0. */
static const char *store_name(char name[40], size_t i)
{
    snprintf(name, 40, i ? "train-%zu.store" : "train.store", i + 1);
    return name;
}

static int old_store_remove(const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    int ret = unlink(path);
    free(path);
    return ret;
}

/* An earlier training in the folder may have had a validation corpus, and more corpora. */
static void old_stores_remove(const struct train_files *f)
{
    char name[40];
    old_store_remove(f->folder, "dev.store");
    for (size_t i = 1; old_store_remove(f->folder, store_name(name, i)) == 0; i++)
        ;
}

/* The corpora of the training as one source. */
static int train_open(struct train_files *f, struct error *err)
{
    const struct strings *sources = &f->sources, *targets = &f->targets;
    struct batching_config batching = *f->batching;
    struct batch_source *parts = xcalloc(sources->count, sizeof *parts);
    size_t opened = 0;
    int ret = 0;
    batching.seed = f->config->seed;
    f->stores = xcalloc(sources->count, sizeof *f->stores);
    while (opened < sources->count && ret == 0) {
        const char *source = sources->items[opened], *target = targets->items[opened];
        uint64_t seed = (uint64_t)batching.seed;
        char name[40];
        struct store *store = store_make(f, store_name(name, opened), source, target, err);
        f->stores[f->opened++] = store;
        ret = store ? batches_open(f, &parts[opened], store, true, opened ? rng_mix(seed + opened) >> 1 : seed, source,
                                   target, err) : -1;
        opened += ret == 0;
    }
    if (ret == 0 && opened == 1)
        f->train = *parts;
    else if (ret == 0)
        ret = mixing_open(&f->train, parts, f->stores, opened, f->mixing, &batching, err);
    for (size_t i = 0; i < opened && ret < 0; i++)
        parts[i].free(parts[i].state);
    free(parts);
    return ret;
}

/* It is encoded, and read once more to be decoded. */
static int dev_check(const struct train_files *f, struct error *err)
{
    const char *dev[] = { f->dev_source, f->dev_target };
    for (int i = 0; i < 2; i++)
        if (dev[i] && file_is_stream(dev[i]))
            return error_set(err, "'%s' is a pipe: the validation text is read twice; give a file", dev[i]);
    return 0;
}

/* The small corpus comes first: its mistakes are told before the large one is encoded. */
int train_files_open(struct train_files *f, struct error *err)
{
    if (dev_check(f, err) < 0)
        return -1;
    if (team_rank(f->team) == 0) {
        if (dir_make(f->folder, err) < 0 || (f->lock = lock_take(f->folder, err)) < 0)
            return -1;
        f->locked = true;
        old_stores_remove(f);
    }
    if (f->dev_source) {
        f->dev_store = store_make(f, "dev.store", f->dev_source, f->dev_target, err);
        if (!f->dev_store || validator_open(&f->validator, f->dev_source, f->dev_target, f->dev_decode_lines, err) < 0)
            return -1;
    }
    if (train_open(f, err) < 0)
        return -1;
    return f->dev_source ? batches_open(f, &f->dev, f->dev_store, false, (uint64_t)f->config->seed, f->dev_source,
                                        f->dev_target, err) : 0;
}

struct train_data train_files_data(struct train_files *f)
{
    return (struct train_data){
        .train = &f->train, .dev = f->dev_store ? &f->dev : NULL, .validator = f->dev_store ? &f->validator : NULL,
        .team = f->team,
    };
}

void train_files_close(struct train_files *f)
{
    if (f->train.free)
        f->train.free(f->train.state);
    if (f->dev.free)
        f->dev.free(f->dev.state);
    for (size_t i = 0; i < f->opened; i++)
        store_close(f->stores[i]);
    free(f->stores);
    strings_release(&f->sources);
    strings_release(&f->targets);
    store_close(f->dev_store);
    validator_close(&f->validator);
    if (f->locked)
        lock_release(f->lock);
}

/* ---- lineage ---- */

/* Of several corpora, what each is. */
static json_t *list_corpora(const struct train_files *f, uint64_t *fingerprint, int64_t *sentences)
{
    json_t *list = json_array();
    *fingerprint = store_fingerprint(f->stores[0]);
    *sentences = 0;
    for (size_t i = 0; i < f->opened; i++) {
        const struct store *store = f->stores[i];
        char text[HASH_TEXT];
        hash_text(text, store_fingerprint(store));
        json_array_append_new(list, json_pack("{s:s, s:I}", "corpus", text, "sentences",
                                              (json_int_t)store_count(store)));
        *sentences += store_count(store);
        if (i)
            *fingerprint = rng_mix(*fingerprint ^ store_fingerprint(store));
    }
    return list;
}

void train_files_describe(const struct train_files *f, json_t *lineage)
{
    const struct option_group mixing[] = { { NULL, mixing_options, (void *)(uintptr_t)f->mixing }, { 0 } };
    char corpus[HASH_TEXT];
    uint64_t fingerprint;
    int64_t sentences;
    json_t *corpora = list_corpora(f, &fingerprint, &sentences);
    hash_text(corpus, fingerprint);
    json_object_set_new(lineage, "corpus", json_string(corpus));
    json_object_set_new(lineage, "sentences", json_integer((json_int_t)sentences));
    if (f->opened > 1) {
        json_object_set(lineage, "corpora", corpora);
        json_object_set_new(lineage, "mixing", options_to_json(mixing));
    }
    json_decref(corpora);
}
