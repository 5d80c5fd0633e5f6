/* Products with packed matrices, on every instruction set that this processor has: what they give,
 * and that a row's result is the same bits whatever rows stand beside it. */
#include "tests/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "tensor/packed.h"
#include "tensor/panels.h"

static const char *const sets[] = { "baseline", "avx2", "avx512", "avx512vnni", "avx512bf16" };
#define SETS (sizeof sets / sizeof *sets)

static const int shapes[][3] = {        /* M, N, K */
    { 1, 1, 1 }, { 1, 16, 4 }, { 2, 17, 5 }, { 3, 33, 7 }, { 4, 64, 16 }, { 5, 80, 30 }, { 6, 100, 64 },
    { 7, 31, 33 }, { 11, 48, 18 }, { 12, 128, 32 }, { 13, 65, 129 }, { 29, 70, 100 }, { 64, 15, 256 },
    { 150, 20, 1000 },
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static float *random_floats(struct rng *rng, size_t count)
{
    float *x = xaligned(count * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)rng_normal(rng);
    return x;
}

struct problem {
    int M, N, K;
    float *x, *w, *bias, *y;
    void *scratch;
};

static struct problem problem_new(const int shape[3], uint64_t seed)
{
    struct rng rng;
    struct problem p = { shape[0], shape[1], shape[2] };
    rng_seed(&rng, seed, 0);
    p.x = random_floats(&rng, (size_t)p.M * (size_t)p.K);
    p.w = random_floats(&rng, (size_t)p.N * (size_t)p.K);
    p.bias = random_floats(&rng, (size_t)p.N);
    p.y = random_floats(&rng, (size_t)p.M * (size_t)p.N);
    p.scratch = xaligned((size_t)p.M * ((size_t)p.K + 32) * sizeof(float));
    return p;
}

static void problem_free(struct problem *p)
{
    free(p->x);
    free(p->w);
    free(p->bias);
    free(p->y);
    free(p->scratch);
}

/* The error that the kinds' roundings allow for a sum of K products of normal numbers. */
static double tolerance(enum packed_kind kind, int K)
{
    double root = sqrt((double)K);
    return kind == PACKED_F32 ? 1e-5 * root + 1e-6 : kind == PACKED_BF16 ? 0.02 * root : 0.06 * root + 0.03;
}

static double exact(const struct problem *p, int m, int n)
{
    double sum = 0;
    for (int k = 0; k < p->K; k++)
        sum += (double)p->x[m * p->K + k] * (double)p->w[n * p->K + k];
    return sum;
}

static void check(const struct problem *p, enum packed_kind kind, const char *isa)
{
    struct packed w = { 0 };
    size_t size = (size_t)p->M * (size_t)p->N;
    float *y = xaligned(size * sizeof *y);
    packed_init(&w, kind, p->w, (size_t)p->K, 1, p->N, p->K);
    assert_true(packed_scratch(&w, p->M) <= (size_t)p->M * ((size_t)p->K + 32) * sizeof(float));
    for (int relu = 0; relu < 2; relu++) {
        memcpy(y, p->y, size * sizeof *y);
        packed_product(y, (size_t)p->N, p->x, (size_t)p->K, p->M, &w,
                       (struct after){ .bias = p->bias, .accumulate = true, .relu = relu }, p->scratch);
        for (int m = 0; m < p->M; m++)
            for (int n = 0; n < p->N; n++) {
                size_t at = (size_t)m * (size_t)p->N + (size_t)n;
                double wanted = exact(p, m, n) + (double)p->bias[n] + (double)p->y[at];
                if (relu && wanted < 0)
                    wanted = 0;
                if (!(fabs((double)y[at] - wanted) <= tolerance(kind, p->K)))
                    fail_msg("%s %s %dx%dx%d: [%d,%d] is %g, not %g", isa, packed_kind_names[kind], p->M, p->N,
                             p->K, m, n, (double)y[at], wanted);
            }
    }
    packed_release(&w);
    free(y);
}

static void products_are_right_on_every_instruction_set(void **state)
{
    const struct panels *kept = panels;
    for (size_t i = 0; i < SETS; i++) {
        panels = panels_named(sets[i]);
        for (size_t s = 0; panels && s < SHAPES; s++)
            for (int kind = 0; kind < PACKED_KINDS; kind++) {
                struct problem p = problem_new(shapes[s], s + 1);
                check(&p, (enum packed_kind)kind, sets[i]);
                problem_free(&p);
            }
    }
    panels = kept;
}

static void a_row_gives_the_same_bits_in_any_company(void **state)
{
    const struct panels *kept = panels;
    for (size_t i = 0; i < SETS; i++) {
        panels = panels_named(sets[i]);
        for (int kind = 0; panels && kind < PACKED_KINDS; kind++) {
            struct problem p = problem_new((const int[]){ 40, 77, 203 }, 9);
            struct packed w = { 0 };
            const struct after after = { .bias = p.bias };
            float alone[77];
            packed_init(&w, (enum packed_kind)kind, p.w, 203, 1, 77, 203);
            for (int M = 1; M <= 40; M++) {
                packed_product(p.y, 77, p.x, 203, M, &w, after, p.scratch);
                for (int m = 0; m < M; m++) {
                    packed_product(alone, 77, p.x + m * 203, 203, 1, &w, after, p.scratch);
                    assert_memory_equal(alone, p.y + m * 77, sizeof alone);
                }
            }
            packed_release(&w);
            problem_free(&p);
        }
    }
    panels = kept;
}

static void int8_gives_the_same_on_every_instruction_set(void **state)
{
    const struct panels *kept = panels;
    struct problem p = problem_new((const int[]){ 13, 70, 150 }, 4);
    struct packed w = { 0 };
    float *first = NULL;
    packed_init(&w, PACKED_INT8, p.w, 150, 1, 70, 150);
    for (size_t i = 0; i < SETS; i++) {
        panels = panels_named(sets[i]);
        if (!panels)
            continue;
        float *y = xaligned(13 * 70 * sizeof *y);
        packed_product(y, 70, p.x, 150, 13, &w, (struct after){ 0 }, p.scratch);
        if (first) {
            for (int j = 0; j < 13 * 70; j++)       /* but for ties, which fused products round once */
                assert_true(fabsf(y[j] - first[j]) < 0.05f);
            free(y);
        } else {
            first = y;
        }
    }
    free(first);
    packed_release(&w);
    problem_free(&p);
    panels = kept;
}

static void a_transposed_matrix_packs_alike(void **state)
{
    for (int kind = 0; kind < PACKED_KINDS; kind++) {
        struct problem p = problem_new((const int[]){ 5, 37, 21 }, 2);
        struct packed a = { 0 }, b = { 0 };
        float *t = xaligned(37 * 21 * sizeof *t), y[5 * 37];
        for (int n = 0; n < 37; n++)
            for (int k = 0; k < 21; k++)
                t[k * 37 + n] = p.w[n * 21 + k];
        packed_init(&a, (enum packed_kind)kind, p.w, 21, 1, 37, 21);
        packed_init(&b, (enum packed_kind)kind, t, 1, 37, 37, 21);
        packed_product(p.y, 37, p.x, 21, 5, &a, (struct after){ 0 }, p.scratch);
        packed_product(y, 37, p.x, 21, 5, &b, (struct after){ 0 }, p.scratch);
        assert_memory_equal(y, p.y, sizeof y);
        packed_release(&a);
        packed_release(&b);
        free(t);
        problem_free(&p);
    }
}

static void selected_rows_give_what_the_whole_gives_there(void **state)
{
    const int32_t rows[] = { 5, 36, 0, -1, 17, 18, 36, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 30 };
    enum { COUNT = sizeof rows / sizeof *rows };
    for (int kind = 0; kind < PACKED_KINDS; kind++) {
        struct problem p = problem_new((const int[]){ 5, 37, 22 }, 2);
        struct packed all = { 0 }, some = { 0 };
        float y[5 * COUNT], row[22];
        packed_init(&all, (enum packed_kind)kind, p.w, 22, 1, 37, 22);
        for (int again = 0; again < 2; again++)
            packed_select(&some, &all, rows, COUNT);
        packed_product(p.y, 37, p.x, 22, 5, &all, (struct after){ 0 }, p.scratch);
        packed_product(y, COUNT, p.x, 22, 5, &some, (struct after){ 0 }, p.scratch);
        for (int m = 0; m < 5; m++)
            for (int i = 0; i < COUNT; i++)
                assert_true(y[m * COUNT + i] == (rows[i] < 0 ? 0 : p.y[m * 37 + rows[i]]));
        for (int n = 0; n < 37; n++) {
            packed_row(row, &all, n);
            for (int k = 0; k < 22; k++)
                assert_true(fabsf(row[k] - p.w[n * 22 + k]) <= (kind == PACKED_F32 ? 0 : 0.02f));
        }
        packed_release(&all);
        packed_release(&some);
        problem_free(&p);
    }
}

static void tops_are_the_largest_of_their_columns(void **state)
{
    const struct panels *kept = panels;
    for (size_t i = 0; i < SETS; i++) {
        panels = panels_named(sets[i]);
        for (int N = 1; panels && N < 300; N += 13) {
            struct problem p = problem_new((const int[]){ 15, N, 50 }, 3);
            struct packed w = { 0 };
            int count = packed_tops(N);
            float *tops = xaligned((size_t)(15 * count) * sizeof *tops);
            packed_init(&w, PACKED_INT8, p.w, 50, 1, N, 50);
            p.bias[N / 2] = -INFINITY;
            packed_product(p.y, (size_t)N, p.x, 50, 15, &w, (struct after){ .bias = p.bias }, NULL);
            packed_find_tops(tops, p.x, 50, 15, &w, p.bias);
            for (int m = 0; m < 15; m++)
                for (int g = 0; g < count; g++) {
                    float most = -INFINITY;
                    for (int n = 64 * g; n < N && n < 64 * g + 64; n++)
                        most = fmaxf(most, p.y[m * N + n]);
                    assert_true(tops[m * count + g] == most);
                }
            free(tops);
            packed_release(&w);
            problem_free(&p);
        }
    }
    panels = kept;
}

static void zeros_give_zeros_and_no_number_gives_no_number(void **state)
{
    for (int kind = 0; kind < PACKED_KINDS; kind++) {
        struct problem p = problem_new((const int[]){ 2, 16, 8 }, 2);
        struct packed w = { 0 };
        memset(p.x, 0, 2 * 8 * sizeof *p.x);
        p.x[9] = NAN;
        packed_init(&w, (enum packed_kind)kind, p.w, 8, 1, 16, 8);
        packed_product(p.y, 16, p.x, 8, 2, &w, (struct after){ 0 }, p.scratch);
        for (int n = 0; n < 16; n++) {
            assert_true(p.y[n] == 0);
            assert_true(isnan(p.y[16 + n]));
        }
        packed_release(&w);
        problem_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_right_on_every_instruction_set),
        cmocka_unit_test(a_row_gives_the_same_bits_in_any_company),
        cmocka_unit_test(int8_gives_the_same_on_every_instruction_set),
        cmocka_unit_test(a_transposed_matrix_packs_alike),
        cmocka_unit_test(selected_rows_give_what_the_whole_gives_there),
        cmocka_unit_test(tops_are_the_largest_of_their_columns),
        cmocka_unit_test(zeros_give_zeros_and_no_number_gives_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
