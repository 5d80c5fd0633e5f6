/* The training loop: that it learns, repeats itself exactly, survives being stopped and damaged. */
#include "tests/seq2seq/toy_training.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/interrupt.h"
#include "base/thread.h"
#include "seq2seq/architecture.h"
#include "seq2seq/checkpoint.h"
#include "seq2seq/schedule.h"
#include "seq2seq/weights.h"
#include "seq2seq/workers.h"
#include "tensor/product.h"

static const char *const archs[] = { "transformer", "lstm" };

static void a_toy_translation_is_learnt(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct train_config c = config_make(900);
        c.validate_every = 300;
        struct run r = run_training(archs[i], scratch_path(archs[i]), c);
        expect_ok(r.ret);
        if (!(r.report.dev_nll < 0.5))      /* untrained 4.4 */
            fail_msg("%s: the NLL is %g after %lld updates", archs[i], r.report.dev_nll,
                     (long long)r.report.updates);
        model_free(r.m);
    }
}

static void the_same_seed_gives_the_same_bits(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct run a = run_training(archs[i], scratch_path("a"), config_make(30));
        struct run b = run_training(archs[i], scratch_path("b"), config_make(30));
        expect_ok(a.ret);
        expect_ok(b.ret);
        assert_same_weights(a.m, b.m);
        model_free(a.m);
        model_free(b.m);
    }
}

/* The weights after one update, and in `before` those that it began with. */
static struct model *one_update(bool aware, bool from_rounded, float **before)
{
    struct model *m = model_make("transformer");
    struct store *store = corpus_make(m, 300);
    struct batch_source train = batches_make(m, store, false);
    struct objective o = objective_cross_entropy(0.1f);
    struct train_data data = { &train };
    struct train_config c = config_make(1);
    struct train_report report;
    struct pool *pool = pool_new(1);
    const char *folder = scratch_path("one");
    *before = block_new(&m->params);
    if (from_rounded) {
        weights_round_int8(*before, m, pool);
        memcpy(m->params.block, *before, m->params.total * sizeof(float));
    }
    memcpy(*before, m->params.block, m->params.total * sizeof(float));
    c.ema = 0;
    c.warmup = 0;
    c.validate_every = 0;
    c.quantize_aware = aware;
    expect_ok(dir_remove(folder, &err));
    expect_ok(train_model(m, &o, &data, &c, folder, &report, &err));
    pool_free(pool);
    o.free(o.shared);
    train.free(train.state);
    store_close(store);
    return m;
}

static void a_model_that_learns_to_be_rounded_moves_as_the_rounded_one_would(void **state)
{
    float *from, *from_rounded;
    struct model *aware = one_update(true, false, &from), *rounded = one_update(false, true, &from_rounded);
    size_t N = aware->params.total, moved = 0, off = 0;
    for (size_t i = 0; i < N; i++) {
        float step = aware->params.block[i] - from[i], expected = rounded->params.block[i] - from_rounded[i];
        if (fabsf(step - expected) > 1e-5f)
            fail_msg("weight %zu moves by %g, not by %g", i, (double)step, (double)expected);
        moved += step != 0;
        off += from[i] != from_rounded[i];
    }
    assert_true(moved > N / 4 && off > N / 4);
    free(from);
    free(from_rounded);
    model_free(aware);
    model_free(rounded);
}

static void another_seed_gives_other_weights(void **state)
{
    struct train_config c = config_make(10);
    struct run a = run_training("transformer", scratch_path("a"), c);
    c.seed = 2;
    struct run b = run_training("transformer", scratch_path("b"), c);
    assert_memory_not_equal(a.m->params.block, b.m->params.block, a.m->params.total * sizeof(float));
    model_free(a.m);
    model_free(b.m);
}

static void a_resumed_run_ends_with_the_bits_of_an_undisturbed_one(void **state)
{
    for (int i = 0; i < 2; i++) {
        char folder[64];
        snprintf(folder, sizeof folder, "resumed-%s", archs[i]);
        struct train_config c = config_make(25);
        c.resume = true;
        struct run first = run_training(archs[i], scratch_path(folder), c);
        c.max_updates = 60;
        struct run second = run_training(archs[i], scratch_path(folder), c);
        struct run whole = run_training(archs[i], scratch_path("whole"), config_make(60));
        expect_ok(first.ret);
        expect_ok(second.ret);
        assert_int_equal(second.report.updates, 60);
        assert_same_weights(second.m, whole.m);
        assert_true(second.report.dev_nll == whole.report.dev_nll);
        model_free(first.m);
        model_free(second.m);
        model_free(whole.m);
    }
}

/* A validator that gives the number of its call as BLEU, and is interrupted in one of them. */
struct calls {
    int made, interrupted;
};

static int count_call(void *state, const struct model *m, int threads, struct decode_scores *scores,
                      struct error *e)
{
    struct calls *calls = state;
    (void)m, (void)threads;
    if (++calls->made == calls->interrupted) {
        raise(SIGTERM);
        return error_set(e, "interrupted");
    }
    *scores = (struct decode_scores){ calls->made, 1, NAN };
    return 0;
}

static void an_interrupted_validation_is_made_again_on_resuming(void **state)
{
    struct calls calls = { .interrupted = 2 };
    const struct validator validator = { &calls, NULL, count_call };
    const char *folder = scratch_path("interrupted");
    struct train_config c = config_make(40);
    c.metric = "bleu";
    c.validate_every = 10;
    c.resume = true;
    interrupt_install();
    struct run first = run_validated("transformer", folder, c, &validator);
    expect_ok(first.ret);
    assert_true(first.report.interrupted);
    assert_int_equal(first.report.updates, 20);
    interrupt_install();                /* forgets the signal */
    c.max_updates = 20;
    struct run second = run_validated("transformer", folder, c, &validator);
    expect_ok(second.ret);
    assert_false(second.report.interrupted);
    assert_int_equal(calls.made, 3);
    assert_int_equal(second.report.best_update, 20);
    model_free(first.m);
    model_free(second.m);
}

static void another_training_in_the_same_folder_is_refused(void **state)
{
    const char *folder = scratch_path("taken");
    struct train_config c = config_make(10);
    struct run first = run_training("transformer", folder, c);
    expect_ok(first.ret);
    assert_int_equal(train_check(&c, folder, true, false, &err), -1);
    assert_non_null(strstr(err.text, "--resume"));
    c.resume = true;
    expect_ok(train_check(&c, folder, true, false, &err));
    c.max_updates = 20;
    struct run other = run_training("lstm", folder, c);
    assert_int_equal(other.ret, -1);
    assert_non_null(strstr(err.text, "cannot resume: arch was \"transformer\" and is \"lstm\" now"));
    model_free(first.m);
    model_free(other.m);
}

/* Flips a bit in the middle of a checkpoint; kind: "update" or "weights". */
static void damage_checkpoint(const char *folder, const char *kind, int update)
{
    char path[4200];
    struct stat st;
    snprintf(path, sizeof path, "%s/checkpoints/%s-%d.safetensors", folder, kind, update);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fstat(fileno(f), &st);
    fseek(f, st.st_size / 2, SEEK_SET);
    int byte = fgetc(f);
    fseek(f, st.st_size / 2, SEEK_SET);
    fputc(byte ^ 4, f);
    fclose(f);
}

static void a_damaged_checkpoint_falls_back_to_the_one_before(void **state)
{
    const char *folder = scratch_path("damaged");
    struct train_config c = config_make(20);
    c.resume = true;
    struct run first = run_training("transformer", folder, c);
    expect_ok(first.ret);
    damage_checkpoint(folder, "update", 20);
    c.max_updates = 40;
    struct run second = run_training("transformer", folder, c);
    expect_ok(second.ret);
    struct run whole = run_training("transformer", scratch_path("whole"), config_make(40));
    assert_same_weights(second.m, whole.m);
    model_free(first.m);
    model_free(second.m);
    model_free(whole.m);
}

static void a_damaged_checkpoint_takes_no_sound_ones_place(void **state)
{
    const char *folder = scratch_path("crowded");
    struct train_config c = config_make(30);
    c.validate_every = 14;
    struct run first = run_training("transformer", folder, c);
    expect_ok(first.ret);
    damage_checkpoint(folder, "update", 30);
    c.resume = true;
    c.keep_checkpoints = 1;
    c.max_updates = 29;                 /* from 28 */
    struct run second = run_training("transformer", folder, c);
    expect_ok(second.ret);
    assert_int_equal(checkpoint_newest(folder), 29);
    c.max_updates = 32;
    struct run third = run_training("transformer", folder, c);
    expect_ok(third.ret);
    assert_int_equal(third.report.updates, 32);
    model_free(first.m);
    model_free(second.m);
    model_free(third.m);
}

static void averages_and_early_stopping_follow_the_validations(void **state)
{
    struct train_config c = config_make(60);
    c.average = 3;
    c.ema = 0;
    struct run r = run_training("transformer", scratch_path("averaged"), c);
    expect_ok(r.ret);
    assert_true(isfinite(r.report.dev_nll));
    model_free(r.m);

    /* One that is damaged is no reason to lose the whole training. */
    damage_checkpoint(scratch_path("averaged"), "weights", 60);
    c.resume = true;
    c.max_updates = 70;
    r = run_training("transformer", scratch_path("averaged"), c);
    expect_ok(r.ret);
    assert_true(isfinite(r.report.dev_nll));
    model_free(r.m);

    c = config_make(100000);
    c.learning_rate = 1e-9f;        /* nothing is gained after a first validation or two */
    c.ema = 0;
    c.patience = 2;
    struct run stopped = run_training("transformer", scratch_path("stopped"), c);
    expect_ok(stopped.ret);
    assert_string_equal(stopped.report.why, "patience");
    assert_true(stopped.report.updates < 10000);
    model_free(stopped.m);
}

static void a_gradient_that_is_not_finite_stops_with_a_message(void **state)
{
    struct model *m = model_make("transformer");
    struct store *store = corpus_make(m, 100);
    struct batch_source train = batches_make(m, store, true);
    struct objective o = objective_cross_entropy(0);
    struct train_data data = { &train, NULL, NULL };
    struct train_config c = config_make(100);
    struct train_report report;
    c.validate_every = 0;
    m->params.block[40] = NAN;
    assert_int_equal(train_model(m, &o, &data, &c, scratch_path("nan"), &report, &err), -1);
    assert_non_null(strstr(err.text, "was not finite"));
    o.free(o.shared);
    train.free(train.state);
    store_close(store);
    model_free(m);
}

/* Cross-entropy that goes wrong in updates of our choice. */
static int wrong_from, wrong_to;
static struct objective inner;
static bool goes_wrong;

static int wrong_begin(void *worker, const struct batch *b, const struct moment *when, struct error *e)
{
    goes_wrong = when->update >= wrong_from && when->update < wrong_to;
    return 0;
}

static void wrong_chunk(void *worker, int first, int rows, int V, const int32_t *target, const float *weight,
                        float scale, float *logits, struct loss_sums *sums)
{
    inner.chunk(worker, first, rows, V, target, weight, scale, logits, sums);
    if (goes_wrong)
        logits[0] = INFINITY;
}

static int train_wrongly(struct model *m, const char *folder, int from, int to, struct train_config c)
{
    struct store *store = corpus_make(m, 100);
    struct batch_source train = batches_make(m, store, true);
    struct train_data data = { &train, NULL, NULL };
    struct train_report report;
    inner = objective_cross_entropy(0);
    struct objective o = inner;
    wrong_from = from;
    wrong_to = to;
    o.begin = wrong_begin;
    o.chunk = wrong_chunk;
    c.threads = 1;
    c.validate_every = 0;
    c.log_every = 1;
    int ret = train_model(m, &o, &data, &c, folder, &report, &err);
    o.free(o.shared);
    train.free(train.state);
    store_close(store);
    return ret;
}

static double last_rate(const char *folder)
{
    char path[4200], line[4096];
    double rate = NAN;
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (strstr(line, "\"rate\":"))
            rate = atof(strstr(line, "\"rate\":") + 7);
    fclose(f);
    return rate;
}

static void updates_that_are_not_finite_are_skipped_and_slow_the_next(void **state)
{
    struct model *m = model_make("transformer");
    struct train_config c = config_make(20);
    c.schedule = SCHEDULE_CONSTANT;
    c.warmup = 0;
    const char *folder = scratch_path("skipped");
    expect_ok(train_wrongly(m, folder, 5, 7, c));
    for (size_t i = 0; i < m->params.total; i++)
        assert_true(isfinite(m->params.block[i]));
    assert_true(fabs(last_rate(folder) - 0.25 * (double)c.learning_rate) < 1e-9);
    c.resume = true;
    c.max_updates = 310;            /* the rate is back, and the count was in the checkpoint */
    expect_ok(train_wrongly(m, folder, 0, 0, c));
    assert_true(fabs(last_rate(folder) - (double)c.learning_rate) < 1e-9);
    c.max_updates = 400;
    c.bad_updates = 4;
    assert_int_equal(train_wrongly(m, folder, 320, 400, c), -1);
    assert_non_null(strstr(err.text, "4 updates in a row, up to update 324, was not finite"));
    model_free(m);
}

static void weights_that_are_not_finite_take_no_checkpoints_place(void **state)
{
    const char *folder = scratch_path("infinite");
    struct train_config c = config_make(5);
    c.ema = 0;
    struct run good = run_training("transformer", folder, c);
    expect_ok(good.ret);
    c.resume = true;
    c.max_updates = 50;
    c.save_every = 1;
    c.learning_rate = INFINITY;
    struct run bad = run_training("transformer", folder, c);
    assert_int_equal(bad.ret, -1);
    assert_non_null(strstr(err.text, "go on with --resume from the last checkpoint"));
    assert_int_equal(checkpoint_newest(folder), 5);
    model_free(good.m);
    model_free(bad.m);
}

static void an_average_neither_begins_nor_ends_on_the_way(void **state)
{
    for (int on = 0; on < 2; on++) {
        struct train_config c = config_make(5);
        c.ema = on ? 0.9f : 0;
        struct run first = run_training("transformer", scratch_path("without"), c);
        expect_ok(first.ret);
        c.ema = on ? 0 : 0.9f;
        c.resume = true;
        c.max_updates = 10;
        struct run second = run_training("transformer", scratch_path("without"), c);
        assert_int_equal(second.ret, -1);
        assert_non_null(strstr(err.text, on ? "ema was on and is 0 now" : "ema was 0 and is on now"));
        model_free(first.m);
        model_free(second.m);
    }
}

static void a_run_without_an_end_is_refused(void **state)
{
    struct run r = run_training("transformer", scratch_path("endless"), config_make(0));
    assert_int_equal(r.ret, -1);
    assert_non_null(strstr(err.text, "max-updates"));
    model_free(r.m);
}

/* The gradient of a batch is the same whether it is worked through whole or in pieces. */
static void pieces_of_a_batch_add_up_to_its_gradient(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct model *m = model_make(archs[i]);
        m->config.dropout = 0;
        struct store *store = corpus_make(m, 60);
        struct batch_source train = batches_make(m, store, true);
        struct objective o = objective_cross_entropy(0.1f);
        struct batch b = { 0 };
        struct pool *one = pool_new(1), *three = pool_new(3);
        struct workers *whole = workers_new(m, &o, one, 1, 0, 0), *pieces = workers_new(m, &o, three, 1, 16, 0);
        struct loss_sums a = { 0 }, c = { 0 };
        assert_int_equal(train.next(train.state, &b, &err), 1);
        expect_ok(workers_run(whole, &b, &(struct moment){ 0 }, 0, &a, &err));
        expect_ok(workers_run(pieces, &b, &(struct moment){ 0 }, 0, &c, &err));
        assert_true(fabs(a.loss - c.loss) < 1e-4 * a.loss);
        assert_int_equal(a.gold_tokens, b.target_tokens);
        for (size_t k = 0; k < m->params.total; k++) {
            float sum = 0;
            for (int w = 0; w < 3; w++)
                sum += workers_grads(pieces)[w][k];
            if (fabsf(sum - workers_grads(whole)[0][k]) > 2e-4f * (1 + fabsf(sum)))
                fail_msg("weight %zu: %g and %g", k, (double)sum, (double)workers_grads(whole)[0][k]);
        }
        workers_free(whole);
        workers_free(pieces);
        pool_free(one);
        pool_free(three);
        batch_release(&b);
        o.free(o.shared);
        train.free(train.state);
        store_close(store);
        model_free(m);
    }
}

/* Products of rounded factors point the same way; only the last bits of a mantissa of 8 are at stake. */
static void gradients_at_bf16_are_close_to_those_at_fp32(void **state)
{
    if (precision_check(PRECISION_BF16, &err) < 0) {
        print_message("skipped: %s\n", err.text);
        skip();
    }
    for (int i = 0; i < 2; i++) {
        struct model *m = model_make(archs[i]);
        struct store *store = corpus_make(m, 60);
        struct batch_source train = batches_make(m, store, true);
        struct objective o = objective_cross_entropy(0.1f);
        struct batch b = { 0 };
        struct pool *pool = pool_new(1);
        struct workers *fp32 = workers_new(m, &o, pool, 1, 0, PRECISION_FP32);
        struct workers *bf16 = workers_new(m, &o, pool, 1, 0, PRECISION_BF16);
        struct loss_sums a = { 0 }, c = { 0 };
        double difference = 0, size = 0;
        assert_int_equal(train.next(train.state, &b, &err), 1);
        expect_ok(workers_run(fp32, &b, &(struct moment){ 0 }, 0, &a, &err));
        expect_ok(workers_run(bf16, &b, &(struct moment){ 0 }, 0, &c, &err));
        assert_true(a.loss != c.loss && fabs(a.loss - c.loss) < 2e-3 * a.loss);
        for (size_t k = 0; k < m->params.total; k++) {
            double x = (double)workers_grads(fp32)[0][k], y = (double)workers_grads(bf16)[0][k];
            difference += (x - y) * (x - y);
            size += x * x;
        }
        if (difference > 2e-2 * 2e-2 * size)
            fail_msg("%s: the gradients differ by %g of their length", archs[i], sqrt(difference / size));
        workers_free(fp32);
        workers_free(bf16);
        pool_free(pool);
        batch_release(&b);
        o.free(o.shared);
        train.free(train.state);
        store_close(store);
        model_free(m);
    }
}

static void schedules_follow_their_formulas(void **state)
{
    struct train_config c = { .learning_rate = 0.01f, .warmup = 100 };
    double rate = (double)c.learning_rate;
    static const int kinds[] = { SCHEDULE_INVERSE_SQRT, SCHEDULE_PLATEAU, SCHEDULE_CONSTANT, SCHEDULE_LINEAR };
    static const double at_400[] = { 0.5, 0.7, 1, 0.75 };
    for (int i = 0; i < 4; i++) {
        c.schedule = kinds[i];
        assert_true(fabs(schedule_rate(&c, 50, 0, 1) - rate * 0.5) < 1e-12);
        assert_true(fabs(schedule_rate(&c, 400, 0.25, 0.7) - rate * at_400[i]) < 1e-12);
    }
}

static void saved_models_load_with_the_same_weights_and_damage_is_noticed(void **state)
{
    for (int i = 0; i < 2; i++) {
        const char *folder = scratch_path(i ? "model-lstm" : "model-transformer");
        char path[4200];
        struct stat st;
        struct model *m = model_make(archs[i]);
        expect_ok(model_save(m, folder, &err));
        struct model *again = model_load(folder, &err);
        assert_non_null(again);
        assert_same_weights(m, again);
        assert_true(model_fingerprint(m) == model_fingerprint(again));
        model_free(again);

        snprintf(path, sizeof path, "%s/model.safetensors", folder);
        stat(path, &st);
        FILE *f = fopen(path, "r+b");
        fseek(f, st.st_size - 1000, SEEK_SET);
        int byte = fgetc(f);
        fseek(f, st.st_size - 1000, SEEK_SET);
        fputc(byte ^ 1, f);
        fclose(f);
        assert_null(model_load(folder, &err));
        assert_non_null(strstr(err.text, "checksum"));
        assert_non_null(strstr(err.text, path));

        for (off_t length = st.st_size - 1; length > 0; length = length * 2 / 3) {
            assert_int_equal(truncate(path, length), 0);
            assert_null(model_load(folder, &err));
            assert_non_null(strstr(err.text, path));
        }
        model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_toy_translation_is_learnt),
        cmocka_unit_test(the_same_seed_gives_the_same_bits),
        cmocka_unit_test(a_model_that_learns_to_be_rounded_moves_as_the_rounded_one_would),
        cmocka_unit_test(another_seed_gives_other_weights),
        cmocka_unit_test(a_resumed_run_ends_with_the_bits_of_an_undisturbed_one),
        cmocka_unit_test(an_interrupted_validation_is_made_again_on_resuming),
        cmocka_unit_test(another_training_in_the_same_folder_is_refused),
        cmocka_unit_test(a_damaged_checkpoint_falls_back_to_the_one_before),
        cmocka_unit_test(a_damaged_checkpoint_takes_no_sound_ones_place),
        cmocka_unit_test(averages_and_early_stopping_follow_the_validations),
        cmocka_unit_test(a_gradient_that_is_not_finite_stops_with_a_message),
        cmocka_unit_test(updates_that_are_not_finite_are_skipped_and_slow_the_next),
        cmocka_unit_test(weights_that_are_not_finite_take_no_checkpoints_place),
        cmocka_unit_test(an_average_neither_begins_nor_ends_on_the_way),
        cmocka_unit_test(a_run_without_an_end_is_refused),
        cmocka_unit_test(pieces_of_a_batch_add_up_to_its_gradient),
        cmocka_unit_test(gradients_at_bf16_are_close_to_those_at_fp32),
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(saved_models_load_with_the_same_weights_and_damage_is_noticed),
    };
    log_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
