/* Soft targets: what is written comes back, in order, and only to the corpus that it belongs to. */
#include "tests/test.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/soft_format.h"
#include "corpora/soft_targets.h"
#include "tests/corpora/random_store.h"

enum { SENTENCES = 120, LONGEST = 12, SEED = 3, K = 4 };

struct made {
    int vocab;
    float mass;
    uint64_t teacher, target_vocab;
};
static const struct made usual = { 30000, 1, 77, 222 }, wide = { 100000, 1, 77, 222 };

/* The made-up teacher's entries of a row: fewer where the row number says so. */
static int entries_of(struct soft_entry *e, int64_t sentence, int row, int vocab, double *rest)
{
    int n = 1 + (int)((sentence + row) % K);
    double left = 1;
    for (int i = 0; i < n; i++) {
        double p = left * 0.6;
        e[i] = (struct soft_entry){ (int32_t)((sentence * 31 + row * 7 + i) * 2654435761u % (uint32_t)vocab),
                                    (float)log(p) };
        left -= p;
    }
    *rest = left;
    return n;
}

static bool is_missing(int64_t sentence)
{
    return sentence % 17 == 5;
}

static void write_sentence(struct soft_writer *w, int64_t i, int vocab)
{
    int32_t ids[2][LONGEST];
    int count[2];
    struct soft_entry e[K];
    struct error err = { 0 };
    double rest;
    random_store_lengths(i, LONGEST, SEED, &count[0], &count[1]);
    for (int side = 0; side < 2; side++)
        for (int k = 0; k < count[side]; k++)
            ids[side][k] = random_store_token(i, k, side);
    for (int r = 0; r <= count[1] && !is_missing(i); r++) {
        int n = entries_of(e, i, r, vocab, &rest);
        soft_writer_row(w, e, n, rest, -0.25f * (float)(r + 1));
    }
    assert_int_equal(soft_writer_sentence(w, ids[0], count[0], ids[1], count[1], &err), 0);
}

static void write_shard(const char *path, int64_t first, int64_t last, struct made made)
{
    struct error err = { 0 };
    json_t *about = json_pack("{s:s, s:[{s:s, s:s}]}", "source", "some.en", "teachers", "model", "teacher",
                              "fingerprint", "00000000000000aa");
    struct soft_shape shape = { first, made.vocab, K, made.mass, 1, 111, made.target_vocab, made.teacher, about };
    struct soft_writer *w = soft_writer_new(path, &shape, &err);
    assert_non_null(w);
    for (int64_t i = first; i < last; i++)
        write_sentence(w, i, made.vocab);
    if (soft_writer_commit(w, &err) < 0)
        fail_msg("%s", err.text);
    json_decref(about);
}

/* A folder of three shards. */
static const char *write_all(const char *name, struct made made)
{
    static char folder[4096];
    struct error err = { 0 };
    static const int64_t ends[] = { 0, 50, 51, SENTENCES };
    snprintf(folder, sizeof folder, "%s", scratch_path(name));
    assert_int_equal(dir_make(folder, &err), 0);
    for (int i = 0; i < 3; i++) {
        char *path = xasprintf("%s/%d.soft", folder, 9 - i);    /* names are not the order */
        write_shard(path, ends[i], ends[i + 1], made);
        free(path);
    }
    return folder;
}

static struct soft_targets *open_all(const char *path)
{
    struct error err = { 0 };
    struct soft_targets *s = soft_targets_open(path, true, &err);
    if (!s)
        fail_msg("%s", err.text);
    return s;
}

static int target_count(int64_t sentence)
{
    int source, target;
    random_store_lengths(sentence, LONGEST, SEED, &source, &target);
    return target;
}

static void assert_rows(const struct soft_rows *r, int from, int64_t sentence, int vocab)
{
    struct soft_entry e[K];
    double rest;
    for (int i = 0; i <= target_count(sentence); i++) {
        int at = r->start[from + i], n = r->start[from + i + 1] - at;
        if (is_missing(sentence)) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_int_equal(n, entries_of(e, sentence, i, vocab, &rest));
        for (int k = 0; k < n; k++) {
            assert_int_equal(r->id[at + k], e[k].id);
            assert_float_equal(r->p[at + k], expf(e[k].logp), 0.005 * (double)r->p[at + k]);
        }
        assert_float_equal(r->tail[from + i], rest, 0.005 * rest);
        assert_float_equal(r->gold_logp[from + i], -0.25f * (float)(i + 1), 0.01);
    }
}

static void rows_come_back(struct made made)
{
    struct soft_targets *s = open_all(write_all(made.vocab > 65536 ? "wide" : "narrow", made));
    struct soft_rows rows = { 0 };
    static const int64_t wanted[] = { 119, 0, 50, 5, 49, 51, 7, 118, 22 };
    int at = 0;
    for (int pass = 0; pass < 2; pass++) {
        soft_rows_reset(&rows);
        at = 0;
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            soft_rows_add(&rows, s, wanted[i], target_count(wanted[i]) + 1);
            assert_rows(&rows, at, wanted[i], made.vocab);
            at += target_count(wanted[i]) + 1;
        }
        assert_int_equal(rows.rows, at);
    }
    assert_int_equal(soft_targets_info(s)->sentences, SENTENCES);
    assert_int_equal(soft_targets_info(s)->missing, 7);
    soft_rows_release(&rows);
    soft_targets_close(s);
}

static void what_is_written_comes_back_in_any_order(void **state)
{
    rows_come_back(usual);
    rows_come_back(wide);
}

static void disk_size_is_told_beforehand(void **state)
{
    struct soft_targets *s = open_all(write_all("narrow", usual));
    const struct soft_info *info = soft_targets_info(s);
    char *path;
    size_t bytes = 0, length;
    for (int i = 7; i <= 9; i++) {
        char *text;
        path = xasprintf("%s/%d.soft", soft_targets_path(s), i);
        assert_int_equal(file_read(&text, &length, path, NULL), 0);
        bytes += length;
        free(text);
        free(path);
    }
    double told = soft_targets_bytes((double)info->sentences, (double)info->rows, (double)info->entries,
                                     info->vocab);
    assert_true(told <= (double)bytes && (double)bytes < told + 3 * 400);
    soft_targets_close(s);
}

/* ---- which corpus ---- */

static void corpus_is_bound_when_its_pairs_are_the_sentences(void **state)
{
    struct error err = { 0 };
    struct soft_targets *s = open_all(write_all("narrow", usual));
    struct store *corpus = random_store(scratch_path("corpus"), SENTENCES, LONGEST, SEED);
    if (soft_targets_bind(s, corpus, &err) < 0)
        fail_msg("%s", err.text);
    store_close(corpus);
    soft_targets_close(s);
}

static void add_pair(struct store_writer *w, const struct store *from, int64_t i)
{
    int source_count, count;
    const int32_t *source = store_source(from, i, &source_count), *target = store_target(from, i, &count);
    assert_int_equal(store_writer_add(w, source, source_count, target, count, NULL), 0);
}

/* The pairs of a random corpus whose numbers are given. */
static struct store *subset(const char *path, const int64_t *pairs, int count)
{
    struct store *all = random_store(scratch_path("all"), SENTENCES, LONGEST, SEED);
    struct store_writer *w = store_writer_new(path, 111, 222, NULL);
    for (int i = 0; i < count; i++)
        add_pair(w, all, pairs[i]);
    assert_int_equal(store_writer_commit(w, NULL), 0);
    store_close(all);
    return store_open(path, true, NULL);
}

static void filtered_corpus_finds_its_sentences(void **state)
{
    static const int64_t kept[] = { 2, 3, 40, 50, 51, 90 };
    struct soft_targets *s = open_all(write_all("narrow", usual));
    struct store *corpus = subset(scratch_path("subset"), kept, 6);
    struct soft_rows rows = { 0 };
    int at = 0;
    assert_int_equal(soft_targets_bind(s, corpus, NULL), 0);
    for (int i = 0; i < 6; i++) {
        soft_rows_add(&rows, s, i, target_count(kept[i]) + 1);
        assert_rows(&rows, at, kept[i], usual.vocab);
        at += target_count(kept[i]) + 1;
    }
    soft_rows_release(&rows);
    store_close(corpus);
    soft_targets_close(s);
}

static void assert_refused(const struct store *corpus, struct made made, const char *const *says)
{
    struct error err = { 0 };
    struct soft_targets *s = open_all(write_all("refused", made));
    assert_int_equal(soft_targets_bind(s, corpus, &err), -1);
    for (; *says; says++)
        if (!strstr(err.text, *says))
            fail_msg("'%s' is not in: %s", *says, err.text);
    soft_targets_close(s);
}

static void another_corpus_is_refused_by_both_names(void **state)
{
    static const int64_t shuffled[] = { 3, 2 };
    const char *const says[] = { "some.en", "/other", "pair 1 ", "fingerprint", NULL };
    const char *const order[] = { "some.en", "/order", "pair 2 ", NULL };
    struct store *other = random_store(scratch_path("other"), SENTENCES, LONGEST, SEED + 1);
    assert_refused(other, usual, says);
    store_close(other);
    struct store *corpus = subset(scratch_path("order"), shuffled, 2);
    assert_refused(corpus, usual, order);
    store_close(corpus);
}

static void another_vocabulary_is_refused_by_both_names(void **state)
{
    const char *const says[] = { "target", "refused", "/corpus", "00000000000000de", "00000000000000df", NULL };
    struct store *corpus = random_store(scratch_path("corpus"), SENTENCES, LONGEST, SEED);
    struct made made = usual;
    made.target_vocab = 0xdf;           /* 222 is 0xde */
    assert_refused(corpus, made, says);
    store_close(corpus);
}

static void another_teacher_is_refused_by_both_names(void **state)
{
    struct error err = { 0 };
    struct soft_targets *s = open_all(write_all("narrow", usual));
    uint64_t right = 0xaa, wrong = 0xbb, both[] = { 0xaa, 0xbb };
    assert_int_equal(soft_targets_check_teachers(s, &right, 1, "mine", &err), 0);
    assert_int_equal(soft_targets_check_teachers(s, both, 2, "mine", &err), -1);
    assert_non_null(strstr(err.text, "not by the 2 of 'mine' (fingerprint 00000000000000aa)"));
    assert_int_equal(soft_targets_check_teachers(s, &wrong, 1, "mine", &err), -1);
    assert_non_null(strstr(err.text, "'teacher', fingerprint 00000000000000aa"));
    assert_non_null(strstr(err.text, "'mine' (fingerprint 00000000000000bb)"));
    soft_targets_close(s);
}

/* ---- which shards ---- */

static void refused_to_open(const char *path, const char *says)
{
    struct error err = { 0 };
    assert_null(soft_targets_open(path, true, &err));
    if (!strstr(err.text, says))
        fail_msg("'%s' is not in: %s", says, err.text);
}

static void shards_are_found_in_a_folder_of_labels(void **state)
{
    struct error err = { 0 };
    char *folder = xstrdup(scratch_path("labels")), *inner = path_join(folder, "soft"), *path = path_join(inner, "0.soft");
    assert_int_equal(dir_make(folder, &err), 0);
    assert_int_equal(dir_make(inner, &err), 0);
    refused_to_open(folder, "labels/soft' holds no soft targets");
    write_shard(path, 0, 9, usual);
    struct soft_targets *s = soft_targets_open(folder, true, &err);
    assert_non_null(s);
    assert_string_equal(soft_targets_path(s), inner);
    soft_targets_close(s);
    free(path);
    free(inner);
    free(folder);
}

static void a_store_that_ends_early_says_so(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("early.soft");
    struct store *corpus = random_store(scratch_path("corpus"), SENTENCES, LONGEST, SEED);
    write_shard(path, 0, 30, usual);
    struct soft_targets *s = soft_targets_open(path, true, &err);
    assert_int_equal(soft_targets_bind(s, corpus, &err), -1);
    assert_non_null(strstr(err.text, "are of the first 30 of the 120 pairs"));
    soft_targets_close(s);
    store_close(corpus);
}

static void missing_and_foreign_shards_are_refused(void **state)
{
    char *folder = xstrdup(write_all("gaps", usual)), *path = xasprintf("%s/8.soft", folder);
    struct made other = usual;
    unlink(path);
    refused_to_open(folder, "begins with sentence 52 where 51 should follow");
    other.teacher = 78;
    write_shard(path, 50, 51, other);
    refused_to_open(folder, "different teachers");
    write_shard(path, 49, 51, usual);
    refused_to_open(folder, "missing or doubled");
    free(path);
    path = xasprintf("%s/9.soft", folder);
    unlink(path);
    refused_to_open(folder, "sentence 1 is missing");
    refused_to_open(scratch_path("nothing"), "nothing");
    assert_int_equal(dir_make(scratch_path("void"), NULL), 0);
    refused_to_open(scratch_path("void"), "holds no soft targets");
    free(path);
    free(folder);
}

/* Every byte of a shard matters: changed or missing, it is refused; and where the checksums are
 * passed over, nothing is read that lies outside. */
static void damage_is_refused(void **state)
{
    const char *path = scratch_path("damaged.soft");
    struct error err = { 0 };
    char *text;
    size_t length;
    write_shard(path, 0, 9, usual);
    assert_int_equal(file_read(&text, &length, path, &err), 0);
    for (size_t at = 0; at < length; at++) {
        text[at] ^= 0x41;
        assert_int_equal(file_write(path, text, length, &err), 0);
        struct soft_targets *s = soft_targets_open(path, true, &err);
        assert_null(s);
        if ((s = soft_targets_open(path, false, &err))) {
            struct soft_rows rows = { 0 };
            for (int i = 0; i < 9; i++)
                soft_rows_add(&rows, s, i, target_count(i) + 1);
            soft_rows_release(&rows);
            soft_targets_close(s);
        }
        text[at] ^= 0x41;
    }
    for (size_t cut = 0; cut < length; cut++) {
        assert_int_equal(file_write(path, text, cut, &err), 0);
        assert_null(soft_targets_open(path, false, &err));
    }
    free(text);
}

static void sentence_has_as_many_rows_as_tokens(void **state)
{
    struct error err = { 0 };
    struct soft_shape shape = { 0, 100, K, 1, 1, 1, 2, 3, NULL };
    struct soft_writer *w = soft_writer_new(scratch_path("rows.soft"), &shape, &err);
    const int32_t ids[2] = { 4, 5 };
    soft_writer_row(w, &(struct soft_entry){ 1, -1 }, 1, 0.5, -1);
    assert_int_equal(soft_writer_sentence(w, ids, 2, ids, 2, &err), -1);
    assert_non_null(strstr(err.text, "2 target tokens but 1 rows"));
    soft_writer_abort(w);
    assert_int_equal(access(scratch_path("rows.soft"), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back_in_any_order),
        cmocka_unit_test(disk_size_is_told_beforehand),
        cmocka_unit_test(corpus_is_bound_when_its_pairs_are_the_sentences),
        cmocka_unit_test(filtered_corpus_finds_its_sentences),
        cmocka_unit_test(another_corpus_is_refused_by_both_names),
        cmocka_unit_test(another_vocabulary_is_refused_by_both_names),
        cmocka_unit_test(another_teacher_is_refused_by_both_names),
        cmocka_unit_test(shards_are_found_in_a_folder_of_labels),
        cmocka_unit_test(a_store_that_ends_early_says_so),
        cmocka_unit_test(missing_and_foreign_shards_are_refused),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(sentence_has_as_many_rows_as_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
