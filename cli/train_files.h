#ifndef CLI_TRAIN_FILES_H
#define CLI_TRAIN_FILES_H

#include <jansson.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "corpora/batching.h"
#include "corpora/mixing.h"
#include "seq2seq/train.h"

struct error;
struct store;
struct team;

/* The corpora of `coho train`: encoded as train.store, train-2.store … and dev.store of the model's folder,
 * which in a team rank 0 writes and all read, and opened as batches. */
struct train_files {
    /* what is asked for; pointers are borrowed */
    struct strings sources, targets;            /* of all corpora, line by line */
    const char *dev_source, *dev_target;        /* NULL: there is no validation */
    int64_t dev_decode_lines;
    const char *folder;
    const struct model *model;
    const struct train_config *config;
    const struct batching_config *batching;
    const struct mixing_config *mixing;
    struct team *team;
    /* what is open */
    struct store **stores, *dev_store;          /* one a corpus, so many: */
    size_t opened;
    struct batch_source train, dev;
    struct validator validator;
    bool locked;                                /* the folder is this process's, by: */
    int lock;
};

int train_files_open(struct train_files *f, struct error *err);
void train_files_close(struct train_files *f);          /* whatever came of opening it */
struct train_data train_files_data(struct train_files *f);

/* Adds corpus, sentences and, of several corpora, how they were mixed. */
void train_files_describe(const struct train_files *f, json_t *lineage);

#endif
