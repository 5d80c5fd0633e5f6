#ifndef CORPORA_CLEAN_SOURCES_H
#define CORPORA_CLEAN_SOURCES_H

#include "corpora/clean.h"
#include "corpora/sources.h"

/* What is read: the two files, of which the second may be missing, or the list of config->sources; not both.
 * The caller's to release, after an error, too. */
int clean_sources_open(struct corpus_sources *out, const char *source, const char *target,
                       const struct clean_config *config, struct error *err);

/* Whether they have two sides, in which all must agree. */
int clean_sources_paired(bool *out, const struct corpus_sources *sources, struct error *err);

/* An error where `output` is one of the files that are read; it may be NULL. */
int clean_sources_spare(const char *output, const struct corpus_sources *sources, const struct clean_config *config,
                        struct error *err);

#endif
