/* Selective distillation: which tokens the teacher speaks on. */
#include "tests/distill/scene.h"

#include "seq2seq/train.h"

static void nothing_selected_is_cross_entropy_bit_for_bit(void **state)
{
    struct scene s;
    scene_open(&s);
    assert_true(compare(&s, taught(&s, "selective-kd", WITH("share=0", "label-smoothing=0.1")),
                        objective_cross_entropy(0.1f)) == 0);
    scene_close(&s);
}

/* Half of the tokens have the gradient of word-level distillation, half that of cross-entropy, and
 * no token of the second half is harder than one of the first. */
static void the_hardest_tokens_are_selected(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective some = taught(&s, "selective-kd", NULL), all = taught(&s, "word-kd", NULL);
    struct objective none = objective_cross_entropy(0);
    float *c = malloc(s.size * sizeof(float)), hard = -1e9f, easy = 1e9f;
    int n = s.batch.target_tokens, taught_on = 0;
    gradient(&some, &s.batch, s.logits, s.a, s.V);
    gradient(&all, &s.batch, s.logits, s.b, s.V);
    gradient(&none, &s.batch, s.logits, c, s.V);
    for (int r = 0; r < n; r++) {
        size_t at = (size_t)r * (size_t)s.V;
        float nll = -logf(1 + c[at + (size_t)s.batch.output[r]]);       /* its gradient is p - 1 */
        bool chosen = !memcmp(s.a + at, s.b + at, (size_t)s.V * sizeof(float));
        assert_true(chosen || !memcmp(s.a + at, c + at, (size_t)s.V * sizeof(float)));
        taught_on += chosen;
        if (chosen)
            easy = fminf(easy, nll);
        else
            hard = fmaxf(hard, nll);
    }
    assert_int_equal(taught_on, n / 2);
    assert_true(easy > hard);
    free(c);
    done(&some);
    done(&all);
    done(&none);
    scene_close(&s);
}

/* A worker that goes on from what was saved selects what the first one would have. */
static void a_queue_of_losses_is_saved_and_restored(void **state)
{
    struct scene s;
    struct moment when = { 0 };
    struct loss_sums sums = { 0 };
    scene_open(&s);
    struct objective o = taught(&s, "selective-kd", WITH("hard-among=queue", "queue=11"));
    void *first = o.worker_new(o.shared, 0), *second = o.worker_new(o.shared, 0);
    float weight[64];
    for (int i = 0; i < 64; i++)
        weight[i] = 1;
    int n = s.batch.target_tokens;
    memcpy(s.a, s.logits, s.size * sizeof(float));
    assert_int_equal(o.begin(first, &s.batch, &when, &err), 0);
    o.chunk(first, 0, n, s.V, s.batch.output, weight, 1, s.a, &sums);
    json_t *saved = o.save(first);
    assert_int_equal(o.restore(second, saved, &err), 0);
    json_t *again = o.save(second);
    assert_true(json_equal(saved, again));
    for (int i = 0; i < 2; i++) {
        void *worker = i ? second : first;
        float *out = i ? s.b : s.a;
        memcpy(out, s.logits, s.size * sizeof(float));
        assert_int_equal(o.begin(worker, &s.batch, &when, &err), 0);
        o.chunk(worker, 0, n, s.V, s.batch.output, weight, 1, out, &sums);
    }
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    json_t *damaged = json_string("0123xyz8");
    assert_int_equal(o.restore(second, damaged, &err), -1);
    json_decref(damaged);
    json_decref(saved);
    json_decref(again);
    o.worker_free(first);
    o.worker_free(second);
    done(&o);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_selected_is_cross_entropy_bit_for_bit),
        cmocka_unit_test(the_hardest_tokens_are_selected),
        cmocka_unit_test(a_queue_of_losses_is_saved_and_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
