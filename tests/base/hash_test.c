#include "tests/test.h"

#include "base/error.h"
#include "base/hash.h"

/* `xxhsum -H3` of nothing and of "a" says the same. */
static void hashes_are_xxh3(void **state)
{
    char text[HASH_TEXT];
    hash_text(text, hash_bytes(NULL, 0, 0));
    assert_string_equal(text, "2d06800538d394c2");
    hash_text(text, hash_bytes("a", 1, 0));
    assert_string_equal(text, "e6c632b61e964e1f");
}

static void seed_changes_the_hash(void **state)
{
    assert_true(hash_bytes("coho", 4, 0) != hash_bytes("coho", 4, 1));
}

static void file_hashes_as_its_bytes(void **state)
{
    static char text[1000000];
    struct error err = { 0 };
    uint64_t hash;
    const char *path = scratch_path("hashed");
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    write_text(path, text);
    assert_int_equal(hash_file(&hash, path, &err), 0);
    assert_int_equal(hash, hash_bytes(text, sizeof text - 1, 0));
    write_text(path, "");
    assert_int_equal(hash_file(&hash, path, &err), 0);
    assert_int_equal(hash, hash_bytes("", 0, 0));
}

static void stream_hashes_as_its_bytes(void **state)
{
    struct hash_stream *s = hash_stream_new();
    char text[3000];
    memset(text, 7, sizeof text);
    for (size_t at = 0; at < sizeof text; at += 60) {
        assert_true(hash_stream_digest(s) == hash_bytes(text, at, 0));
        hash_stream_add(s, text + at, 60);
    }
    assert_true(hash_stream_digest(s) == hash_bytes(text, sizeof text, 0));
    hash_stream_reset(s);
    assert_true(hash_stream_digest(s) == hash_bytes("", 0, 0));
    hash_stream_free(s);
}

static void missing_file_is_named(void **state)
{
    struct error err = { 0 };
    uint64_t hash = 5;
    assert_int_equal(hash_file(&hash, "/no/such/file", &err), -1);
    assert_string_equal(err.text, "cannot read /no/such/file: No such file or directory");
    assert_int_equal(hash_file(&hash, "/tmp", &err), -1);
    assert_int_equal(hash, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_xxh3),
        cmocka_unit_test(seed_changes_the_hash),
        cmocka_unit_test(file_hashes_as_its_bytes),
        cmocka_unit_test(stream_hashes_as_its_bytes),
        cmocka_unit_test(missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
