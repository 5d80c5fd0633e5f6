#include "tests/fuzz/fuzz.h"

int fuzz_xliff(const uint8_t *data, size_t size)
{
    return fuzz_import("xliff", "", data, size);
}
