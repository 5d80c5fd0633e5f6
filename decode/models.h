#ifndef DECODE_MODELS_H
#define DECODE_MODELS_H

#include "base/option.h"
#include "base/strbuf.h"
#include "decode/translate.h"
#include "seq2seq/model.h"

struct error;

/* Models that speak as one, or teach together.
 *
 *     struct models m = { 0 };
 *     if (models_open(&m, &folders, PRODUCTS_STORED, "--weights", &weights, average, err) == 0)
 *             translator = models_translator(&m);
 *     models_release(&m);             // whatever came of it
 */
/* In the order of enum average, as options call them. */
extern const char *const average_names[], *const mean_names[];

struct models {
    struct model **items;
    int count;
    float *weights;                     /* one a model; NULL: equal ones */
    struct ensemble *ensemble;          /* of two or more, once they are joined */
};

/* use: how they are to multiply (enum precision_of_products), to decode and score with; or whole. */
enum { MODELS_WHOLE = -1 };
int models_load(struct models *m, const struct strings *folders, int use, struct error *err);

/* As the option of that name says, one a model; none are equal ones. */
int models_weigh(struct models *m, const char *option, const struct strings *weights, struct error *err);
/* The same before any model is there; *out is NULL for none, else the caller's. */
int model_weights_parse(float **out, const char *option, const struct strings *weights, int models, struct error *err);

/* What commands let say of several models, and of how they multiply. */
struct ensemble_config {
    struct strings weights;
    int average;                        /* enum average */
    int products;                       /* enum precision_of_products */
};
extern const struct option ensemble_options[];

/* Loads, weighs, and makes one of several.  weights NULL: there is no such option. */
int models_open(struct models *m, const struct strings *folders, int use, const char *option,
                const struct strings *weights, enum average average, struct error *err);
/* The same to decode and score with, as the option --weights and the others of ensemble_options say. */
int models_open_ensemble(struct models *m, const struct strings *folders, const struct ensemble_config *config,
                         struct error *err);
struct translator models_translator(const struct models *m);

const struct model *const *models_list(const struct models *m);         /* borrowed */
int models_max_length(const struct models *m);  /* the least limit on a sentence's tokens; 0: none */

void models_release(struct models *m);

#endif
