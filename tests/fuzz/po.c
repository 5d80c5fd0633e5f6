#include "tests/fuzz/fuzz.h"

int fuzz_po(const uint8_t *data, size_t size)
{
    return fuzz_import("po", "unfinished=true bad-utf8=replace", data, size);
}
