#include "tests/fuzz/fuzz.h"

int fuzz_jsonl(const uint8_t *data, size_t size)
{
    return fuzz_import("jsonl", "source-lang=en target-lang=de", data, size);
}
