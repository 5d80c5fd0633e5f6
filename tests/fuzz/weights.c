#include "tests/fuzz/fuzz.h"

#include "seq2seq/model.h"
#include "seq2seq/weights.h"

/* The weights of a small model that no architecture has: a dense matrix, a vector, and any of them
 * packed. */
int fuzz_weights(const uint8_t *data, size_t size)
{
    struct safetensors st = { 0 };
    struct model m = { 0 };
    int ref;
    if (safetensors_open(&st, fuzz_file(data, size), NULL) < 0)
        return 0;
    param_add(&m.params, &ref, INIT_ZERO, 3, 7, "w");
    param_add(&m.params, &ref, INIT_ZERO, 1, 5, "b");
    param_add(&m.params, &ref, INIT_ZERO, 16, 4, "p");
    params_allocate(&m.params);
    weights_read(&m, &st, NULL);
    fuzz_use(m.params.block[0] > 0);
    params_release(&m.params);
    safetensors_close(&st);
    return 0;
}
