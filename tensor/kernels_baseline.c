/* The kernels for one instruction set; flags in tensor/module.cmake. */
#define KERNELS kernels_baseline
#include "tensor/kernels.inc"
