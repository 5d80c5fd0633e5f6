/* The table of architectures; see architecture.h for how to add one. */
#include "seq2seq/architecture.h"

#include <stddef.h>

const struct architecture *const architectures[] = {
    &transformer_architecture,
    &lstm_architecture,
    NULL
};
