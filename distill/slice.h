#ifndef DISTILL_SLICE_H
#define DISTILL_SLICE_H

#include <stdbool.h>

#include "seq2seq/model.h"

struct error;

/* The slim network inside a model: the leading channels of every layer, which are a model of
 * their own (KELS, Taha 2021).  Heads keep their width, so there are fewer of them. */

/* The shape of the slim network with so large a share of the width; refuses models that have none. */
int slice_config(struct model_config *out, const struct model_config *whole, float share, struct error *err);

/* Where the weights of a slim parameter stand in the whole one: of its row i, row[i] of the whole,
 * and so the columns.  Arrays of `rows` and `cols` of the slim one; the caller's. */
void slice_places(int **row, int **col, const struct model *whole, const struct param *p,
                  const struct param *slim);

/* Whether each weight of the slim set, known by name, fits into the whole one's; the first that does not is named. */
int slice_fits(const struct param_set *slim, const struct param_set *whole, struct error *err);

/* Fills the slim model from the whole one, which it must fit into. */
int slice_copy(struct model *slim, const struct model *whole, struct error *err);

#endif
