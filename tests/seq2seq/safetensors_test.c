/* Files of tensors: sizes beyond 32 bits. */
#include "tests/test.h"

#include "base/error.h"
#include "seq2seq/safetensors.h"

/* All weights of a model are one vector in a checkpoint; there may be more than 2³¹ of them. */
static void lengths_are_compared_in_64_bits(void **state)
{
    const char *path = scratch_path("three.safetensors");
    const unsigned char bytes[] = { 1, 2, 3 };
    const struct safetensors_entry entry = { "three", 0, 3, bytes, DTYPE_U8 };
    struct safetensors st = { 0 };
    struct error err = { 0 };
    assert_int_equal(safetensors_write(path, &entry, 1, NULL, &err), 0);
    assert_int_equal(safetensors_open(&st, path, &err), 0);
    assert_non_null(safetensors_find_as(&st, DTYPE_U8, "three", 0, 3, &err));
    assert_null(safetensors_find_as(&st, DTYPE_U8, "three", 0, ((int64_t)1 << 32) + 3, &err));
    assert_non_null(strstr(err.text, "[1,4294967299] is needed"));
    safetensors_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lengths_are_compared_in_64_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
