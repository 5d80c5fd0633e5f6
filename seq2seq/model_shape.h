#ifndef SEQ2SEQ_MODEL_SHAPE_H
#define SEQ2SEQ_MODEL_SHAPE_H

#include "seq2seq/model.h"

/* A model without the values of its weights, for model.c, which draws them, and model_files.c, which reads
 * them.  packed: there is to be no block, for matrices that are packed as they are read.  The tokenizers
 * become the model's; NULL: such a model cannot be, and they stay the caller's. */
struct model *model_shape(const struct model_config *config, const struct task *tasks, int task_count,
                          struct tokenizer *source, struct tokenizer *target, bool packed, struct error *err);

#endif
