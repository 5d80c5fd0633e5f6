#include "tests/fuzz/fuzz.h"

#include "base/json.h"

int fuzz_json(const uint8_t *data, size_t size)
{
    json_t *root = json_read(fuzz_file(data, size), NULL);
    json_decref(root);
    return 0;
}
