/* The student's own outputs as targets: which batches, whose outputs, and the exact position. */
#include "tests/test.h"

#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "decode/translate.h"
#include "distill/on_policy.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

static struct error err;

struct scene {
    struct model *student;
    struct store *store;
    struct batch_source source;
};

static struct model *student_make(void)
{
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    c.dim = 16;
    c.ffn = 32;
    c.heads = 2;
    c.encoder_layers = c.decoder_layers = 1;
    c.dropout = 0.3f;
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/char.model", &err);
    assert_non_null(t);
    struct model *m = model_new(&c, t, t, 5, &err);
    assert_non_null(m);
    return m;
}

static struct store *store_make(const struct model *m)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "corpus-%d.ids", number++);
    const char *path = scratch_path(name);
    uint64_t vocab = tokenizer_fingerprint(m->source_tokenizer);
    struct store_writer *w = store_writer_new(path, vocab, vocab, &err);
    struct rng rng;
    rng_seed(&rng, 3, 0);
    for (int i = 0; i < 120; i++) {
        int32_t source[8], target[8];
        int n = 1 + (int)rng_below(&rng, 7), k = 1 + (int)rng_below(&rng, 7);
        for (int j = 0; j < 8; j++) {
            source[j] = 4 + (int32_t)rng_below(&rng, 20);
            target[j] = 4 + (int32_t)rng_below(&rng, 20);
        }
        assert_int_equal(store_writer_add(w, source, n, target, k, &err), 0);
    }
    assert_int_equal(store_writer_commit(w, &err), 0);
    struct store *s = store_open(path, true, &err);
    assert_non_null(s);
    return s;
}

static struct batch_source gold_make(const struct scene *s)
{
    struct batching_config c = { .batch_tokens = 40, .max_length = 20, .seed = 6, .shuffle = true };
    struct batch_source gold;
    assert_int_equal(batching_open(&gold, s->store, model_bos(s->student), model_eos(s->student), &c, NULL, &err), 0);
    return gold;
}

static struct batch_source source_on_threads(const struct scene *s, const char *const *set, int threads)
{
    struct on_policy_config config = { 0 };
    const struct option_group groups[] = { { NULL, on_policy_options, &config }, { NULL } };
    struct batch_source gold = gold_make(s), out;
    options_default(groups);
    for (; *set; set += 2)
        assert_int_equal(options_set(groups, set[0], set[1], &err), 0);
    assert_int_equal(on_policy_open(&out, &gold, s->student, &config, 12, 9, threads, &err), 0);
    return out;
}

static struct batch_source source_make(const struct scene *s, const char *const *set)
{
    return source_on_threads(s, set, 2);
}

#define WITH(...) (const char *const[]){ __VA_ARGS__, NULL }
static void scene_open(struct scene *s, const char *const *set)
{
    *s = (struct scene){ .student = student_make() };
    s->store = store_make(s->student);
    s->source = source_make(s, set);
}

static void scene_close(struct scene *s)
{
    s->source.free(s->source.state);
    store_close(s->store);
    model_free(s->student);
}

/* The next batch, over the ends of epochs. */
static void draw_any(struct batch_source *source, struct batch *b, double progress)
{
    struct moment when = { .progress = progress };
    source->at(source->state, &when);
    int more = source->next(source->state, b, &err);
    if (more == 0)
        more = source->next(source->state, b, &err);
    if (more < 0)
        fail_msg("%s", err.text);
}

static void draw(struct batch_source *source, struct batch *b, double progress)
{
    draw_any(source, b, progress);
    assert_true(b->B > 0);
}

static void draw_gold(struct batch_source *gold, struct batch *b)
{
    int more = gold->next(gold->state, b, &err);
    assert_true(more > 0 || gold->next(gold->state, b, &err) > 0);
}

static bool same(const struct batch *a, const struct batch *b)
{
    if (!a->B || !b->B)
        return a->B == b->B;
    return a->B == b->B && a->sampled == b->sampled && a->target_tokens == b->target_tokens
        && !memcmp(a->source, b->source, (size_t)a->source_tokens * sizeof *a->source)
        && !memcmp(a->input, b->input, (size_t)a->target_tokens * sizeof *a->input)
        && !memcmp(a->output, b->output, (size_t)a->target_tokens * sizeof *a->output)
        && !memcmp(a->index, b->index, (size_t)a->B * sizeof *a->index);
}

static void without_a_share_the_batches_are_the_corpus(void **state)
{
    struct scene s;
    struct batch a = { 0 }, b = { 0 };
    scene_open(&s, WITH("on-policy", "linear 0 1"));
    struct batch_source gold = gold_make(&s);
    for (int i = 0; i < 30; i++) {
        draw(&s.source, &a, 0);
        draw_gold(&gold, &b);
        assert_true(same(&a, &b));
    }
    gold.free(gold.state);
    batch_release(&a);
    batch_release(&b);
    scene_close(&s);
}

/* Greedy outputs are those of the decoder, of the weights as they are at that moment. */
static void outputs_are_the_students_as_it_stands(void **state)
{
    struct scene s;
    struct batch a = { 0 }, b = { 0 };
    scene_open(&s, WITH("on-policy", "1", "on-policy-decoding", "greedy"));
    struct batch_source gold = gold_make(&s);
    struct search_config search = { 0 };
    const struct option_group groups[] = { { NULL, search_options, &search }, { NULL } };
    options_default(groups);
    search.beam = search.n_best = 1;
    search.max_length = 12;
    for (int i = 0; i < 6; i++) {
        draw(&s.source, &a, 0.5);
        draw_gold(&gold, &b);
        assert_true(a.sampled);
        assert_int_equal(a.B, b.B);
        assert_memory_equal(a.source, b.source, (size_t)b.source_tokens * sizeof *b.source);
        assert_memory_equal(a.index, b.index, (size_t)b.B * sizeof *b.index);
        for (int n = 0; n < b.B; n++) {
            struct ids source = { b.source + b.source_start[n], (size_t)(b.source_start[n + 1] - b.source_start[n] - 1), 0 };
            struct translation out;
            assert_int_equal(translate_ids(&out, s.student, &source, 1, &search, 1, NULL, &err), 0);
            int count = a.target_start[n + 1] - a.target_start[n] - 1;
            assert_int_equal(out.best[0].count, count);
            assert_memory_equal(out.best[0].ids, a.output + a.target_start[n], (size_t)count * sizeof(int32_t));
            assert_int_equal(a.input[a.target_start[n]], model_bos(s.student));
            translations_release(&out, 1);
        }
        for (size_t w = 0; w < s.student->params.total; w++)     /* learning */
            s.student->params.block[w] *= 1.1f;
    }
    gold.free(gold.state);
    batch_release(&a);
    batch_release(&b);
    scene_close(&s);
}

/* Threads take sentences from each other, so which are decoded side by side hangs on the clock: that
 * must not be seen, or a training would not come out the same twice. */
static void samples_do_not_hang_on_threads(void **state)
{
    static const int threads[] = { 1, 2, 3, 2 };
    struct scene s;
    struct batch first = { 0 }, b = { 0 };
    scene_open(&s, WITH("on-policy", "1"));
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        struct batch_source source = source_on_threads(&s, WITH("on-policy", "1"), threads[t]);
        for (int i = 0; i < 12; i++)
            draw(&source, t ? &b : &first, 0);
        if (t)
            assert_true(same(&first, &b));
        source.free(source.state);
    }
    batch_release(&first);
    batch_release(&b);
    scene_close(&s);
}

/* A view gives the same log-probabilities, to the bit, alone and among others. */
static void a_view_decodes_each_sentence_as_if_it_were_alone(void **state)
{
    struct scene s;
    struct batch b = { 0 };
    struct search_config search = { 0 };
    const struct option_group groups[] = { { NULL, search_options, &search }, { NULL } };
    scene_open(&s, WITH("on-policy", "0"));
    struct model *view = model_view_new();
    options_default(groups);
    search.beam = 3;
    search.max_length = 12;
    draw(&s.source, &b, 0);
    for (int round = 0; round < 2; round++) {
        struct translation *all = calloc((size_t)b.B, sizeof *all), one;
        struct ids *sources = calloc((size_t)b.B, sizeof *sources);
        model_view_update(view, s.student);
        for (int i = 0; i < b.B; i++)
            sources[i] = (struct ids){ b.source + b.source_start[i], (size_t)(b.source_start[i + 1] - b.source_start[i] - 1), 0 };
        assert_int_equal(translate_ids(all, view, sources, (size_t)b.B, &search, 2, NULL, &err), 0);
        for (int i = 0; i < b.B; i++) {
            assert_int_equal(translate_ids(&one, view, &sources[i], 1, &search, 1, NULL, &err), 0);
            assert_true(one.best[0].logp == all[i].best[0].logp);
            translations_release(&one, 1);
        }
        translations_release(all, (size_t)b.B);
        free(all);
        free(sources);
        for (size_t w = 0; w < s.student->params.total; w++)     /* learning */
            s.student->params.block[w] *= 1.1f;
    }
    model_view_free(view);
    batch_release(&b);
    scene_close(&s);
}

static void a_share_of_the_batches_is_the_students(void **state)
{
    static const struct { const char *course; double progress, share; } cases[] = {
        { "0.3", 0, 0.3 }, { "linear 0 1", 0.75, 0.75 }, { "exponential 0 1 200", 0.2, 0.653 },
    };
    for (size_t i = 0; i < 3; i++) {
        struct scene s;
        struct batch b = { 0 };
        int sampled = 0;
        scene_open(&s, WITH("on-policy", cases[i].course));
        for (int k = 0; k < 300; k++) {
            draw(&s.source, &b, cases[i].progress);
            sampled += b.sampled;
        }
        if (fabs(sampled / 300.0 - cases[i].share) > 0.08)      /* three deviations */
            fail_msg("%s: %d of 300", cases[i].course, sampled);
        batch_release(&b);
        scene_close(&s);
    }
}

static void samples_differ_from_batch_to_batch_and_not_from_run_to_run(void **state)
{
    struct scene s;
    struct batch a = { 0 }, b = { 0 }, c = { 0 };
    scene_open(&s, WITH("on-policy", "1"));
    struct batch_source again = source_make(&s, WITH("on-policy", "1"));
    draw(&s.source, &a, 0);
    draw(&again, &b, 0);
    assert_true(same(&a, &b));
    for (int i = 0; i < 40; i++)        /* into the next epoch */
        draw(&s.source, &c, 0);
    assert_false(same(&a, &c));
    again.free(again.state);
    batch_release(&a);
    batch_release(&b);
    batch_release(&c);
    scene_close(&s);
}

static const char *const replaying[] = { "on-policy", "0.7", "replay-buffer", "15", "replay-fresh", "0.4", NULL };

static void a_restored_position_goes_on_as_if_nothing_had_happened(void **state)
{
    struct scene s;
    struct batch a = { 0 }, b = { 0 };
    scene_open(&s, replaying);
    for (int i = 0; i < 23; i++)
        draw(&s.source, &a, 0.5);
    json_t *position = s.source.save(s.source.state);
    struct batch_source other = source_make(&s, replaying);
    assert_int_equal(other.restore(other.state, position, &err), 0);
    for (int i = 0; i < 60; i++) {
        draw(&s.source, &a, 0.5);
        draw(&other, &b, 0.5);
        assert_true(same(&a, &b));
    }
    json_t *first = s.source.save(s.source.state), *second = other.save(other.state);
    assert_true(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    /* a buffer of ids that no vocabulary has is refused, and so is a position of gold alone */
    json_array_set_new(json_array_get(json_array_get(json_object_get(position, "buffer"), 0), 1), 0, json_integer(1 << 30));
    assert_int_equal(other.restore(other.state, position, &err), -1);
    assert_non_null(strstr(err.text, "replay buffer"));
    assert_int_equal(other.restore(other.state, json_object_get(position, "within"), &err), -1);
    assert_non_null(strstr(err.text, "without on-policy"));
    json_decref(position);
    other.free(other.state);
    batch_release(&a);
    batch_release(&b);
    scene_close(&s);
}

static bool known(const struct batch *b, int n, const struct batch *made, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < made[i].B; k++) {
            int length = made[i].target_start[k + 1] - made[i].target_start[k];
            if (made[i].index[k] == b->index[n] && length == b->target_start[n + 1] - b->target_start[n]
                && !memcmp(made[i].output + made[i].target_start[k], b->output + b->target_start[n],
                           (size_t)length * sizeof(int32_t)))
                return true;
        }
    return false;
}

static void the_buffer_gives_outputs_that_were_made_before(void **state)
{
    struct scene s;
    struct batch made[3] = { { 0 } }, b = { 0 };
    scene_open(&s, WITH("on-policy", "1", "replay-buffer", "1000", "replay-fresh", "cut-off 1 50%"));
    for (int i = 0; i < 3; i++)
        draw(&s.source, &made[i], 0);
    for (int i = 0; i < 20; i++) {
        draw(&s.source, &b, 0.9);
        assert_true(b.sampled && b.target_tokens >= 20);
        for (int n = 0; n < b.B; n++)
            assert_true(known(&b, n, made, 3));
    }
    for (int i = 0; i < 3; i++)
        batch_release(&made[i]);
    batch_release(&b);
    scene_close(&s);
}

/* ---- pseudo-labels ---- */

static void end_bias(struct model *m, float by)
{
    param_data(&m->params, model_output(m, 0).bias)[model_eos(m)] += by;
}

/* Of the next batch of gold the sentences whose greedy output ends, and that as targets; counts the
 * others. */
static void labels_by_hand(const struct scene *s, struct batch_source *gold, struct batch *out, int *left_out)
{
    struct search_config search = { 0 };
    const struct option_group groups[] = { { NULL, search_options, &search }, { NULL } };
    struct batch b = { 0 };
    options_default(groups);
    search.beam = search.n_best = 1;
    search.max_length = 12;
    batch_reset(out);
    draw_gold(gold, &b);
    for (int n = 0; n < b.B; n++) {
        struct ids source = { b.source + b.source_start[n], (size_t)(b.source_start[n + 1] - b.source_start[n] - 1), 0 };
        struct translation t;
        assert_int_equal(translate_ids(&t, s->student, &source, 1, &search, 1, NULL, &err), 0);
        const struct hypothesis *h = &t.best[0];
        if (h->cut || !h->count)
            ++*left_out;
        else
            batch_add(out, source.items, (int)source.count, h->ids, h->count, model_bos(s->student),
                      model_eos(s->student), b.index[n], b.weight[n]);
        translations_release(&t, 1);
    }
    batch_release(&b);
}

static struct batch_source labelling(const struct scene *s)
{
    struct batch_source text = gold_make(s), out;
    assert_int_equal(on_policy_open(&out, &text, s->student, &on_policy_labels, 12, 9, 2, &err), 0);
    return out;
}

static void pseudo_labels_are_the_students_outputs_as_gold_but_for_those_that_do_not_end(void **state)
{
    struct scene s;
    struct batch a = { 0 }, b = { 0 };
    int left_out = 0, taken = 0;
    scene_open(&s, WITH("on-policy", "0"));
    for (size_t w = 0; w < s.student->params.total; w++)        /* fresh weights hardly ever end */
        s.student->params.block[w] *= 2;
    end_bias(s.student, 5.75f);
    struct batch_source labels = labelling(&s), text = gold_make(&s);
    for (int i = 0; i < 40; i++) {
        draw_any(&labels, &a, 0.5);
        labels_by_hand(&s, &text, &b, &left_out);
        assert_false(a.sampled);
        assert_true(same(&a, &b));
        taken += a.B;
        for (size_t w = 0; w < s.student->params.total; w++)     /* learning */
            s.student->params.block[w] *= 1.002f;
    }
    assert_true(left_out > 20 && taken > 20);
    struct on_policy_counts n = on_policy_count(&labels);
    assert_int_equal(n.left_out, left_out);
    assert_int_equal(n.made, left_out + taken);
    text.free(text.state);
    labels.free(labels.state);
    batch_release(&a);
    batch_release(&b);
    scene_close(&s);
}

static void restored_labelling_goes_on_and_counts_on(void **state)
{
    struct scene s;
    struct batch a = { 0 }, b = { 0 };
    scene_open(&s, WITH("on-policy", "0"));
    end_bias(s.student, 4);
    struct batch_source labels = labelling(&s), other = labelling(&s);
    for (int i = 0; i < 7; i++)
        draw_any(&labels, &a, 0.5);
    json_t *position = labels.save(labels.state);
    assert_int_equal(other.restore(other.state, position, &err), 0);
    for (int i = 0; i < 20; i++) {
        draw_any(&labels, &a, 0.5);
        draw_any(&other, &b, 0.5);
        assert_true(same(&a, &b));
    }
    struct on_policy_counts first = on_policy_count(&labels), second = on_policy_count(&other);
    assert_true(first.made > 27 && first.made == second.made && first.left_out == second.left_out);
    json_decref(position);
    labels.free(labels.state);
    other.free(other.state);
    batch_release(&a);
    batch_release(&b);
    scene_close(&s);
}

static void a_student_that_says_nothing_gives_no_labels(void **state)
{
    struct scene s;
    struct batch b = { 0 };
    scene_open(&s, WITH("on-policy", "0"));
    end_bias(s.student, 50);
    struct batch_source labels = labelling(&s);
    draw_any(&labels, &b, 0);
    assert_int_equal(b.B, 0);
    assert_true(on_policy_count(&labels).left_out > 0);
    labels.free(labels.state);
    batch_release(&b);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_share_the_batches_are_the_corpus),
        cmocka_unit_test(outputs_are_the_students_as_it_stands),
        cmocka_unit_test(samples_do_not_hang_on_threads),
        cmocka_unit_test(a_view_decodes_each_sentence_as_if_it_were_alone),
        cmocka_unit_test(a_share_of_the_batches_is_the_students),
        cmocka_unit_test(samples_differ_from_batch_to_batch_and_not_from_run_to_run),
        cmocka_unit_test(a_restored_position_goes_on_as_if_nothing_had_happened),
        cmocka_unit_test(the_buffer_gives_outputs_that_were_made_before),
        cmocka_unit_test(pseudo_labels_are_the_students_outputs_as_gold_but_for_those_that_do_not_end),
        cmocka_unit_test(restored_labelling_goes_on_and_counts_on),
        cmocka_unit_test(a_student_that_says_nothing_gives_no_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
