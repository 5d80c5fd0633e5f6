/* Tests of decode/translate.h with toys behind a real tokenizer: a copying model must give back
 * every line in its place, whatever the threads, the batches and the windows. */
#include "tests/test.h"

#include <pthread.h>
#include <signal.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "decode/translate.h"
#include "tests/decode/toy_tokenizer.h"
#include "tests/decode/toys.h"

/* --- translators of toys --- */

struct toy_kind {
    void (*score)(const struct toy *, const struct toy_row *, float *);
    uint64_t seed;
};

static int toy_new(struct stepper *out, const void *arg, struct error *err)
{
    const struct toy_kind *kind = arg;
    *out = toy_stepper(tokenizer_vocab(tokenizer), kind->seed, kind->score);
    return 0;
}

static const struct toy_kind copies = { toy_copies, 0 }, random_toy = { toy_random, 3 };

static struct translator toy_translator(const struct toy_kind *kind)
{
    return (struct translator){ tokenizer, tokenizer, 0, NULL, kind, toy_new };
}

static struct search_config defaults(int beam)
{
    struct search_config c = { 0 };
    options_default((struct option_group[]){ { NULL, search_options, &c }, { NULL, NULL, NULL } });
    c.beam = beam;
    return c;
}

static struct decoder *toy_decoder(const struct toy_kind *kind, const struct search_config *config,
                                   int threads)
{
    struct error err;
    struct translator t = toy_translator(kind);
    struct decoder *d = decoder_new(&t, config, threads, &err);
    assert_non_null(d);
    return d;
}

/* Lines of 0 … 12 words; each is different, and some are empty. */
static struct strings random_lines(int count, uint64_t seed)
{
    static const char *const words[] = { "the", "quick", "brown", "foxes", "jump", "über", "dogs" };
    struct strings lines = { 0 };
    struct strbuf line = { 0 };
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (int i = 0; i < count; i++) {
        strbuf_reset(&line);
        if (rng_below(&rng, 8)) {
            strbuf_printf(&line, "%d", i);
            for (int n = (int)rng_below(&rng, 12); n > 0; n--)
                strbuf_printf(&line, " %s", words[rng_below(&rng, ARRAY_COUNT(words))]);
        }
        strings_add(&lines, line.text);
    }
    strbuf_release(&line);
    return lines;
}

static const char *const *texts(const struct strings *lines)
{
    return (const char *const *)lines->items;
}

/* --- order, empty lines, threads --- */

static void every_line_comes_back_in_its_place(void **state)
{
    struct strings lines = random_lines(300, 1);
    struct error err;
    for (int threads = 1; threads <= 5; threads += 2)
        for (int batch = 1; batch <= 64; batch *= 8) {
            struct search_config config = defaults(batch == 8 ? 2 : 1);
            struct translation out[300];
            config.batch_sentences = batch;
            struct decoder *d = toy_decoder(&copies, &config, threads);
            assert_int_equal(decoder_text(d, out, texts(&lines), lines.count, &err), 0);
            for (size_t i = 0; i < lines.count; i++) {
                assert_int_equal(out[i].count, 1);
                assert_string_equal(out[i].text[0], lines.items[i]);
            }
            assert_int_equal(decoder_stats(d)->lines, 300);
            translations_release(out, lines.count);
            decoder_free(d);
        }
    strings_release(&lines);
}

static void no_source_tokens(const struct toy *t, const struct toy_row *row, float *logp)
{
    assert_true(row->source_count > 1);
    toy_copies(t, row, logp);
}

static void lines_without_tokens_never_meet_the_model(void **state)
{
    static const char *const lines[] = { "", "fox", "   ", "\t", "" };
    static const struct toy_kind kind = { no_source_tokens, 0 };
    struct search_config config = defaults(2);
    struct translation out[5];
    struct error err;
    config.n_best = 2;
    struct decoder *d = toy_decoder(&kind, &config, 2);
    assert_int_equal(decoder_text(d, out, lines, 5, &err), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(out[i].count, i == 1 ? 2 : 1);
        assert_string_equal(out[i].text[0], i == 1 ? "fox" : "");
        assert_true(i == 1 || (out[i].best[0].logp == 0 && out[i].best[0].count == 0));
    }
    assert_int_equal(decoder_stats(d)->empty, 4);
    assert_int_equal(decoder_stats(d)->source_words, 1);
    translations_release(out, 5);
    assert_int_equal(decoder_text(d, out, lines, 0, &err), 0);          /* no lines at all */
    decoder_free(d);
}

static void assert_same(const struct translation *a, const struct translation *b)
{
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        assert_true(a->best[i].logp == b->best[i].logp && a->best[i].score == b->best[i].score);
        assert_int_equal(a->best[i].count, b->best[i].count);
        assert_memory_equal(a->best[i].ids, b->best[i].ids,
                            sizeof(int32_t) * (size_t)a->best[i].count);
        assert_string_equal(a->text[i], b->text[i]);
    }
}

static void results_depend_neither_on_threads_nor_on_batches(void **state)
{
    static const struct { int threads, sentences, tokens; } cases[] = {
        { 2, 64, 8192 }, { 3, 1, 8192 }, { 4, 5, 50 }, { 1, 16, 1 }
    };
    struct strings lines = random_lines(80, 2);
    struct translation base[80], out[80];
    struct search_config config = defaults(3);
    struct error err;
    config.n_best = 3;
    config.max_length_factor = 1;
    config.max_length_offset = 3;
    struct decoder *d = toy_decoder(&random_toy, &config, 1);
    assert_int_equal(decoder_text(d, base, texts(&lines), lines.count, &err), 0);
    decoder_free(d);
    for (size_t c = 0; c < ARRAY_COUNT(cases); c++) {
        config.batch_sentences = cases[c].sentences;
        config.batch_tokens = cases[c].tokens;
        d = toy_decoder(&random_toy, &config, cases[c].threads);
        assert_int_equal(decoder_text(d, out, texts(&lines), lines.count, &err), 0);
        for (size_t i = 0; i < lines.count; i++)
            assert_same(&out[i], &base[i]);
        translations_release(out, lines.count);
        decoder_free(d);
    }
    translations_release(base, lines.count);
    strings_release(&lines);
}

static void ids_give_what_text_gives(void **state)
{
    struct strings lines = random_lines(40, 3);
    struct ids sources[40] = { { 0 } };
    struct translation from_text[40], from_ids[40];
    struct search_config config = defaults(2);
    struct error err;
    config.max_length_factor = 1;
    struct decoder *d = toy_decoder(&random_toy, &config, 2);
    for (size_t i = 0; i < lines.count; i++)
        tokenizer_encode(tokenizer, &sources[i], lines.items[i], strlen(lines.items[i]));
    assert_int_equal(decoder_text(d, from_text, texts(&lines), 40, &err), 0);
    assert_int_equal(decoder_ids(d, from_ids, sources, 40, &err), 0);
    for (int i = 0; i < 40; i++) {
        assert_null(from_ids[i].text);
        assert_int_equal(from_ids[i].best[0].count, from_text[i].best[0].count);
        assert_true(from_ids[i].best[0].logp == from_text[i].best[0].logp);
        assert_memory_equal(from_ids[i].best[0].ids, from_text[i].best[0].ids,
                            sizeof(int32_t) * (size_t)from_ids[i].best[0].count);
        ids_release(&sources[i]);
    }
    translations_release(from_text, 40);
    translations_release(from_ids, 40);
    decoder_free(d);
    strings_release(&lines);
}

/* --- long lines --- */

static char *hundred_thousand_words(void)
{
    struct strbuf b = { 0 };
    for (int i = 0; i < 100000; i++)
        strbuf_puts(&b, i ? " fox" : "fox");
    return strbuf_detach(&b);
}

static void a_line_of_100000_tokens_is_cut_and_marked_or_refused(void **state)
{
    char *book = hundred_thousand_words();
    const char *lines[] = { "fox", book, "dogs" };
    struct search_config config = defaults(1);
    struct translation out[3];
    struct error err;
    config.max_source = 20;
    log_quiet(true);
    struct decoder *d = toy_decoder(&copies, &config, 2);
    assert_int_equal(decoder_text(d, out, lines, 3, &err), 0);
    assert_string_equal(out[0].text[0], "fox");
    assert_string_equal(out[2].text[0], "dogs");
    assert_int_equal(out[0].cut_tokens, 0);
    assert_int_equal(out[1].source_tokens, 20);
    assert_true(out[1].cut_tokens >= 100000 - 20);
    assert_int_equal(out[1].best[0].count, 20);
    assert_int_equal(decoder_stats(d)->truncated, 1);
    translations_release(out, 3);
    decoder_free(d);

    config.long_lines = LONG_REFUSE;
    d = toy_decoder(&copies, &config, 2);
    decoder_name_input(d, "book.txt", 7);
    assert_int_equal(decoder_text(d, out, lines, 3, &err), -1);
    assert_non_null(strstr(err.text, "book.txt:8: "));
    assert_non_null(strstr(err.text, "--max-source"));
    assert_int_equal(out[0].count, 0);
    decoder_free(d);
    log_quiet(false);
    free(book);
}

static void a_models_own_limit_holds_for_both_sides(void **state)
{
    static const char *const line = "fox fox fox fox fox fox fox fox fox fox fox fox fox fox fox fox";
    struct search_config config = defaults(1);
    struct translator t = toy_translator(&random_toy);
    struct translation out;
    struct error err;
    t.max_length = 9;
    config.min_length = 100;
    log_quiet(true);
    struct decoder *d = decoder_new(&t, &config, 1, &err);
    assert_int_equal(decoder_text(d, &out, &line, 1, &err), 0);
    assert_int_equal(out.source_tokens, 8);
    assert_int_equal(out.best[0].count, 8);
    assert_true(out.best[0].cut);
    assert_int_equal(decoder_stats(d)->cut, 1);
    translations_release(&out, 1);
    decoder_free(d);
    log_quiet(false);
}

/* --- streams --- */

static int append_line(void *arg, const struct translation *t, int64_t number, struct error *err)
{
    struct strings *got = arg;
    assert_int_equal(number, got->count + 1);
    strings_add(got, t->text[0]);
    return 0;
}

static int stream_file(const char *path, struct strings *got, int window, int threads,
                       struct error *err)
{
    struct search_config config = defaults(1);
    struct lines in = { 0 };
    config.window = window;
    struct decoder *d = toy_decoder(&copies, &config, threads);
    assert_int_equal(lines_open(&in, path, err), 0);
    int ret = decoder_stream(d, &in, append_line, got, err);
    lines_close(&in);
    decoder_free(d);
    return ret;
}

static void streams_give_a_line_a_line_at_every_window(void **state)
{
    static const int windows[] = { 1, 2, 7, 99, 100, 101, 4096 };
    struct strings lines = random_lines(100, 4);
    struct strbuf file = { 0 };
    struct error err;
    for (size_t i = 0; i < lines.count; i++)
        strbuf_printf(&file, "%s%s", lines.items[i], i == 50 ? "\r\n" : i == 99 ? "" : "\n");
    const char *path = scratch_path("stream.txt");
    write_text(path, file.text);
    size_t expected = lines.count - (lines.items[99][0] == '\0');       /* no line end, no line */
    for (size_t w = 0; w < ARRAY_COUNT(windows); w++) {
        struct strings got = { 0 };
        assert_int_equal(stream_file(path, &got, windows[w], 1 + (int)w % 3, &err), 0);
        assert_int_equal(got.count, expected);
        for (size_t i = 0; i < got.count; i++)
            assert_string_equal(got.items[i], lines.items[i]);
        strings_release(&got);
    }
    strings_release(&lines);
    strbuf_release(&file);
}

/* --- live streams: through a pipe, whose other end waits for answers --- */

struct talk {
    int pipe[2];
    struct decoder *d;
    struct strings got;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct error err;
    int ret;
};

static int answer(void *arg, const struct translation *t, int64_t number, struct error *err)
{
    struct talk *talk = arg;
    pthread_mutex_lock(&talk->lock);
    assert_int_equal(number, talk->got.count + 1);
    strings_add(&talk->got, t->text[0]);
    pthread_cond_signal(&talk->answered);
    pthread_mutex_unlock(&talk->lock);
    return 0;
}

static void *listen_to(void *arg)
{
    struct talk *talk = arg;
    struct lines in = { 0 };
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", talk->pipe[0]);
    assert_int_equal(lines_open(&in, path, &talk->err), 0);
    talk->ret = decoder_live(talk->d, &in, answer, talk, &talk->err);
    lines_close(&in);
    return NULL;
}

static void say(const struct talk *talk, const char *text)
{
    assert_int_equal(write(talk->pipe[1], text, strlen(text)), strlen(text));
}

static void each_line_is_answered_before_the_next_is_said(void **state)
{
    for (int threads = 1; threads <= 3; threads += 2) {
        struct talk talk = { .lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER };
        struct search_config config = defaults(2);
        struct strings lines = random_lines(40, 5);
        pthread_t thread;
        assert_int_equal(pipe(talk.pipe), 0);
        talk.d = toy_decoder(&copies, &config, threads);
        assert_int_equal(pthread_create(&thread, NULL, listen_to, &talk), 0);
        say(&talk, "\n");                       /* what the reader wants to tell the format by */
        say(&talk, "fox fox fox\n");
        for (size_t i = 0; i < lines.count; i++) {
            say(&talk, lines.items[i]);
            say(&talk, "\n");
            pthread_mutex_lock(&talk.lock);
            while (talk.got.count < i + 3)
                pthread_cond_wait(&talk.answered, &talk.lock);
            pthread_mutex_unlock(&talk.lock);
            assert_string_equal(talk.got.items[i + 2], lines.items[i]);
        }
        close(talk.pipe[1]);
        pthread_join(thread, NULL);
        assert_int_equal(talk.ret, 0);
        assert_int_equal(decoder_stats(talk.d)->lines, 42);
        close(talk.pipe[0]);
        decoder_free(talk.d);
        strings_release(&talk.got);
        strings_release(&lines);
    }
}

static void a_flood_of_lines_comes_back_in_order(void **state)
{
    const char *path = scratch_path("flood.txt");
    struct strings lines = random_lines(5000, 6);
    struct strbuf text = { 0 };
    for (size_t i = 0; i < lines.count; i++)
        strbuf_printf(&text, "%s\n", lines.items[i]);
    write_text(path, text.text);
    for (int threads = 1; threads <= 4; threads += 3) {
        struct search_config config = defaults(1);
        struct strings got = { 0 };
        struct lines in = { 0 };
        struct error err;
        struct decoder *d = toy_decoder(&copies, &config, threads);
        assert_int_equal(lines_open(&in, path, &err), 0);
        assert_int_equal(decoder_live(d, &in, append_line, &got, &err), 0);
        assert_int_equal(got.count, 5000);
        for (size_t i = 0; i < lines.count; i++)
            assert_string_equal(got.items[i], lines.items[i]);
        lines_close(&in);
        strings_release(&got);
        decoder_free(d);
    }
    strbuf_release(&text);
    strings_release(&lines);
}

static void what_stands_before_a_bad_line_is_answered(void **state)
{
    static const char *const texts_of[] = { "fox\ndogs\nb\377d\nfox\n", "fox\ndogs\nfox fox fox fox fox fox fox fox fox fox fox fox fox fox\nfox\n" };
    const char *path = scratch_path("bad.txt");
    for (int i = 0; i < 2; i++) {
        struct search_config config = defaults(1);
        struct strings got = { 0 };
        struct lines in = { 0 };
        struct error err;
        write_text(path, texts_of[i]);
        config.max_source = 12;
        config.long_lines = LONG_REFUSE;
        struct decoder *d = toy_decoder(&copies, &config, 2);
        assert_int_equal(lines_open(&in, path, &err), 0);
        assert_int_equal(decoder_live(d, &in, append_line, &got, &err), -1);
        assert_non_null(strstr(err.text, "bad.txt:3"));
        assert_int_equal(got.count, 2);
        lines_close(&in);
        strings_release(&got);
        decoder_free(d);
    }
}

static void an_empty_stream_gives_nothing(void **state)
{
    struct strings got = { 0 };
    struct error err;
    const char *path = scratch_path("empty.txt");
    write_text(path, "");
    assert_int_equal(stream_file(path, &got, 10, 2, &err), 0);
    assert_int_equal(got.count, 0);
}

static void lines_before_a_bad_one_are_written_and_the_bad_one_is_named(void **state)
{
    struct strings got = { 0 };
    struct error err;
    const char *path = scratch_path("bad.txt");
    write_text(path, "the fox\nthe dogs\nthe \xff fox\nthe fox\n");
    assert_int_equal(stream_file(path, &got, 10, 1, &err), -1);
    assert_int_equal(got.count, 2);
    assert_non_null(strstr(err.text, "bad.txt:3"));
    strings_release(&got);
}

static int refuse_second(void *arg, const struct translation *t, int64_t number, struct error *err)
{
    return number == 2 ? error_set(err, "the disk is full") : 0;
}

static void a_writer_that_fails_ends_the_stream(void **state)
{
    struct search_config config = defaults(1);
    struct lines in = { 0 };
    struct error err;
    const char *path = scratch_path("three.txt");
    write_text(path, "fox\ndogs\nfox\n");
    struct decoder *d = toy_decoder(&copies, &config, 1);
    assert_int_equal(lines_open(&in, path, &err), 0);
    assert_int_equal(decoder_stream(d, &in, refuse_second, NULL, &err), -1);
    assert_string_equal(err.text, "the disk is full");
    lines_close(&in);
    decoder_free(d);
}

/* --- text --- */

static void says_line_end(const struct toy *t, const struct toy_row *row, float *logp)
{
    int32_t next = row->prefix_count == 2 ? tokenizer_id(tokenizer, "<0x0A>")
                 : row->prefix_count < 4 ? row->source[row->prefix_count - 1] : TOY_EOS;
    for (int v = 0; v < t->vocab; v++)
        logp[v] = v == next ? -0.1f : -9;
}

static void a_line_end_in_the_output_becomes_a_space(void **state)
{
    static const struct toy_kind kind = { says_line_end, 0 };
    static const char *const line = "the the the";
    struct search_config config = defaults(1);
    struct translation out;
    struct error err;
    struct decoder *d = toy_decoder(&kind, &config, 1);
    assert_int_equal(decoder_text(d, &out, &line, 1, &err), 0);
    assert_int_equal(out.best[0].count, 3);
    struct strbuf plain = { 0 };
    tokenizer_decode(tokenizer, &plain, out.best[0].ids, 3);
    char *end = strchr(plain.text, '\n');
    assert_non_null(end);
    *end = ' ';
    assert_string_equal(out.text[0], plain.text);
    strbuf_release(&plain);
    translations_release(&out, 1);
    decoder_free(d);
}

static void words_and_tokens_are_counted(void **state)
{
    static const char *const lines[] = { "the quick fox", " dogs\t over ", "" };
    struct search_config config = defaults(1);
    struct translation out[3];
    struct error err;
    struct decoder *d = toy_decoder(&copies, &config, 2);
    assert_int_equal(decoder_text(d, out, lines, 3, &err), 0);
    const struct decode_stats *s = decoder_stats(d);
    assert_int_equal(s->source_words, 5);
    assert_int_equal(s->source_tokens, out[0].source_tokens + out[1].source_tokens);
    assert_int_equal(s->target_tokens, s->source_tokens);
    assert_int_equal(s->unusable, 0);
    assert_true(s->rows == s->target_tokens + 2 && s->seconds >= 0);
    translations_release(out, 3);
    decoder_free(d);
}

static void an_interrupt_is_told_and_leaves_nothing(void **state)
{
    static const char *const lines[] = { "the quick fox" };
    struct search_config config = defaults(1);
    struct translation out[1];
    struct error err;
    struct decoder *d = toy_decoder(&copies, &config, 1);
    interrupt_install();
    raise(SIGINT);
    assert_int_equal(decoder_text(d, out, lines, 1, &err), -1);
    assert_string_equal(err.text, "interrupted");
    assert_int_equal(out[0].count, 0);
    decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_comes_back_in_its_place),
        cmocka_unit_test(lines_without_tokens_never_meet_the_model),
        cmocka_unit_test(results_depend_neither_on_threads_nor_on_batches),
        cmocka_unit_test(ids_give_what_text_gives),
        cmocka_unit_test(a_line_of_100000_tokens_is_cut_and_marked_or_refused),
        cmocka_unit_test(a_models_own_limit_holds_for_both_sides),
        cmocka_unit_test(streams_give_a_line_a_line_at_every_window),
        cmocka_unit_test(each_line_is_answered_before_the_next_is_said),
        cmocka_unit_test(a_flood_of_lines_comes_back_in_order),
        cmocka_unit_test(what_stands_before_a_bad_line_is_answered),
        cmocka_unit_test(an_empty_stream_gives_nothing),
        cmocka_unit_test(lines_before_a_bad_one_are_written_and_the_bad_one_is_named),
        cmocka_unit_test(a_writer_that_fails_ends_the_stream),
        cmocka_unit_test(a_line_end_in_the_output_becomes_a_space),
        cmocka_unit_test(words_and_tokens_are_counted),
        cmocka_unit_test(an_interrupt_is_told_and_leaves_nothing),      /* the flag stays up: last */
    };
    return cmocka_run_group_tests(tests, train_tokenizer, drop_tokenizer);
}
