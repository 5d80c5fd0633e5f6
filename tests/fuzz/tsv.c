#include "tests/fuzz/fuzz.h"

int fuzz_tsv(const uint8_t *data, size_t size)
{
    return fuzz_import("tsv", "", data, size);
}
