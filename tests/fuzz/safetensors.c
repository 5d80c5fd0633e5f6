#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "seq2seq/safetensors.h"

int fuzz_safetensors(const uint8_t *data, size_t size)
{
    struct safetensors st = { 0 };
    const char *name;
    json_t *value;
    size_t sum = 0;
    if (safetensors_open(&st, fuzz_file(data, size), NULL) < 0)
        return 0;
    safetensors_metadata(&st, "xxh3");
    json_object_foreach(st.header, name, value) {
        const json_t *shape = json_object_get(value, "shape");
        int rows = (int)json_integer_value(json_array_get(shape, 0));
        int cols = (int)json_integer_value(json_array_get(shape, 1));
        if (rows < 1 || cols < 0)
            continue;
        const uint8_t *numbers = json_array_size(shape) == 1
                                     ? safetensors_find(&st, name, 0, rows, NULL)
                                     : safetensors_find(&st, name, rows, cols, NULL);
        size_t count = json_array_size(shape) == 1 ? (size_t)rows : (size_t)rows * (size_t)cols;
        if (numbers && count)
            sum += numbers[4 * count - 1];
    }
    fuzz_use(sum);
    safetensors_close(&st);
    return 0;
}
