/* Every row of the table of operations against finite differences, dropout included (its mask is
 * a function of the seed), for every instruction set that this machine runs. */
#include "tests/test.h"

#include "tensor/ops.h"

static struct tensor *run(struct tape *tape, struct sample *s, const struct op *op)
{
    s->next = 0;
    tape->drops = 0;
    return op->sample(tape, s);
}

/* A fixed "loss": the sum of the outputs, each with a weight of its own. */
static double weight(int i)
{
    return sin(1.0 + 0.7 * i);
}

static double loss_of(struct tape *tape, struct sample *s, const struct op *op)
{
    float *grads = tape->grads;
    double loss = 0;
    tape->grads = NULL;
    struct tensor *y = run(tape, s, op);
    for (int i = 0; i < y->rows * y->cols; i++)
        loss += weight(i) * (double)y->data[i];
    tape->grads = grads;
    tape_reset(tape);
    return loss;
}

/* The number of elements whose gradient is not the finite difference; says which is the first. */
static int wrong_gradients(const struct op *op)
{
    int wrong = 0;
    float dummy;
    struct tape tape = { .grads = &dummy, .train = true, .seed = 11 };
    struct sample s = { .seed = 5 };
    struct tensor *y = run(&tape, &s, op);
    float *dy = tensor_grad(&tape, y);
    for (int i = 0; i < y->rows * y->cols; i++)
        dy[i] = (float)weight(i);
    tape_backward(&tape);

    float *grads[8];
    for (int l = 0; l < s.leaves; l++) {
        size_t bytes = sizeof(float) * (size_t)s.leaf[l]->rows * (size_t)s.leaf[l]->cols;
        assert_non_null(s.leaf[l]->grad);
        grads[l] = malloc(bytes);
        memcpy(grads[l], s.leaf[l]->grad, bytes);
        s.leaf[l]->grad = NULL;
    }
    tape_reset(&tape);

    for (int l = 0; l < s.leaves; l++) {
        for (int i = 0; i < s.leaf[l]->rows * s.leaf[l]->cols; i++) {
            float *x = &s.leaf[l]->data[i], kept = *x;
            const float step = 4e-3f;
            *x = kept + step;
            double above = loss_of(&tape, &s, op);
            *x = kept - step;
            double below = loss_of(&tape, &s, op);
            *x = kept;
            double expected = (above - below) / (2 * (double)step);
            if (fabs(expected - (double)grads[l][i]) > 6e-3 * (1 + fabs(expected)))
                if (!wrong++)
                    print_message("%s on %s: leaf %d, element %d: gradient %g, finite difference %g\n",
                                  op->name, kernel->isa, l, i, (double)grads[l][i], expected);
        }
    }
    for (int l = 0; l < s.leaves; l++) {
        free(grads[l]);
        free(s.leaf[l]->data);
        free(s.leaf[l]);
    }
    tape_release(&tape);
    return wrong;
}

static void check_all(const char *isa)
{
    const struct kernels *chosen = kernel, *wanted = kernels_named(isa);
    if (!wanted) {
        print_message("skipped: this processor has no %s\n", isa);
        skip();
    }
    kernel = wanted;
    for (const struct op *op = ops; op->name; op++)
        assert_int_equal(wrong_gradients(op), 0);
    kernel = chosen;
}

static void gradients_equal_finite_differences_baseline(void **state) { check_all("baseline"); }
static void gradients_equal_finite_differences_avx2(void **state) { check_all("avx2"); }
static void gradients_equal_finite_differences_avx512(void **state) { check_all("avx512"); }

static void half_of_gelu_backward(struct tape *t, struct node *n)
{
    kernel->scale(n->out->grad, 0.5f, (size_t)n->out->rows * (size_t)n->out->cols);
    for (const struct op *op = ops; op->name; op++)
        if (!strcmp(op->name, "gelu"))
            op->backward(t, n);
}

static struct tensor *half_of_gelu_sample(struct tape *t, struct sample *s)
{
    static const struct op broken = { "half of gelu", half_of_gelu_backward, NULL };
    struct tensor *y = op_gelu(t, sample_leaf(s, 2, 3), 0);
    if (t->last)
        t->last->op = &broken;
    return y;
}

static void a_wrong_gradient_is_noticed(void **state)
{
    const struct op broken = { "half of gelu", NULL, half_of_gelu_sample };
    assert_int_equal(wrong_gradients(&broken), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_equal_finite_differences_baseline),
        cmocka_unit_test(gradients_equal_finite_differences_avx2),
        cmocka_unit_test(gradients_equal_finite_differences_avx512),
        cmocka_unit_test(a_wrong_gradient_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
