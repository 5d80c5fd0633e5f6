#ifndef DECODE_TRANSLATOR_H
#define DECODE_TRANSLATOR_H

#include "seq2seq/stepper.h"
#include "seq2seq/teacher.h"

struct error;
struct model;
struct tokenizer;

/* What translates, seen from outside: steppers over shared weights, and a vocabulary a side.
 * Plain borrowed pointers; what they point at must outlive all use. */
struct translator {
    const struct tokenizer *source, *target;
    int max_length;             /* tokens that a sentence of either side may have; 0: any */
    const struct model *single; /* where one model is all there is, for whole-sentence passes */
    const void *arg;
    int (*stepper_new)(struct stepper *out, const void *arg, struct error *err);
};

struct translator translator_of_model(const struct model *m);

/* Several models that step as one.  Their target vocabularies must be equal, and so must their
 * source vocabularies; architectures and sizes may differ. */
struct ensemble;
/* weight: one a model, above 0, made to sum to 1; NULL: equal ones.  Models are borrowed; NULL: refused. */
struct ensemble *ensemble_new(const struct model *const *models, const float *weight, int count,
                              enum average average, struct error *err);
void ensemble_free(struct ensemble *e);
struct translator translator_of_ensemble(const struct ensemble *e);

/* The stepper beneath: takes over `count` steppers of one vocabulary, freed with it.  share sums to
 * 1; NULL: equal ones. */
struct stepper ensemble_stepper(const struct stepper *members, const float *share, int count,
                                enum average average);

#endif
