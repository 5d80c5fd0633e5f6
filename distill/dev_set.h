#ifndef DISTILL_DEV_SET_H
#define DISTILL_DEV_SET_H

#include <stdint.h>

#include "corpora/batching.h"
#include "distill/corpus_files.h"
#include "distill/stage.h"
#include "seq2seq/train.h"

struct error;
struct store;

/* What a stage that trains translation validates on: the corpus's dev set, as batches and decoded. */
struct dev_set {
    struct store *store;        /* NULL: the corpus has none */
    struct batch_source batches;
    struct validator validator;
};

/* The option for `lines` below. */
#define VALIDATE_LINES(offset) \
    { "validate-lines", OPTION_LONG, offset, "500", 0, 1e9, \
      "lines of the dev set that are decoded at a validation; 0: all" }

/* Encodes the set as dev.ids in the stage's folder.  It is measured in pieces of micro_tokens, as the training
 * takes them (0: as train_config has it); its first `lines` are decoded at a validation; 0: all.
 * To be released whatever comes of it. */
int dev_set_open(struct dev_set *out, const struct stage_run *run, const struct corpus_set *set, const struct model *m,
                 const struct batching_config *batching, int micro_tokens, int64_t lines, struct error *err);
void dev_set_release(struct dev_set *d);

/* As train_model takes it, beside what is learnt from. */
struct train_data dev_set_beside(struct batch_source *train, struct dev_set *d);

#endif
