#ifndef DISTILL_DERIVED_CORPUS_H
#define DISTILL_DERIVED_CORPUS_H

#include <stdint.h>

#include "base/file.h"
#include "distill/corpus_files.h"
#include "distill/stage.h"

/* A training set that a stage makes from another one, pair by pair, each with the line that it comes
 * from; dev and test sets stay those of the corpus before.
 *
 *     struct derived d = { 0 };
 *     if (derived_open(&d, run, source_lang, target_lang, weighted, err) < 0) …
 *     derived_add(&d, "ein Haus", "a house", 17, 1);
 *     ret = derived_finish(&d, &before, &about, err);
 *     derived_abort(&d);                      // harmless after the finish
 *
 * The files are train.<language>, train.lines and, where pairs count differently, train.weights. */
struct derived {
    struct stage_run *run;      /* borrowed */
    struct outfile source, target, lines, weights;      /* weights: only where wanted */
    int64_t pairs;
    char *source_lang, *target_lang;
};
int derived_open(struct derived *d, struct stage_run *run, const char *source_lang, const char *target_lang,
                 bool weighted, struct error *err);
void derived_add(struct derived *d, const char *source, const char *target, int64_t line, double weight);

/* Writes the files and corpus.json, and names them as the stage's outputs.  `about` gives gold, nbest,
 * soft and teacher as they shall stand there (borrowed); dev and test are those of `before`. */
int derived_finish(struct derived *d, const struct corpus_files *before, const struct corpus_files *about,
                   struct error *err);
void derived_abort(struct derived *d);

#endif
