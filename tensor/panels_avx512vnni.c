/* The products for one instruction set; flags in tensor/module.cmake. */
#define PANELS panels_avx512vnni
#include "tensor/panels.inc"
