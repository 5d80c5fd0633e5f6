/* Teachers whose distributions were stored, whole or in part. */
#include "tests/distill/scene.h"

#include <sys/stat.h>

#include "corpora/soft_targets.h"
#include "corpora/store.h"

static const char *fresh_folder(void)
{
    static char path[4096];
    static int number;
    char name[16];
    snprintf(name, sizeof name, "soft%d", number++);
    snprintf(path, sizeof path, "%s", scratch_path(name));
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

/* A store of the corpus of batch_fill with the k likeliest of the teacher's. */
static struct soft_targets *stored_teacher(struct scene *s, const char *folder, int k, float temperature,
                                           struct store **corpus)
{
    char path[4096];
    const struct tokenizer *t = s->teacher->target_tokenizer;
    struct soft_shape shape = { .vocab = s->V, .k = k, .mass = 1, .temperature = temperature,
                                .source_vocab = tokenizer_fingerprint(t), .target_vocab = tokenizer_fingerprint(t),
                                .teacher = 1 };
    const struct model *models[] = { s->teacher };
    struct teacher *teacher = teacher_new(models, 1, &(struct teacher_config){ .temperature = temperature }, &err);
    struct teacher_worker *worker = teacher_worker_new(teacher);
    snprintf(path, sizeof path, "%s/0.soft", folder);
    json_t *about = json_object();
    shape.about = about;
    struct soft_writer *out = soft_writer_new(path, &shape, &err);
    assert_non_null(out);
    snprintf(path, sizeof path, "%s/corpus.ids", folder);
    struct store_writer *ids = store_writer_new(path, shape.source_vocab, shape.target_vocab, &err);
    teacher_begin(worker, &s->batch);
    teacher_rows(worker, s->a, 0, s->batch.target_tokens);
    for (int b = 0; b < s->batch.B; b++) {
        for (int r = s->batch.target_start[b]; r < s->batch.target_start[b + 1]; r++) {
            struct soft_entry entries[4096];
            float *q = s->a + (size_t)r * (size_t)s->V, gold = logf(q[s->batch.output[r]]);
            double rest = 1;
            for (int i = 0; i < k; i++) {
                int best = kernel->argmax(q, s->V);
                entries[i] = (struct soft_entry){ best, logf(q[best]) };
                rest -= (double)q[best];
                q[best] = -1;
            }
            soft_writer_row(out, entries, k, k == s->V || rest < 0 ? 0 : rest, gold);
        }
        assert_int_equal(soft_writer_sentence(out, sources[b], b + 2, targets[b], b + 1, &err), 0);
        assert_int_equal(store_writer_add(ids, sources[b], b + 2, targets[b], b + 1, &err), 0);
    }
    assert_int_equal(soft_writer_commit(out, &err), 0);
    assert_int_equal(store_writer_commit(ids, &err), 0);
    *corpus = store_open(path, true, &err);
    assert_non_null(*corpus);
    struct soft_targets *soft = soft_targets_open(folder, true, &err);
    assert_non_null(soft);
    assert_int_equal(soft_targets_bind(soft, *corpus, &err), 0);
    teacher_worker_free(worker);
    teacher_free(teacher);
    json_decref(about);
    return soft;
}

static void all_pieces_stored_equal_the_teacher_online(void **state)
{
    static const struct { const char *name, *set; float temperature; } cases[] = {
        { "word-kd", "alpha=1", 1 }, { "word-kd", "alpha=0.5", 1 }, { "word-kd", "temperature=2", 2 },
        { "word-kd", "temperature=2", 1 }, { "word-kd", "tail=bucket", 1 }, { "jsd", "beta=0.3", 1 },
        { "selective-kd", "share=0.4", 1 }, { "dkpp", "alpha=1", 1 }, { "cwtm", "temperature=1", 1 },
        { "kd-topk", "k=1", 1 }, { "tvd", "alpha=0.5", 1 }, { "double-distillation", "temperature=2", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = fresh_folder();
        struct store *corpus;
        struct scene s;
        scene_open(&s);
        struct soft_targets *soft = stored_teacher(&s, folder, s.V, cases[i].temperature, &corpus);
        double apart = compare(&s, make(s.teacher, NULL, 0, soft, cases[i].name, WITH(cases[i].set)),
                               taught(&s, cases[i].name, WITH(cases[i].set)));
        /* half precision of the stored logarithms; T² multiplies it */
        if (apart > 2e-3 * largest(s.b, s.size))
            fail_msg("%s %s: %g apart", cases[i].name, cases[i].set, apart);
        soft_targets_close(soft);
        store_close(corpus);
        scene_close(&s);
    }
}

static void few_pieces_stored_equal_the_same_few_of_the_teacher_online(void **state)
{
    static const char *const tails[] = { "tail=spread", "tail=renormalise", "tail=bucket" };
    for (int i = 0; i < 3; i++) {
        const char *folder = fresh_folder();
        struct store *corpus;
        struct scene s;
        scene_open(&s);
        struct soft_targets *soft = stored_teacher(&s, folder, 6, 1, &corpus);
        double apart = compare(&s, make(s.teacher, NULL, 0, soft, "word-kd", WITH(tails[i])),
                               taught(&s, "kd-topk", WITH(tails[i], "k=6")));
        if (apart > 1e-3)
            fail_msg("%s: %g apart", tails[i], apart);
        soft_targets_close(soft);
        store_close(corpus);
        scene_close(&s);
    }
}

static void what_a_store_cannot_do_is_refused(void **state)
{
    const char *folder = fresh_folder();
    struct store *corpus;
    struct scene s;
    scene_open(&s);
    struct soft_targets *soft = stored_teacher(&s, folder, 6, 1, &corpus);
    struct objective_needs needs = { .student = s.teacher, .soft = soft };
    struct objective o;
    struct kd_config config = { .temperature = 1, .tail = TAIL_BUCKET, .similarity = 1 };
    assert_int_equal(objective_kd(&o, &kd_similarity, &needs, &config, &err), -1);
    assert_non_null(strstr(err.text, "embeddings"));
    assert_int_equal(objective_kd(&o, &kd_jsd, &needs, &config, &err), -1);
    assert_non_null(strstr(err.text, "bucket"));
    o = make(s.teacher, NULL, 0, soft, "word-kd", NULL);
    void *worker = o.worker_new(o.shared, 0);
    s.batch.sampled = true;
    assert_int_equal(o.begin(worker, &s.batch, &(struct moment){ 0 }, &err), -1);
    assert_non_null(strstr(err.text, "own outputs"));
    o.worker_free(worker);
    done(&o);
    soft_targets_close(soft);
    store_close(corpus);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pieces_stored_equal_the_teacher_online),
        cmocka_unit_test(few_pieces_stored_equal_the_same_few_of_the_teacher_online),
        cmocka_unit_test(what_a_store_cannot_do_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
