#ifndef DISTILL_INITIAL_H
#define DISTILL_INITIAL_H

#include <stdint.h>

#include "base/option.h"
#include "base/strbuf.h"

struct error;
struct model;
struct model_config;

/* Where a student's weights start when not at random: from those of another model.
 *
 *     whole       every weight; the shapes must be the same
 *     layers      some layers of a deeper model: "shrink and fine-tune"
 *     slice       the leading channels of a wider model
 *
 * `reset` then gives a part of them up again for the student's own random ones (knowledge
 * evolution, Taha 2021): by kels all but the leading channels, by wels a random part, the same
 * in every generation. */
enum start_by { START_WHOLE, START_LAYERS, START_SLICE };
enum reset { RESET_NONE, RESET_KELS, RESET_WELS };

struct initial_config {
    int by;                             /* enum start_by */
    struct strings encoder, decoder;    /* layers: of the other model, one for each of this one's */
    int reset;                          /* enum reset */
    float keep;                         /* the share that is not reset: of the width, or of the weights */
    int64_t mask_seed;                  /* wels */
};
extern const struct option initial_options[];

/* What can be told before any model is there; `start`: there is a model to start from, and the model that
 * starts has so many layers. */
int initial_check(const struct initial_config *c, bool start, int encoder_layers, int decoder_layers, struct error *err);

/* Whether a model of the one shape can start so from one of the other: all that initial_start would refuse but
 * other vocabularies. */
int initial_fits(const struct model_config *config, const struct model_config *from, const struct initial_config *c,
                 struct error *err);

/* m has random weights of its own.  The vocabularies must be equal; else, and where a shape does
 * not fit, the first difference is named. */
int initial_start(struct model *m, const struct model *from, const struct initial_config *c, struct error *err);

/* Copies every weight that both have by name and shape: a student of other tasks starts with the
 * encoder of one that was trained before.  The vocabularies must be the same; that nothing fits
 * is an error. */
int initial_shared(struct model *m, const struct model *from, struct error *err);

#endif
