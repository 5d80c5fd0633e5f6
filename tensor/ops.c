/* The table of operations; tests/tensor/gradient_test.c checks every row. */
#include "tensor/op_rows.h"

#define ROW(id, name) { #name, name##_backward, name##_sample },
const struct op ops[] = { OP_ROWS(ROW) { 0 } };
#undef ROW
