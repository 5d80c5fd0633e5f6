#include "tests/fuzz/fuzz.h"

int fuzz_wmt(const uint8_t *data, size_t size)
{
    return fuzz_import("wmt", "", data, size);
}
