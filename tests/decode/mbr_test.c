/* Tests of decode/mbr.h against the sum told plainly. */
#include "tests/test.h"

#include "base/memory.h"
#include "decode/mbr.h"
#include "eval/metric.h"

static const char *const texts[] = {
    "the cat sat on the mat", "a cat sat on the mat", "the cat sat on a mat", "dogs", "", "dogs",
    "the cat sits on the mat"
};
enum { COUNT = 7 };

static double plain(const char *hyp, const char *ref, enum mbr_metric metric)
{
    if (!strcmp(hyp, ref))
        return 100;
    return metric == MBR_BLEU ? sentence_bleu(hyp, ref) : sentence_chrf(hyp, ref);
}

static void utilities_are_weighted_means_against_all(void **state)
{
    static const double weights[] = { .1, 2, 0, 1, .5, 3, 1 };
    for (int metric = MBR_BLEU; metric <= MBR_CHRF; metric++)
        for (int weighted = 0; weighted < 2; weighted++) {
            struct mbr *m = mbr_new((enum mbr_metric)metric);
            double utility[COUNT];
            for (int again = 0; again < 2; again++)
                mbr_utilities(m, utility, texts, weighted ? weights : NULL, COUNT);
            for (int i = 0; i < COUNT; i++) {
                double sum = 0, whole = 0;
                for (int j = 0; j < COUNT; j++) {
                    double w = weighted ? weights[j] : 1;
                    sum += w * plain(texts[i], texts[j], (enum mbr_metric)metric);
                    whole += w;
                }
                assert_float_equal(utility[i], sum / whole, 1e-9);
            }
            mbr_free(m);
        }
}

static void the_odd_one_out_is_not_chosen(void **state)
{
    struct mbr *m = mbr_new(MBR_CHRF);
    double utility[4];
    mbr_utilities(m, utility, (const char *const[]){ "dogs", texts[0], texts[1], texts[2] }, NULL, 4);
    assert_true(utility[0] < utility[1] && utility[1] > utility[2] && utility[1] > utility[3]);
    mbr_free(m);
}

static void weights_of_nothing_are_no_weights(void **state)
{
    struct mbr *m = mbr_new(MBR_BLEU);
    double utility[2];
    mbr_utilities(m, utility, (const char *const[]){ "a", "b" }, (const double[]){ 0, 0 }, 2);
    assert_true(isfinite(utility[0]) && utility[0] == utility[1]);
    mbr_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utilities_are_weighted_means_against_all),
        cmocka_unit_test(the_odd_one_out_is_not_chosen),
        cmocka_unit_test(weights_of_nothing_are_no_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
