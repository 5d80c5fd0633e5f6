/* The laws of an epoch's plan. */
#include "tests/test.h"

#include "base/memory.h"
#include "corpora/batching.h"
#include "tests/corpora/random_store.h"

enum { BOS = 1, EOS = 2, PAIRS = 3000, LONGEST = 50 };

static struct store *store;

static int open_store(void **state)
{
    store = random_store(scratch_path("batching.ids"), PAIRS, LONGEST, 11);
    return 0;
}

static int close_store(void **state)
{
    store_close(store);
    return 0;
}

static struct batching_config config(void)
{
    struct batching_config config = { 0 };
    options_default((struct option_group[]){ { NULL, batching_options, &config },
                                             { NULL, NULL, NULL } });
    config.batch_tokens = 500;
    return config;
}

static struct batch_source source_of(const struct batching_config *config, int64_t *skipped)
{
    struct batch_source source;
    struct error err = { 0 };
    if (batching_open(&source, store, BOS, EOS, config, skipped, &err) < 0)
        fail_msg("%s", err.text);
    return source;
}

/* A hash of what the next batch holds; 0 at the end of the epoch. */
static uint64_t next_hash(struct batch_source *source, struct batch *b)
{
    if (!source->next(source->state, b, NULL))
        return 0;
    uint64_t hash = (uint64_t)b->B;
    for (int i = 0; i < b->B; i++)
        hash = rng_mix(hash ^ (uint64_t)b->index[i]);
    for (int i = 0; i < b->target_tokens; i++)
        hash = rng_mix(hash ^ (uint64_t)b->output[i]);
    return hash;
}

static bool is_kept(int64_t pair, int max_length)
{
    int source, target;
    random_store_lengths(pair, LONGEST, 11, &source, &target);
    return source && target && source <= max_length && target <= max_length;
}

static void assert_pair(const struct batch *b, int i)
{
    int source, target;
    random_store_lengths(b->index[i], LONGEST, 11, &source, &target);
    assert_int_equal(b->source_start[i + 1] - b->source_start[i], source + 1);
    assert_int_equal(b->target_start[i + 1] - b->target_start[i], target + 1);
    for (int k = 0; k < source; k++)
        assert_int_equal(b->source[b->source_start[i] + k], random_store_token(b->index[i], k, 0));
    for (int k = 0; k < target; k++)
        assert_int_equal(b->output[b->target_start[i] + k], random_store_token(b->index[i], k, 1));
}

/* All pairs at once, and by parts of so many. */
enum { WINDOWS = 4 };
static const int64_t windows[WINDOWS] = { 0, 1, 700, PAIRS - 1 };

static void every_kept_sentence_comes_once_an_epoch(void **state)
{
    for (int n = 0; n < 2 * WINDOWS; n++) {
        struct batching_config c = config();
        int shuffle = n % 2;
        c.shuffle_window = windows[n / 2];
        int64_t skipped, sentences = 0, tokens = 0;
        struct batch b = { 0 };
        c.max_length = 40;
        c.shuffle = shuffle;
        struct batch_source source = source_of(&c, &skipped);
        for (int epoch = 0; epoch < 3; epoch++) {
            bool seen[PAIRS] = { false };
            sentences = tokens = 0;
            while (source.next(source.state, &b, NULL)) {
                for (int i = 0; i < b.B; i++) {
                    assert_false(seen[b.index[i]]);
                    seen[b.index[i]] = true;
                    assert_pair(&b, i);
                }
                sentences += b.B;
                tokens += b.target_tokens;
            }
            for (int64_t i = 0; i < PAIRS; i++)
                assert_int_equal(seen[i], is_kept(i, c.max_length));
        }
        assert_int_equal(sentences, source.sentences(source.state));
        assert_int_equal(tokens, source.tokens(source.state));
        assert_int_equal(sentences + skipped, PAIRS);
        batch_release(&b);
        source.free(source.state);
    }
}

static void batches_stay_within_the_budget_and_fill_it(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    int64_t batches = 0;
    c.batch_source_tokens = 600;
    c.batch_sentences = 90;
    struct batch_source source = source_of(&c, NULL);
    while (source.next(source.state, &b, NULL)) {
        assert_true(b.B > 0 && b.B <= 90);
        assert_true(b.target_tokens <= 500);
        assert_true(b.source_tokens <= 600);
        batches++;
    }
    assert_true(batches < source.tokens(source.state) / 500 * 5 / 4);
    batch_release(&b);
    source.free(source.state);
}

static void sentence_beyond_the_budget_is_a_batch_of_its_own(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    int64_t sentences = 0;
    c.batch_tokens = 10;
    struct batch_source source = source_of(&c, NULL);
    while (source.next(source.state, &b, NULL)) {
        assert_true(b.target_tokens <= 10 || b.B == 1);
        sentences += b.B;
    }
    assert_int_equal(sentences, source.sentences(source.state));
    batch_release(&b);
    source.free(source.state);
}

static int target_length(const struct batch *b, int i)
{
    return b->target_start[i + 1] - b->target_start[i];
}

static int source_length(const struct batch *b, int i)
{
    return b->source_start[i + 1] - b->source_start[i];
}

static void batches_hold_like_lengths_longest_first(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    double spread = 0;
    int batches = 0;
    struct batch_source source = source_of(&c, NULL);
    for (; source.next(source.state, &b, NULL); batches++) {
        for (int i = 1; i < b.B; i++) {
            assert_true(target_length(&b, i - 1) >= target_length(&b, i));
            if (target_length(&b, i - 1) == target_length(&b, i)) {
                assert_true(source_length(&b, i - 1) >= source_length(&b, i));
                if (source_length(&b, i - 1) == source_length(&b, i))
                    assert_true(b.index[i - 1] < b.index[i]);
            }
        }
        spread += target_length(&b, 0) - target_length(&b, b.B - 1);
    }
    assert_true(spread / batches < 6);          /* of lengths 2 … 50 */
    batch_release(&b);
    source.free(source.state);
}

static void without_shuffling_the_corpus_order_stays(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    c.shuffle = false;
    struct batch_source source = source_of(&c, NULL);
    for (int epoch = 0; epoch < 2; epoch++)
        for (int64_t last = -1; source.next(source.state, &b, NULL);)
            for (int i = 0; i < b.B; last = b.index[i++])
                assert_true(b.index[i] > last);
    batch_release(&b);
    source.free(source.state);
}

static void seed_and_epoch_make_the_order(void **state)
{
    struct batching_config c = config(), other = config();
    struct batch b = { 0 };
    other.seed = 2;
    struct batch_source one = source_of(&c, NULL), same = source_of(&c, NULL),
                        else_ = source_of(&other, NULL);
    uint64_t first[2], hash;
    for (int epoch = 0; epoch < 2; epoch++) {
        first[epoch] = next_hash(&one, &b);
        assert_true(first[epoch] == next_hash(&same, &b));
        assert_true(first[epoch] != next_hash(&else_, &b));
        do
            assert_true((hash = next_hash(&one, &b)) == next_hash(&same, &b));
        while (hash);
        while (next_hash(&else_, &b))
            ;
    }
    assert_true(first[0] != first[1]);
    batch_release(&b);
    one.free(one.state);
    same.free(same.state);
    else_.free(else_.state);
}

/* Batches of one epoch must not be the batches of the next in another order. */
static void companions_change_between_epochs(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    static int batch_of[PAIRS];
    int same = 0, pairs = 0, number = 0;
    struct batch_source source = source_of(&c, NULL);
    while (source.next(source.state, &b, NULL)) {
        for (int i = 0; i < b.B; i++)
            batch_of[b.index[i]] = number;
        number++;
    }
    while (source.next(source.state, &b, NULL))
        for (int i = 1; i < b.B; i++, pairs++)
            same += batch_of[b.index[i]] == batch_of[b.index[i - 1]];
    assert_true(same < pairs / 2);
    batch_release(&b);
    source.free(source.state);
}

static void restored_position_gives_the_same_batches(void **state)
{
    static const int steps[] = { 0, 1, 7, 100, 143, 144, 145, 146, 147, 148, 149, 150, 300 };
    struct batching_config c = config();
    struct batch b = { 0 };
    for (size_t n = 0; n < 2 * ARRAY_COUNT(steps); n++) {
        c.shuffle_window = n % 2 ? 700 : 0;
        struct batch_source one = source_of(&c, NULL), two = source_of(&c, NULL);
        for (int i = 0; i < steps[n / 2]; i++)
            next_hash(&one, &b);
        json_t *saved = one.save(one.state);
        char *text = json_dumps(saved, JSON_COMPACT);
        json_t *read = json_loads(text, 0, NULL);
        assert_int_equal(two.restore(two.state, read, NULL), 0);
        for (int i = 0; i < 400; i++)
            assert_true(next_hash(&one, &b) == next_hash(&two, &b));
        free(text);
        json_decref(saved);
        json_decref(read);
        one.free(one.state);
        two.free(two.state);
    }
    batch_release(&b);
}

static void parts_are_made_of_blocks_from_all_over(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    int64_t least = PAIRS, most = 0, first[2] = { 0, 0 };
    c.shuffle_window = 600;
    struct batch_source source = source_of(&c, NULL);
    for (int epoch = 0; epoch < 2; epoch++) {
        int64_t sentences = 0;
        while (source.next(source.state, &b, NULL)) {
            for (int i = 0; i < b.B && sentences < 400; i++, sentences++) {
                least = b.index[i] < least ? b.index[i] : least;
                most = b.index[i] > most ? b.index[i] : most;
                first[epoch] += b.index[i];
            }
        }
    }
    assert_true(least < PAIRS / 6 && most > PAIRS * 5 / 6);
    assert_true(first[0] != first[1]);
    batch_release(&b);
    source.free(source.state);
}

static void assert_refuses(struct batch_source *source, const json_t *position, const char *why)
{
    struct error err = { 0 };
    assert_int_equal(source->restore(source->state, position, &err), -1);
    assert_non_null(strstr(err.text, "cannot resume"));
    assert_non_null(strstr(err.text, why));
}

static void pairs_bring_their_weights(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    float *weights = xcalloc(PAIRS, sizeof *weights);
    struct batch_source source = source_of(&c, NULL);
    assert_int_equal(source.next(source.state, &b, NULL), 1);
    for (int i = 0; i < b.B; i++)
        assert_true(b.weight[i] == 1);
    source.free(source.state);
    for (int i = 0; i < PAIRS; i++)
        weights[i] = (float)i / 7;
    c.weights = weights;
    source = source_of(&c, NULL);
    while (source.next(source.state, &b, NULL) > 0)
        for (int i = 0; i < b.B; i++)
            assert_true(b.weight[i] == weights[b.index[i]]);
    source.free(source.state);
    batch_release(&b);
    free(weights);
}

static void foreign_positions_are_refused(void **state)
{
    struct batching_config c = config();
    struct batch b = { 0 };
    struct batch_source one = source_of(&c, NULL);
    json_t *saved = one.save(one.state);
    c.batch_tokens = 400;
    struct batch_source other_options = source_of(&c, NULL);
    assert_refuses(&other_options, saved, "batch-tokens was 500 and is 400");
    struct store *mine = store;
    store = random_store(scratch_path("other.ids"), 100, LONGEST, 12);
    c.batch_tokens = 500;
    struct batch_source other_corpus = source_of(&c, NULL);
    assert_refuses(&other_corpus, saved, "other.ids");
    json_object_set_new(saved, "batch", json_integer(1000000));
    assert_refuses(&one, saved, "does not exist");
    json_object_set_new(saved, "batch", json_integer(-1));
    assert_refuses(&one, saved, "does not exist");
    json_object_del(saved, "epoch");
    assert_refuses(&one, saved, "incomplete");
    assert_true(next_hash(&one, &b) != 0);
    json_decref(saved);
    one.free(one.state);
    other_options.free(other_options.state);
    other_corpus.free(other_corpus.state);
    store_close(store);
    store = mine;
    batch_release(&b);
}

static void line_of_100000_tokens_is_skipped_and_counted(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("long.ids");
    struct store_writer *w = store_writer_new(path, 0, 0, &err);
    int32_t *ids = calloc(100000, sizeof *ids);
    int64_t skipped = -1;
    struct batch b = { 0 };
    struct batch_source source;
    struct batching_config c = config();
    for (int i = 0; i < 10; i++)
        store_writer_add(w, ids, i == 4 ? 100000 : 5, ids, 5, &err);
    assert_int_equal(store_writer_commit(w, &err), 0);
    struct store *s = store_open(path, true, &err);
    assert_int_equal(batching_open(&source, s, BOS, EOS, &c, &skipped, &err), 0);
    assert_int_equal(skipped, 1);
    assert_int_equal(source.sentences(source.state), 9);
    assert_int_equal(source.next(source.state, &b, NULL), 1);
    assert_int_equal(b.B, 9);
    batch_release(&b);
    source.free(source.state);
    store_close(s);
    free(ids);
}

static void corpus_without_a_usable_pair_is_an_error(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("none.ids");
    struct store_writer *w = store_writer_new(path, 0, 0, &err);
    struct batch_source source;
    struct batching_config c = config();
    store_writer_add(w, NULL, 0, (int32_t[]){ 4 }, 1, &err);
    assert_int_equal(store_writer_commit(w, &err), 0);
    struct store *s = store_open(path, true, &err);
    assert_int_equal(batching_open(&source, s, BOS, EOS, &c, NULL, &err), -1);
    assert_non_null(strstr(err.text, "no sentence to use"));
    assert_non_null(strstr(err.text, path));
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kept_sentence_comes_once_an_epoch),
        cmocka_unit_test(batches_stay_within_the_budget_and_fill_it),
        cmocka_unit_test(sentence_beyond_the_budget_is_a_batch_of_its_own),
        cmocka_unit_test(batches_hold_like_lengths_longest_first),
        cmocka_unit_test(without_shuffling_the_corpus_order_stays),
        cmocka_unit_test(seed_and_epoch_make_the_order),
        cmocka_unit_test(companions_change_between_epochs),
        cmocka_unit_test(restored_position_gives_the_same_batches),
        cmocka_unit_test(parts_are_made_of_blocks_from_all_over),
        cmocka_unit_test(pairs_bring_their_weights),
        cmocka_unit_test(foreign_positions_are_refused),
        cmocka_unit_test(line_of_100000_tokens_is_skipped_and_counted),
        cmocka_unit_test(corpus_without_a_usable_pair_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}
