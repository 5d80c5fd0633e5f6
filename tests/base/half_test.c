/* Half precision against the definition: the nearest of all 65536 values, ties to even. */
#include "tests/test.h"

#include "base/half.h"
#include "base/rng.h"

static float value_of(uint16_t h)
{
    int exponent = h >> 10 & 31, fraction = h & 1023;
    float x = exponent == 31 ? fraction ? NAN : INFINITY
              : exponent ? ldexpf((float)(1024 + fraction), exponent - 25) : ldexpf((float)fraction, -24);
    return h & 0x8000 ? -x : x;
}

static void every_half_has_its_value(void **state)
{
    for (uint32_t h = 0; h < 65536; h++) {
        float is = half_to_float((uint16_t)h), should = value_of((uint16_t)h);
        if (isnan(should)) {
            assert_true(isnan(is));
            continue;
        }
        assert_memory_equal(&is, &should, sizeof is);
        assert_int_equal(half_from_float(is), h);
    }
    assert_true(isnan(half_to_float(half_from_float(NAN))));
}

static void assert_nearest(float x)
{
    uint16_t h = half_from_float(x), below = (uint16_t)(h - 1), above = (uint16_t)(h + 1);
    float is = half_to_float(h), away = fabsf(is - x);
    if ((h & 0x7fff) == 0x7c00) {                       /* as if 65536 followed 65504 */
        assert_true(fabsf(x) >= 65520);
        return;
    }
    float other = (h & 0x7fff) == 0 ? half_to_float(1) : fabsf(half_to_float(below) - x);
    assert_true(away <= other);
    if (away == other && (h & 0x7fff))
        assert_int_equal(h & 1, 0);
    other = fabsf((above & 0x7fff) == 0x7c00 ? copysignf(65536, x) - x : half_to_float(above) - x);
    assert_true(away <= other);
    if (away == other)
        assert_int_equal(h & 1, 0);
}

static void conversion_goes_to_the_nearest(void **state)
{
    for (uint64_t i = 0; i < 300000; i++) {
        uint64_t r = rng_mix(i);
        assert_nearest(ldexpf((float)(int32_t)r / 2147483648.0f, (int)(r >> 40) % 48 - 30));
    }
    for (uint32_t h = 0; h < 0x7bff; h++)               /* ties */
        assert_nearest((half_to_float((uint16_t)h) + half_to_float((uint16_t)(h + 1))) / 2);
    assert_nearest(65519.99f);
    assert_int_equal(half_from_float(65520), 0x7c00);
    assert_int_equal(half_from_float(-1e30f), 0xfc00);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_has_its_value),
        cmocka_unit_test(conversion_goes_to_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
