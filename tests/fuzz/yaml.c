#include "tests/fuzz/fuzz.h"

#include "base/json.h"

int fuzz_yaml(const uint8_t *data, size_t size)
{
    json_t *root = yaml_read(fuzz_file(data, size), NULL);
    if (!root)
        return 0;
    yaml_line(root, "stages/teacher");
    yaml_forget(root);
    json_decref(root);
    return 0;
}
