#include "tests/fuzz/fuzz.h"

int fuzz_csv(const uint8_t *data, size_t size)
{
    fuzz_import("csv", "source-field=en target-field=2", data, size);
    return fuzz_import("csv", "separator=; bad-utf8=replace", data, size);
}
