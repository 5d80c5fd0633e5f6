#ifndef DISTILL_TRAIN_CORPORA_H
#define DISTILL_TRAIN_CORPORA_H

#include <jansson.h>

#include "corpora/batching.h"
#include "corpora/mixing.h"
#include "distill/corpus_files.h"
#include "distill/stage.h"

struct model;
struct store;

/* What a training learns from: the corpus of a recipe, or several that are mixed (corpora/mixing.h):
 * gold, pseudo-labelled, back-translated.  Dev set and languages are the first one's. */
struct train_corpora {
    struct stage_run *run;      /* borrowed */
    int count;
    struct corpus_files *files;
    struct store **stores;
    float **pair_weights;       /* NULL where a corpus has none */
    int64_t skipped;            /* pairs that are too long */
};

/* The corpora under the stage's input `corpus`. */
int train_corpora_read(struct train_corpora *c, struct stage_run *run, struct error *err);

/* Encodes them, as files of the stage's folder that stay while it is at work, and opens them as one
 * source. */
int train_corpora_open(struct train_corpora *c, struct batch_source *out, const struct model *m,
                       const struct mixing_config *mixing, const struct batching_config *batching, struct error *err);
void train_corpora_release(struct train_corpora *c);    /* after the source is freed */

/* One set of text as ids under that name. */
struct store *train_corpora_encode(const struct stage_run *run, const char *name, const struct corpus_set *set,
                                   const struct model *m, struct error *err);
int train_corpora_clear(const struct stage_run *run, int count, struct error *err);     /* removes these files */

/* For lineage: stage, fingerprint and size of the corpus, or a list of them; and what labelled them. */
json_t *train_corpora_describe(const struct train_corpora *c);
void train_corpora_teachers(const struct train_corpora *c, json_t *teachers);

#endif
