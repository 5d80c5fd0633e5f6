/* Damaged batches: how much is gone, what stays, and the exact position. */
#include "tests/test.h"

#include <math.h>

#include "corpora/batching.h"
#include "corpora/damage.h"
#include "tests/corpora/random_store.h"

enum { MASK = 40000, BOS, EOS, LONGEST = 30 };     /* no token of the store */

static struct store *store;

static int open_store(void **state)
{
    store = random_store(scratch_path("damage.ids"), 1000, LONGEST, 21);
    return 0;
}

static int close_store(void **state)
{
    store_close(store);
    return 0;
}

static struct batch_source whole(void)
{
    struct batching_config config = { 0 };
    struct batch_source source;
    struct error err = { 0 };
    options_default((struct option_group[]){ { NULL, batching_options, &config }, { 0 } });
    config.batch_tokens = 300;
    config.seed = 3;
    if (batching_open(&source, store, BOS, EOS, &config, NULL, &err) < 0)
        fail_msg("%s", err.text);
    return source;
}

static struct batch_source damaged(struct damage_config config)
{
    struct batch_source inner = whole(), out;
    config.mask = MASK;
    config.eos = EOS;
    config.seed = 5;
    damage_open(&out, &inner, &config);
    return out;
}

static void a_share_of_the_tokens_is_dropped_and_the_rest_stays(void **state)
{
    struct batch_source clean = whole(), source = damaged((struct damage_config){ .drop = 0.3f, .keep = 1 });
    struct batch a = { 0 }, b = { 0 };
    double gone = 0, all = 0;
    while (clean.next(clean.state, &a, NULL) == 1) {
        assert_int_equal(source.next(source.state, &b, NULL), 1);
        assert_int_equal(a.source_tokens, b.source_tokens);
        assert_memory_equal(a.output, b.output, (size_t)a.target_tokens * sizeof *a.output);
        for (int s = 0; s < a.B; s++)
            for (int i = a.source_start[s]; i < a.source_start[s + 1]; i++) {
                bool protected = i == a.source_start[s] || a.source[i] == EOS;
                assert_true(b.source[i] == a.source[i] || (!protected && b.source[i] == MASK));
                gone += !protected && b.source[i] != a.source[i];
                all += !protected;
            }
    }
    assert_int_equal(source.next(source.state, &b, NULL), 0);
    assert_true(fabs(gone / all - 0.3) < 0.02);
    batch_release(&a);
    batch_release(&b);
    clean.free(clean.state);
    source.free(source.state);
}

/* Walks both; what is no mask is the next token of the clean sentence that is still there. */
static int tokens_left(const int32_t *clean, int n, const int32_t *damaged, int m)
{
    int left = 0, at = 0;
    for (int i = 0; i < m; i++) {
        if (damaged[i] == MASK) {
            assert_true(i == 0 || damaged[i - 1] != MASK);      /* a span is one mask */
            continue;
        }
        while (at < n && clean[at] != damaged[i])
            at++;
        assert_true(at++ < n);
        left++;
    }
    return left;
}

static void spans_become_one_mask_each(void **state)
{
    struct batch_source clean = whole(), source = damaged((struct damage_config){ .infill = 0.3f, .span = 3 });
    struct batch a = { 0 }, b = { 0 };
    double left = 0, all = 0, masks = 0;
    while (clean.next(clean.state, &a, NULL) == 1) {
        assert_int_equal(source.next(source.state, &b, NULL), 1);
        assert_int_equal(b.source_start[b.B], b.source_tokens);
        for (int s = 0; s < a.B; s++) {
            const int32_t *x = b.source + b.source_start[s];
            int n = a.source_start[s + 1] - a.source_start[s], m = b.source_start[s + 1] - b.source_start[s];
            assert_int_equal(x[m - 1], EOS);
            left += tokens_left(a.source + a.source_start[s], n, x, m) - 1;
            all += n - 1;
            for (int i = 0; i < m; i++)
                masks += x[i] == MASK;
        }
    }
    assert_true(fabs(1 - left / all - 0.3) < 0.03);
    double length = (all - left) / masks;
    assert_true(length > 1.5 && length < 4);
    batch_release(&a);
    batch_release(&b);
    clean.free(clean.state);
    source.free(source.state);
}

static void damage_changes_from_epoch_to_epoch_and_goes_on_where_it_was(void **state)
{
    struct damage_config c = { .drop = 0.3f, .infill = 0.2f, .span = 2 };
    struct batch_source first = damaged(c), again = damaged(c);
    struct batch a = { 0 }, b = { 0 };
    struct error err = { 0 };
    for (int i = 0; i < 40; i++)
        first.next(first.state, &a, NULL);
    json_t *position = first.save(first.state);
    if (again.restore(again.state, position, &err) < 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < 100; i++) {
        int more = first.next(first.state, &a, NULL);
        assert_int_equal(again.next(again.state, &b, NULL), more);
        assert_int_equal(a.source_tokens, b.source_tokens);
        assert_memory_equal(a.source, b.source, (size_t)a.source_tokens * sizeof *a.source);
    }
    json_decref(position);
    position = json_pack("{s:i}", "draws", 3);
    assert_int_equal(again.restore(again.state, position, &err), -1);
    assert_non_null(strstr(err.text, "cannot resume"));
    json_decref(position);
    batch_release(&a);
    batch_release(&b);
    first.free(first.state);
    again.free(again.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_of_the_tokens_is_dropped_and_the_rest_stays),
        cmocka_unit_test(spans_become_one_mask_each),
        cmocka_unit_test(damage_changes_from_epoch_to_epoch_and_goes_on_where_it_was),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}
