#include "tests/fuzz/fuzz.h"

int fuzz_mo(const uint8_t *data, size_t size)
{
    return fuzz_import("mo", "bad-utf8=replace", data, size);
}
