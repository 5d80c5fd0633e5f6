/* What becomes of the teacher's distribution before it is a target. */
#include "tests/distill/scene.h"

#include "seq2seq/train.h"

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* The end of few: the likeliest alone, as if it were gold. */
static void one_piece_renormalised_is_cross_entropy_to_the_teachers_best(void **state)
{
    struct scene s;
    scene_open(&s);
    float *q = malloc(s.size * sizeof(float));
    targets_of(&s, "word-kd", WITH("alpha=1"), q);
    struct objective one = taught(&s, "kd-topk", WITH("alpha=1", "k=1", "tail=renormalise"));
    struct objective plain = objective_cross_entropy(0);
    gradient(&one, &s.batch, s.logits, s.a, s.V);
    gradient(&plain, &s.batch, s.logits, s.b, s.V);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        size_t at = (size_t)r * (size_t)s.V;
        int best = kernel->argmax(q + at, s.V), gold = s.batch.output[r];
        for (int v = 0; v < s.V; v++)
            assert_true(fabsf(s.a[at + (size_t)v] - s.b[at + (size_t)v] + (float)((v == best) - (v == gold))) < 1e-6f);
    }
    done(&one);
    done(&plain);
    free(q);
    scene_close(&s);
}

static void permutation_keeps_the_best_and_the_others_as_a_set(void **state)
{
    struct scene s;
    scene_open(&s);
    int moved = 0;
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    targets_of(&s, "dkpp", WITH("alpha=1"), s.b);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        float *q = s.a + (size_t)r * (size_t)s.V, *p = s.b + (size_t)r * (size_t)s.V;
        int best = kernel->argmax(q, s.V);
        assert_int_equal(kernel->argmax(p, s.V), best);
        for (int i = 0; i < s.V; i++)
            moved += fabsf(p[i] - q[i]) > 1e-6f;
        qsort(p, (size_t)s.V, sizeof *p, compare_floats);
        qsort(q, (size_t)s.V, sizeof *q, compare_floats);
        for (int i = 0; i < s.V; i++)
            assert_true(fabsf(p[i] - q[i]) < 1e-6f);
    }
    assert_true(moved > s.V);
    scene_close(&s);
}

static void kd_pt_keeps_golds_probability_and_kd_topk_the_likeliest(void **state)
{
    struct scene s;
    scene_open(&s);
    float *c = malloc(s.size * sizeof(float));
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    targets_of(&s, "kd-pt", WITH("alpha=1"), s.b);
    targets_of(&s, "kd-topk", WITH("alpha=1", "k=3"), c);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V, *pt = s.b + (size_t)r * (size_t)s.V;
        const float *top = c + (size_t)r * (size_t)s.V;
        int gold = s.batch.output[r], kept = 0;
        assert_true(fabsf(pt[gold] - q[gold]) < 1e-6f);
        for (int i = 0; i < s.V; i++) {
            assert_true(i == gold || fabsf(pt[i] - (1 - q[gold]) / (float)(s.V - 1)) < 1e-6f);
            kept += fabsf(top[i] - q[i]) < 1e-7f;
        }
        assert_true(kept >= 3);
        assert_true(fabsf(top[kernel->argmax(q, s.V)] - q[kernel->argmax(q, s.V)]) < 1e-6f);
    }
    free(c);
    scene_close(&s);
}

static void similarity_prefers_gold_and_knows_no_sentence(void **state)
{
    struct scene s;
    scene_open(&s);
    targets_of(&s, "kd-sim", WITH("alpha=1"), s.a);
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V;
        assert_int_equal(kernel->argmax(q, s.V), s.batch.output[r]);
        for (int other = 0; other < r; other++)
            if (s.batch.output[other] == s.batch.output[r])
                assert_memory_equal(q, s.a + (size_t)other * (size_t)s.V, (size_t)s.V * sizeof(float));
    }
    scene_close(&s);
}

/* Σ w CE / Σ w: weights count in the sum that divides. */
static void cwtm_weighs_tokens_by_the_teachers_confidence(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective o = taught(&s, "cwtm", NULL), plain = objective_cross_entropy(0);
    struct loss_sums sums = { 0 };
    float weight[64];
    void *worker = o.worker_new(o.shared, 0);
    targets_of(&s, "word-kd", WITH("alpha=1"), s.a);
    for (int i = 0; i < 64; i++)
        weight[i] = 1;
    double expected = 0;
    for (int r = 0; r < s.batch.target_tokens; r++) {
        const float *q = s.a + (size_t)r * (size_t)s.V;
        expected += (double)q[kernel->argmax(q, s.V)];
    }
    memcpy(s.b, s.logits, s.size * sizeof(float));
    assert_int_equal(o.begin(worker, &s.batch, &(struct moment){ 0 }, &err), 0);
    o.chunk(worker, 0, s.batch.target_tokens, s.V, s.batch.output, weight, 1, s.b, &sums);
    assert_true(fabs(sums.tokens - expected) < 1e-4);
    assert_true(sums.loss < gradient(&plain, &s.batch, s.logits, s.b, s.V));
    o.worker_free(worker);
    done(&o);
    done(&plain);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_piece_renormalised_is_cross_entropy_to_the_teachers_best),
        cmocka_unit_test(permutation_keeps_the_best_and_the_others_as_a_set),
        cmocka_unit_test(kd_pt_keeps_golds_probability_and_kd_topk_the_likeliest),
        cmocka_unit_test(similarity_prefers_gold_and_knows_no_sentence),
        cmocka_unit_test(cwtm_weighs_tokens_by_the_teachers_confidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
