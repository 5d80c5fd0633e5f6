/* Shares that change over a training, and batches of the student's own. */
#include "tests/distill/scene.h"

#include "seq2seq/train.h"

static void courses_move_the_shares(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective moving = taught(&s, "word-kd", WITH("alpha=cut-off 0.5 60%")), still = taught(&s, "word-kd", NULL);
    struct objective plain = objective_cross_entropy(0);
    gradient_at(&moving, &s.batch, s.logits, s.a, s.V, (struct moment){ .progress = 0.5 });
    gradient(&still, &s.batch, s.logits, s.b, s.V);
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    gradient_at(&moving, &s.batch, s.logits, s.a, s.V, (struct moment){ .progress = 0.7 });
    gradient(&plain, &s.batch, s.logits, s.b, s.V);
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    done(&moving);
    done(&still);
    done(&plain);
    scene_close(&s);
}

static void on_the_students_own_outputs_there_is_no_gold(void **state)
{
    struct scene s;
    scene_open(&s);
    struct objective half = taught(&s, "jsd", WITH("alpha=0.3", "label-smoothing=0.1")), whole = taught(&s, "jsd", WITH("alpha=1"));
    struct objective plain = taught(&s, "cross-entropy", NULL);
    void *worker = plain.worker_new(plain.shared, 0);
    gradient(&whole, &s.batch, s.logits, s.b, s.V);
    s.batch.sampled = true;
    gradient(&half, &s.batch, s.logits, s.a, s.V);
    assert_memory_equal(s.a, s.b, s.size * sizeof(float));
    done(&half);
    done(&whole);
    scene_close(&s);
    plain.worker_free(worker);
    done(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(courses_move_the_shares),
        cmocka_unit_test(on_the_students_own_outputs_there_is_no_gold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
