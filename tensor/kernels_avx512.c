/* The kernels for one instruction set; flags in tensor/module.cmake. */
#define KERNELS kernels_avx512
#include "tensor/kernels.inc"
