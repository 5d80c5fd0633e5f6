/* The products for one instruction set; flags in tensor/module.cmake. */
#define PANELS panels_baseline
#include "tensor/panels.inc"
