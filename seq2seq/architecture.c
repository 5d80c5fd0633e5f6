/* The table of architectures; see architecture.h for how to add one. */
#include "seq2seq/architecture.h"

#include <string.h>

const struct architecture *const architecture_rows[] = {
    &transformer_architecture,
    &lstm_architecture,
    NULL
};
