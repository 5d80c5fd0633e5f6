#include "tests/fuzz/fuzz.h"

int fuzz_tmx(const uint8_t *data, size_t size)
{
    return fuzz_import("tmx", "source-lang=en target-lang=de", data, size);
}
