#ifndef CORPORA_SOURCES_H
#define CORPORA_SOURCES_H

#include <stddef.h>

#include "corpora/import.h"

/* Several corpora that become one.  A YAML file lists them; each row may have any import option, and
 *
 *     - { source: europarl.en.gz, target: europarl.de.gz }
 *     - { source: memory.tmx, source-lang: en, target-lang: de, weight: 3 }
 *     - { source: news.bt.en, target: news.de, tag: <bt>, train-only: true }
 *
 * weight      each pair appears so often in the training set: 3 thrice, 0.5 every second one, chosen
 *             by a hash of it; held-out sets have it once
 * tag         stands, with a space, before each source sentence
 * train-only  keeps it out of held-out sets */
struct corpus_source {
    char *source, *target;
    float weight;
    char *tag;
    bool train_only;
    struct import_config import;
};

struct corpus_sources {
    struct corpus_source *items;
    size_t count;
};

/* The rows of a file; options that a row does not have are those of `usual`. */
int sources_load(struct corpus_sources *out, const char *path, const struct import_config *usual,
                 struct error *err);
/* One corpus, of weight 1. */
void sources_single(struct corpus_sources *out, const char *source, const char *target,
                    const struct import_config *import);
void sources_release(struct corpus_sources *s);

#endif
