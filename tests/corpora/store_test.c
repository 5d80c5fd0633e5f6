/* The store of ids: what is written comes back, and what is damaged is refused. */
#include "tests/test.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "corpora/store_format.h"
#include "tests/corpora/random_store.h"

static void assert_side(const int32_t *ids, int count, int wanted, int64_t pair, int side)
{
    assert_int_equal(count, wanted);
    for (int k = 0; k < count; k++)
        assert_int_equal(ids[k], random_store_token(pair, k, side));
}

static void store_gives_back_what_was_written(void **state)
{
    static const int64_t sizes[] = { 0, 1, 2, 3, 100, 20000 };
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        struct store *s = random_store(scratch_path("round.ids"), sizes[n], 60, 7);
        int64_t tokens[2] = { 0, 0 };
        assert_int_equal(store_count(s), sizes[n]);
        for (int64_t i = 0; i < sizes[n]; i++) {
            int source, target, count;
            random_store_lengths(i, 60, 7, &source, &target);
            const int32_t *ids = store_source(s, i, &count);
            assert_side(ids, count, source, i, 0);
            ids = store_target(s, i, &count);
            assert_side(ids, count, target, i, 1);
            tokens[0] += source;
            tokens[1] += target;
        }
        assert_int_equal(store_source_tokens(s), tokens[0]);
        assert_int_equal(store_target_tokens(s), tokens[1]);
        assert_int_equal(store_source_vocab(s), 111);
        assert_int_equal(store_target_vocab(s), 222);
        store_close(s);
    }
}

static uint64_t fingerprint(const char *name, int64_t pairs, uint64_t seed)
{
    struct store *s = random_store(scratch_path(name), pairs, 20, seed);
    uint64_t fingerprint = store_fingerprint(s);
    store_close(s);
    return fingerprint;
}

static void fingerprint_tells_the_ids_and_not_the_path(void **state)
{
    uint64_t print = fingerprint("a.ids", 50, 1);
    assert_true(print == fingerprint("b.ids", 50, 1));
    assert_true(print != fingerprint("c.ids", 50, 2));
    assert_true(print != fingerprint("d.ids", 49, 1));
}

static void write_pairs(const char *path, const int count[2][2])
{
    static const int32_t ids[] = { 1, 2, 3, 4 };
    struct store_writer *w = store_writer_new(path, 0, 0, NULL);
    const int32_t *at = ids;
    for (int i = 0; i < 2; i++) {
        store_writer_add(w, at, count[i][0], at + count[i][0], count[i][1], NULL);
        at += count[i][0] + count[i][1];
    }
    assert_int_equal(store_writer_commit(w, NULL), 0);
}

static void fingerprint_tells_where_sentences_end(void **state)
{
    const char *path[2] = { scratch_path("x.ids"), scratch_path("y.ids") };
    write_pairs(path[0], (const int[2][2]){ { 1, 1 }, { 1, 1 } });
    write_pairs(path[1], (const int[2][2]){ { 1, 2 }, { 0, 1 } });
    struct store *x = store_open(path[0], true, NULL), *y = store_open(path[1], true, NULL);
    assert_true(store_fingerprint(x) != store_fingerprint(y));
    store_close(x);
    store_close(y);
}

static void assert_refused(const char *path, bool verify)
{
    struct error err = { 0 };
    struct store *s = store_open(path, verify, &err);
    assert_null(s);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "build"));
}

static void any_flipped_bit_is_refused(void **state)
{
    const char *path = scratch_path("flip.ids");
    char *bytes;
    size_t length;
    random_store_write(path, 21, 12, 3);
    assert_int_equal(file_read(&bytes, &length, path, NULL), 0);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= (char)(1 << i % 8);
        assert_int_equal(file_write(path, bytes, length, NULL), 0);
        assert_refused(path, true);
        bytes[i] ^= (char)(1 << i % 8);
    }
    free(bytes);
}

/* Even without the checksum, bounds never lead outside the file. */
static void flipped_header_and_bounds_are_safe_without_checksum(void **state)
{
    const char *path = scratch_path("bounds.ids");
    char *bytes;
    size_t length;
    random_store_write(path, 21, 12, 3);
    assert_int_equal(file_read(&bytes, &length, path, NULL), 0);
    size_t bounds_at = length - 8 * (2 * 21 + 1);
    for (size_t i = 0; i < length; i = i + 1 == sizeof(struct store_header) ? bounds_at : i + 1) {
        bytes[i] ^= (char)0x80;
        assert_int_equal(file_write(path, bytes, length, NULL), 0);
        assert_refused(path, false);
        bytes[i] ^= (char)0x80;
    }
    free(bytes);
}

static void truncated_or_longer_store_is_refused(void **state)
{
    const char *path = scratch_path("cut.ids");
    char *bytes;
    size_t length;
    random_store_write(path, 21, 12, 3);
    assert_int_equal(file_read(&bytes, &length, path, NULL), 0);
    for (size_t size = 0; size < length; size += size < 110 ? 1 : 37) {
        assert_int_equal(file_write(path, bytes, size, NULL), 0);
        assert_refused(path, false);
    }
    bytes = realloc(bytes, length + 1);
    assert_int_equal(file_write(path, bytes, length + 1, NULL), 0);
    assert_refused(path, true);
    free(bytes);
}

static void other_files_are_no_stores(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("text.ids");
    write_text(path, "just a line of text that is longer than a header ought to be, is it not? "
                     "Well, it is by now.\n");
    assert_null(store_open(path, true, &err));
    assert_non_null(strstr(err.text, "is no store of ids"));
    assert_null(store_open(scratch_path("absent.ids"), true, &err));
    assert_non_null(strstr(err.text, "absent.ids"));
}

static void aborted_writer_leaves_nothing(void **state)
{
    char folder[4096];
    struct error err = { 0 };
    snprintf(folder, sizeof folder, "%s", scratch_path("folder"));
    assert_int_equal(dir_make(folder, &err), 0);
    char *path = path_join(folder, "a.ids");
    struct store_writer *w = store_writer_new(path, 0, 0, &err);
    assert_int_equal(store_writer_add(w, (int32_t[]){ 1 }, 1, (int32_t[]){ 2 }, 1, &err), 0);
    store_writer_abort(w);
    assert_int_equal(rmdir(folder), 0);         /* it is empty */
    assert_null(store_writer_new(path, 0, 0, &err));
    assert_non_null(strstr(err.text, path));
    free(path);
}

/* A limit on the size of files stands in for the full disk. */
static int write_much(const char *path, struct error *err)
{
    static int32_t ids[1000];
    struct rlimit before, small;
    int ret = 0;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 3 << 20, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    struct store_writer *w = store_writer_new(path, 0, 0, err);
    for (int i = 0; !ret && i < 1000; i++)
        ret = store_writer_add(w, ids, 1000, ids, 1000, err);
    if (ret < 0)
        store_writer_abort(w);
    else
        ret = store_writer_commit(w, err);
    setrlimit(RLIMIT_FSIZE, &before);
    return ret;
}

static void full_disk_is_an_error_and_keeps_the_old_store(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("full.ids");
    random_store_write(path, 21, 12, 3);
    assert_int_equal(write_much(path, &err), -1);
    assert_non_null(strstr(err.text, path));
    struct store *s = store_open(path, true, &err);
    assert_int_equal(store_count(s), 21);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_gives_back_what_was_written),
        cmocka_unit_test(fingerprint_tells_the_ids_and_not_the_path),
        cmocka_unit_test(fingerprint_tells_where_sentences_end),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(flipped_header_and_bounds_are_safe_without_checksum),
        cmocka_unit_test(truncated_or_longer_store_is_refused),
        cmocka_unit_test(other_files_are_no_stores),
        cmocka_unit_test(aborted_writer_leaves_nothing),
        cmocka_unit_test(full_disk_is_an_error_and_keeps_the_old_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
