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
 * gold, pseudo-labelled, back-translated, and text without translations, whose targets are what the
 * student makes of it at that moment (on_policy.h).  Dev set and languages are the first one's. */
struct train_corpora {
    struct stage_run *run;      /* borrowed */
    int count, labelled;        /* in all; of them, those first, corpora */
    struct corpus_files *files;
    const struct stage_link **links;
    struct store **stores;
    float **pair_weights;       /* NULL where a corpus has none */
    struct batch_source *labelling;     /* of unlabelled text, by its number: the source, borrowed */
    int64_t skipped;            /* pairs that are too long */
};

/* What stands under the stage's inputs `corpus` and `unlabelled`. */
int train_corpora_read(struct train_corpora *c, struct stage_run *run, struct error *err);

/* Encodes them, as files of the stage's folder that stay while it is at work, and opens them as one
 * source.  longest bounds the student's own targets, in tokens. */
int train_corpora_open(struct train_corpora *c, struct batch_source *out, const struct model *m,
                       const struct mixing_config *mixing, const struct batching_config *batching, int longest,
                       struct error *err);
void train_corpora_release(struct train_corpora *c);    /* after the source is freed */

/* One set of text as ids under that name; of text without translations, each line stands for its own, so
 * that none is left out. */
struct store *train_corpora_encode(const struct stage_run *run, const char *name, const struct corpus_set *set,
                                   const struct model *m, struct error *err);
struct store *train_corpora_encode_unlabelled(const struct stage_run *run, const char *name,
                                              const struct corpus_set *set, const struct model *m, struct error *err);
int train_corpora_clear(const struct stage_run *run, int count, struct error *err);     /* removes these files */

/* As figures, where there is unlabelled text: how many labels it was given, and how many of them were left
 * out, which did not end or were empty.  While the source is open. */
void train_corpora_label_figures(const struct train_corpora *c, json_t *figures);

/* For lineage: stage, fingerprint and size of a corpus that was encoded. */
json_t *train_corpora_describe_one(const struct stage_run *run, const struct stage_link *link, const struct store *store);

/* The same of the corpus, or a list of them, NULL where there is none; and
 * what labelled them. */
json_t *train_corpora_describe(const struct train_corpora *c);
json_t *train_corpora_describe_unlabelled(const struct train_corpora *c);
void train_corpora_teachers(const struct train_corpora *c, json_t *teachers);

#endif
