/* Tests of decode/forced.h: what is kept of a teacher's distributions, and what is drawn of the rest. */
#include "tests/test.h"

#include "base/log.h"
#include "base/memory.h"
#include "decode/forced.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"
#include "tests/decode/toy_tokenizer.h"

enum { PAIRS = 200, LENGTH = 80 };

static struct model *model;
static struct teacher *teacher;
static char text[2][PAIRS][LENGTH];
static const char *sources[PAIRS], *targets[PAIRS];

static int make_teacher(void **state)
{
    struct error err;
    struct model_config config = { 0 };
    struct tokenizer *t = toy_tokenizer();
    log_quiet(true);
    options_default((struct option_group[]){ { NULL, model_options, &config }, { 0 } });
    config.dim = 16;
    config.ffn = 24;
    config.heads = 2;
    config.encoder_layers = config.decoder_layers = 1;
    model = t ? model_new(&config, t, t, 1, &err) : NULL;
    teacher = model ? teacher_new((const struct model *const *)&model, 1, &(struct teacher_config){ .temperature = 0.2f },
                                  &err) : NULL;
    for (int i = 0; i < PAIRS; i++) {
        snprintf(text[0][i], LENGTH, "the %d quick dogs jump", 7 * i);
        snprintf(text[1][i], LENGTH, "%d lazy foxes over %d brown dogs", i, 1000 - i);
        sources[i] = text[0][i];
        targets[i] = text[1][i];
    }
    return teacher ? 0 : -1;
}

static int drop_teacher(void **state)
{
    teacher_free(teacher);
    model_free(model);
    return 0;
}

/* All rows of all pairs, end to end. */
struct rows {
    int count, k;
    int *entries;
    struct soft_entry *entry;       /* row r has k places */
    double *rest;
    float *gold;
    size_t entries_room, entry_room, rest_room, gold_room;
};

static int take(void *arg, size_t index, const struct forced_result *r, struct error *err)
{
    struct rows *all = arg;
    size_t count = (size_t)all->count, n = (size_t)r->rows, k = (size_t)r->k;
    (void)index;
    (void)err;
    all->k = r->k;
    ARRAY_GROW(all->entries, all->entries_room, count + n);
    ARRAY_GROW(all->entry, all->entry_room, (count + n) * k);
    ARRAY_GROW(all->rest, all->rest_room, count + n);
    ARRAY_GROW(all->gold, all->gold_room, count + n);
    memcpy(all->entries + count, r->count, n * sizeof *r->count);
    memcpy(all->entry + count * k, r->entries, n * k * sizeof *r->entries);
    memcpy(all->rest + count, r->rest, n * sizeof *r->rest);
    memcpy(all->gold + count, r->gold_logp, n * sizeof *r->gold_logp);
    all->count += r->rows;
    return 0;
}

static struct rows run(int first, int pairs, int k, int samples, int threads)
{
    struct rows all = { 0 };
    struct error err;
    const struct tokenizer *t = model->target_tokenizer;
    struct forced *f = forced_new(teacher, t, t, &(struct forced_config){ k, 1, samples, 100 }, threads);
    assert_int_equal(forced_run(f, sources + first, targets + first, (size_t)pairs, take, &all, &err), 0);
    forced_free(f);
    return all;
}

static void release(struct rows *r)
{
    free(r->entries);
    free(r->entry);
    free(r->rest);
    free(r->gold);
}

static double mass_of(const struct rows *r, int row, int from)
{
    double sum = 0;
    for (int i = from; i < r->entries[row]; i++)
        sum += exp((double)r->entry[row * r->k + i].logp);
    return sum;
}

static void kept_and_drawn_pieces_have_all_of_the_mass_and_none_comes_twice(void **state)
{
    enum { K = 3, SAMPLES = 5 };
    struct rows kept = run(0, PAIRS, K, 0, 1), all = run(0, PAIRS, K, SAMPLES, 1);
    assert_int_equal(all.k, K + SAMPLES);
    assert_int_equal(all.count, kept.count);
    for (int r = 0; r < all.count; r++) {
        const struct soft_entry *e = all.entry + r * all.k;
        assert_memory_equal(e, kept.entry + r * kept.k, K * sizeof *e);
        assert_true(all.entries[r] > K && all.entries[r] <= K + SAMPLES && all.rest[r] == 0);
        assert_true(kept.entries[r] == K && kept.rest[r] > 0);
        assert_true(fabs(mass_of(&all, r, 0) - 1) < 1e-4);
        assert_true(all.gold[r] == kept.gold[r]);
        for (int i = 0; i < all.entries[r]; i++)
            for (int j = 0; j < i; j++)
                assert_int_not_equal(e[i].id, e[j].id);
        for (int i = K; i < all.entries[r]; i++) {          /* whole steps */
            double steps = exp((double)e[i].logp) / kept.rest[r] * SAMPLES;
            assert_true(round(steps) >= 1 && fabs(steps - round(steps)) * kept.rest[r] < 1e-5);
        }
    }
    release(&kept);
    release(&all);
}

/* Adds up what all rows give to each piece, into sum (V). */
static void add_up(const struct rows *r, double *sum)
{
    for (int row = 0; row < r->count; row++)
        for (int i = 0; i < r->entries[row]; i++)
            sum[r->entry[row * r->k + i].id] += exp((double)r->entry[row * r->k + i].logp);
}

static void drawn_pieces_add_up_to_what_the_teacher_says_of_each(void **state)
{
    int V = model->config.target_vocab;
    struct rows whole = run(0, PAIRS, V, 0, 2), drawn = run(0, PAIRS, 2, 6, 2);
    double *expected = xcalloc((size_t)V, sizeof *expected), *found = xcalloc((size_t)V, sizeof *found), most = 0;
    add_up(&whole, expected);
    add_up(&drawn, found);
    for (int v = 0; v < V; v++) {
        double deviation = sqrt(expected[v] / 6);           /* more than that of so many draws, each by itself */
        assert_true(fabs(found[v] - expected[v]) < 5 * deviation + 0.5);
        most = expected[v] > most ? expected[v] : most;
    }
    assert_true(most > 10 && whole.count > 1000);           /* so that this says something */
    free(expected);
    free(found);
    release(&whole);
    release(&drawn);
}

static void a_pair_draws_the_same_wherever_it_stands(void **state)
{
    struct rows all = run(0, PAIRS, 2, 4, 3), last = run(PAIRS - 20, 20, 2, 4, 1);
    int from = all.count - last.count;
    for (int r = 0; r < last.count; r++) {
        assert_int_equal(last.entries[r], all.entries[from + r]);
        for (int i = 0; i < last.entries[r]; i++) {
            assert_int_equal(last.entry[r * last.k + i].id, all.entry[(from + r) * all.k + i].id);
            assert_float_equal(last.entry[r * last.k + i].logp, all.entry[(from + r) * all.k + i].logp, 1e-3);
        }
    }
    release(&all);
    release(&last);
}

static void more_samples_than_pieces_are_all_pieces(void **state)
{
    int V = model->config.target_vocab;
    struct rows all = run(0, 5, V - 2, 50, 1);
    assert_int_equal(all.k, V);
    for (int r = 0; r < all.count; r++)
        assert_true(fabs(mass_of(&all, r, 0) - 1) < 1e-4);
    release(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_and_drawn_pieces_have_all_of_the_mass_and_none_comes_twice),
        cmocka_unit_test(drawn_pieces_add_up_to_what_the_teacher_says_of_each),
        cmocka_unit_test(a_pair_draws_the_same_wherever_it_stands),
        cmocka_unit_test(more_samples_than_pieces_are_all_pieces),
    };
    return cmocka_run_group_tests(tests, make_teacher, drop_teacher);
}
