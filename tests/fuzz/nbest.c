#include "tests/fuzz/fuzz.h"

#include "decode/nbest.h"

int fuzz_nbest(const uint8_t *data, size_t size)
{
    struct nbest n = { 0 };
    if (nbest_open(&n, fuzz_file(data, size), NULL) < 0)
        return 0;
    while (nbest_next(&n, NULL) > 0)
        ;
    nbest_close(&n);
    return 0;
}
