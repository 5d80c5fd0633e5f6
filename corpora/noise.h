#ifndef CORPORA_NOISE_H
#define CORPORA_NOISE_H

#include "corpora/text.h"

/* How unusual the characters of a text are, by a model of character trigrams that is learnt from
 * the corpus itself: tables, code, broken encodings and other languages stand out.
 *
 *     noise_learn(model, line) for some ten thousand lines or more, noise_finish(model),
 *     then noise_score(model, line) for any line, on any thread.
 *
 * A score says by how many standard deviations of lines of its length the text's mean surprise lies
 * above that of the corpus. */
struct noise_model;
struct noise_model *noise_new(void);
void noise_learn(struct noise_model *m, struct text t);
void noise_finish(struct noise_model *m);
double noise_score(const struct noise_model *m, struct text t);
void noise_free(struct noise_model *m);

#endif
