/* Features matched stage by stage (Gao 2018). */
#include "tests/seq2seq/toy_training.h"
#include "tests/seq2seq/small_model.h"

#include "base/hash.h"
#include "distill/match.h"

enum { UPDATES = 12, STAGES = 4 };      /* embeddings, one encoder layer, decoder, soft-max */

static struct model *model_of(int dim, int layers, int64_t seed)
{
    struct model_config c = small_config("transformer", dim);
    c.encoder_layers = layers;
    c.tied = TIE_NONE;
    return small_model(&c, "bpe", seed);
}

/* A source that notes, before each batch, what the weights of each stage are. */
struct watch {
    struct batch_source within;
    const struct model *student;
    uint64_t hash[STAGES * UPDATES + 1][STAGES];
    int calls;
};

static int stage_of(const char *weight)
{
    return !strncmp(weight, "encoder.", 8) ? 1 : !strncmp(weight, "decoder.", 8) || !strncmp(weight, "target.", 7) ? 2
         : !strncmp(weight, "output.", 7) ? 3 : 0;
}

static void note(struct watch *w)
{
    const struct param_set *set = &w->student->params;
    for (size_t i = 0; i < set->count; i++) {
        uint64_t *h = &w->hash[w->calls][stage_of(set->items[i].name)];
        *h = hash_bytes(set->block + set->items[i].offset, sizeof(float) * (size_t)set->items[i].rows * (size_t)set->items[i].cols, *h);
    }
    w->calls++;
}

static int watched_next(void *state, struct batch *b, struct error *e)
{
    struct watch *w = state;
    int more = w->within.next(w->within.state, b, e);
    if (more > 0)
        note(w);
    return more;
}

static json_t *match(struct model *student, const struct model *teacher, int updates, struct watch *watch)
{
    const struct match_config config = { .updates = updates, .learning_rate = 0.01f, .clip_norm = 1, .seed = 3 };
    struct store *store = corpus_make(student, 200);
    struct batch_source data = batches_make(student, store, true), watched = { .next = watched_next, .state = watch };
    json_t *figures = json_object();
    if (watch) {
        watch->within = data;
        watch->student = student;
    }
    expect_ok(match_model(student, teacher, watch ? &watched : &data, &config, 2, figures, &err));
    data.free(data.state);
    store_close(store);
    return figures;
}

static double figure(const json_t *figures, const char *name)
{
    const json_t *value = json_object_get(figures, name);
    assert_true(json_is_real(value));
    return json_real_value(value);
}

static void only_the_weights_of_the_stage_change(void **state)
{
    static struct watch w;
    struct model *teacher = model_of(24, 2, 1), *student = model_of(16, 1, 2);
    json_decref(match(student, teacher, UPDATES, &w));
    assert_int_equal(w.calls, STAGES * UPDATES);
    note(&w);
    for (int stage = 0; stage < STAGES; stage++)
        for (int group = 0; group < STAGES; group++) {
            bool changed = w.hash[stage * UPDATES][group] != w.hash[(stage + 1) * UPDATES][group];
            if (changed != (stage == group))
                fail_msg("stage %d %s the weights of stage %d", stage, changed ? "changes" : "leaves", group);
        }
    model_free(teacher);
    model_free(student);
}

static void features_come_nearer_through_projections(void **state)
{
    static const char *const losses[] = { "loss_embeddings", "loss_encoder_1", "loss_decoder", "loss_softmax" };
    struct model *teacher = model_of(24, 2, 1), *hasty = model_of(16, 1, 2), *patient = model_of(16, 1, 2);
    json_t *few = match(hasty, teacher, 1, NULL), *many = match(patient, teacher, 150, NULL);
    for (int i = 0; i < 4; i++) {       /* an untrained teacher's distributions are nearly even: little to gain at the end */
        double before = figure(few, losses[i]), after = figure(many, losses[i]);
        if (after >= (i < 3 ? 0.97 : 1) * before)
            fail_msg("%s: %g after many updates, %g after one", losses[i], after, before);
    }
    json_decref(few);
    json_decref(many);
    model_free(teacher);
    model_free(hasty);
    model_free(patient);
}

/* Of the same width there is no projection, and nothing to learn from a teacher with the same weights. */
static void a_student_with_the_teachers_weights_has_its_features(void **state)
{
    struct model *teacher = model_of(16, 2, 1), *same = model_of(16, 2, 1);
    json_t *figures = match(same, teacher, 1, NULL);
    assert_true(figure(figures, "loss_embeddings") == 0);
    assert_true(figure(figures, "loss_encoder_1") == 0);
    assert_true(figure(figures, "loss_encoder_2") == 0);
    assert_true(figure(figures, "loss_decoder") == 0);
    json_decref(figures);
    model_free(teacher);
    model_free(same);
}

static void other_architectures_are_refused(void **state)
{
    struct model *teacher = model_make("lstm"), *student = model_of(16, 1, 2);
    const struct match_config config = { .updates = 1, .learning_rate = 0.01f };
    json_t *figures = json_object();
    assert_int_equal(match_model(student, teacher, NULL, &config, 1, figures, &err), -1);
    assert_non_null(strstr(err.text, "between transformers"));
    json_decref(figures);
    model_free(teacher);
    model_free(student);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_weights_of_the_stage_change),
        cmocka_unit_test(features_come_nearer_through_projections),
        cmocka_unit_test(a_student_with_the_teachers_weights_has_its_features),
        cmocka_unit_test(other_architectures_are_refused),
    };
    log_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
