/* tokenize/tokenizer.c against golden files of spm_encode and spm_decode, against the library on
 * random bytes, and on damaged models. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "tokenize/sentencepiece.h"
#include "tokenize/tokenizer.h"

static const char *const names[] = { "unigram", "bpe", "bytes", "word", "char" };

static char *golden_path(const char *name, const char *end)
{
    return xasprintf("%s/golden/%s%s", TEST_DATA, name, end);
}

static char *golden(size_t *length, const char *name, const char *end)
{
    struct error err = { 0 };
    char *path = golden_path(name, end), *text;
    if (file_read(&text, length, path, &err) < 0)
        fail_msg("%s", err.text);
    free(path);
    return text;
}

static struct tokenizer *load(const char *name)
{
    struct error err = { 0 };
    char *path = golden_path(name, ".model");
    struct tokenizer *t = tokenizer_load(path, &err);
    if (!t)
        fail_msg("%s", err.text);
    free(path);
    return t;
}

/* getline's lines: text between line feeds, as the spm programs read them. */
static bool next_line(const char **line, size_t *length, const char **at, const char *end)
{
    if (*at >= end)
        return false;
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *length = (size_t)((feed ? feed : end) - *at);
    *at += *length + 1;
    return true;
}

static void add_id_text(struct strbuf *out, const struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        strbuf_printf(out, "%s%d", i ? " " : "", ids->items[i]);
}

static void read_id_text(struct ids *ids, const char *line, size_t length)
{
    const char *end = line + length;
    ids->count = 0;
    while (line < end) {
        char *stop;
        ARRAY_GROW(ids->items, ids->room, ids->count + 1);
        ids->items[ids->count++] = (int32_t)strtol(line, &stop, 10);
        line = stop + 1;
    }
}

static void to_ids(const struct tokenizer *t, struct strbuf *out, const char *line, size_t length)
{
    struct ids ids = { 0 };
    tokenizer_encode(t, &ids, line, length);
    add_id_text(out, &ids);
    ids_release(&ids);
}

static void from_ids(const struct tokenizer *t, struct strbuf *out, const char *line, size_t length)
{
    struct ids ids = { 0 };
    read_id_text(&ids, line, length);
    tokenizer_decode(t, out, ids.items, ids.count);
    ids_release(&ids);
}

/* Only the first 80 pieces of each line are decoded there. */
static void from_pieces(const struct tokenizer *t, struct strbuf *out, const char *line, size_t length)
{
    size_t end = 0;
    for (int spaces = 0; end < length; end++)
        if (line[end] == ' ' && ++spaces == 80)
            break;
    tokenizer_decode_pieces(t, out, line, end);
}

typedef void (*line_work)(const struct tokenizer *, struct strbuf *, const char *, size_t);

static void check_golden(const char *name, const char *from, const char *to, line_work work)
{
    struct tokenizer *t = load(name);
    struct strbuf out = { 0 };
    size_t in_length, want_length, length, line_number = 0;
    char *in = golden(&in_length, *from == '.' ? name : from, *from == '.' ? from : "");
    char *want = golden(&want_length, name, to);
    const char *line, *want_line = want, *at = in, *want_at = want;
    size_t want_line_length = 0;
    while (next_line(&line, &length, &at, in + in_length)) {
        line_number++;
        assert_true(next_line(&want_line, &want_line_length, &want_at, want + want_length));
        strbuf_reset(&out);
        work(t, &out, line, length);
        if (out.length != want_line_length || memcmp(out.text, want_line, out.length))
            fail_msg("%s%s line %zu:\n%.300s\nshould be\n%.300s", name, to, line_number, out.text,
                     want_line);
    }
    assert_false(next_line(&want_line, &want_line_length, &want_at, want + want_length));
    assert_true(line_number > 100);
    strbuf_release(&out);
    tokenizer_free(t);
    free(in);
    free(want);
}

static void ids_are_those_of_spm_encode(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        check_golden(names[i], "hard.txt", ".ids", to_ids);
}

static void pieces_are_those_of_spm_encode(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        check_golden(names[i], "hard.txt", ".pieces", tokenizer_encode_pieces);
}

static void text_from_ids_is_that_of_spm_decode(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        check_golden(names[i], ".ids", ".decoded", from_ids);
}

static void text_from_pieces_is_that_of_spm_decode(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        check_golden(names[i], ".pieces", ".joined", from_pieces);
}

/* ---- against the library ---- */

static struct spm *load_library(const char *name)
{
    struct error err = { 0 };
    size_t length;
    char *bytes = golden(&length, name, ".model");
    struct spm *sp = spm_load(bytes, length, name, &err);
    assert_non_null(sp);
    free(bytes);
    return sp;
}

static void compare(const struct tokenizer *t, const struct spm *sp, const char *text, size_t length)
{
    struct ids ours = { 0 }, theirs = { 0 };
    struct strbuf our_pieces = { 0 }, their_pieces = { 0 };
    tokenizer_encode(t, &ours, text, length);
    spm_encode(sp, &theirs, text, length);
    assert_int_equal(ours.count, theirs.count);
    if (ours.count)
        assert_memory_equal(ours.items, theirs.items, ours.count * sizeof *ours.items);
    tokenizer_encode_pieces(t, &our_pieces, text, length);
    spm_encode_pieces(sp, &their_pieces, text, length);
    assert_int_equal(our_pieces.length, their_pieces.length);
    if (our_pieces.length)
        assert_memory_equal(our_pieces.text, their_pieces.text, our_pieces.length);
    ids_release(&ours);
    ids_release(&theirs);
    strbuf_release(&our_pieces);
    strbuf_release(&their_pieces);
}

/* Bits of the hard text, of random bytes and of random characters, shuffled together. */
static void add_random(struct strbuf *out, struct rng *rng, const char *hard, size_t hard_length)
{
    size_t parts = 1 + rng_below(rng, 12);
    for (size_t i = 0; i < parts; i++) {
        size_t from = rng_below(rng, hard_length), length = 1 + rng_below(rng, 12);
        uint32_t c = (uint32_t)rng_below(rng, 4) ? (uint32_t)rng_below(rng, 0x3000)
                                                 : (uint32_t)rng_below(rng, 0x20000);
        switch (rng_below(rng, 4)) {
        case 0:
            strbuf_putc(out, (char)rng_below(rng, 256));
            break;
        case 1:
            strbuf_putc(out, (char)(0xf0 | c >> 18));
            strbuf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
            strbuf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
            strbuf_putc(out, (char)(0x80 | (c & 0x3f)));
            break;
        case 2:
            strbuf_putc(out, (char)(0xe0 | (c >> 12 & 0xf)));
            strbuf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
            strbuf_putc(out, (char)(0x80 | (c & 0x3f)));
            break;
        default:
            strbuf_add(out, hard + from, length < hard_length - from ? length : hard_length - from);
        }
    }
}

/* The library refuses lines in which a word or char model meets a control symbol's name. */
static bool holds_control(const struct strbuf *text)
{
    return memmem(text->text, text->length, "s>", 2);
}

static void random_bytes_are_encoded_as_the_library_does(void **state)
{
    size_t hard_length;
    char *hard = golden(&hard_length, "hard.txt", "");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct tokenizer *t = load(names[i]);
        struct spm *sp = load_library(names[i]);
        struct strbuf text = { 0 };
        struct rng rng;
        rng_seed(&rng, 7, i);
        for (int round = 0; round < 3000; round++) {
            strbuf_reset(&text);
            add_random(&text, &rng, hard, hard_length);
            if (!holds_control(&text))
                compare(t, sp, text.text, text.length);
        }
        strbuf_release(&text);
        spm_free(sp);
        tokenizer_free(t);
    }
    free(hard);
}

static void a_line_of_100000_words_is_encoded_as_the_library_does(void **state)
{
    struct strbuf text = { 0 };
    for (int i = 0; i < 100000; i++)
        strbuf_printf(&text, "%s ", i % 3 ? "children" : i % 2 ? "\xf0\x9f\x98\x80" : "Haus");
    for (size_t i = 0; i < 3; i++) {
        struct tokenizer *t = load(names[i]);
        struct spm *sp = load_library(names[i]);
        compare(t, sp, text.text, text.length);
        spm_free(sp);
        tokenizer_free(t);
    }
    strbuf_release(&text);
}

/* ---- the vocabulary ---- */

static void reserved_ids_and_kinds_are_told(void **state)
{
    struct tokenizer *t = load("bytes");
    assert_int_equal(tokenizer_vocab(t), 420);
    assert_int_equal(tokenizer_unk(t), 0);
    assert_int_equal(tokenizer_bos(t), 1);
    assert_int_equal(tokenizer_eos(t), 2);
    assert_int_equal(tokenizer_pad(t), 3);
    assert_true(tokenizer_is_control(t, 2));
    assert_false(tokenizer_is_control(t, 0));
    assert_int_equal(tokenizer_kind(t, 4), PIECE_BYTE);
    assert_string_equal(tokenizer_piece(t, 4), "<0x00>");
    assert_int_equal(tokenizer_id(t, "<0xFF>"), 259);
    assert_int_equal(tokenizer_id(t, "no such piece"), 0);
    assert_string_equal(tokenizer_type(t), "unigram");
    assert_string_equal(tokenizer_piece(t, 420), "");
    assert_string_equal(tokenizer_piece(t, -1), "");
    tokenizer_free(t);
    t = load("unigram");
    assert_int_equal(tokenizer_pad(t), -1);
    assert_int_equal(tokenizer_kind(t, tokenizer_id(t, "<sep>")), PIECE_USER_DEFINED);
    tokenizer_free(t);
}

static void every_piece_finds_its_id(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct tokenizer *t = load(names[i]);
        for (int32_t id = 0; id < tokenizer_vocab(t); id++)
            assert_int_equal(tokenizer_id(t, tokenizer_piece(t, id)), id);
        tokenizer_free(t);
    }
}

static void ids_beyond_the_vocabulary_are_skipped_in_decoding(void **state)
{
    struct tokenizer *t = load("unigram");
    struct strbuf with = { 0 }, without = { 0 };
    int32_t good = tokenizer_id(t, "man");
    int32_t ids[] = { -1, good, 1 << 30, good, 220 }, clean[] = { good, good };
    tokenizer_decode(t, &with, ids, ARRAY_COUNT(ids));
    tokenizer_decode(t, &without, clean, ARRAY_COUNT(clean));
    assert_string_equal(with.text, without.text);
    strbuf_release(&with);
    strbuf_release(&without);
    tokenizer_free(t);
}

static void fingerprints_tell_vocabularies_apart(void **state)
{
    struct tokenizer *a = load("unigram"), *b = load("unigram"), *c = load("bpe");
    assert_true(tokenizer_fingerprint(a) == tokenizer_fingerprint(b));
    assert_true(tokenizer_fingerprint(a) != tokenizer_fingerprint(c));
    tokenizer_free(a);
    tokenizer_free(b);
    tokenizer_free(c);
}

static void the_bytes_of_a_model_load_again(void **state)
{
    struct error err = { 0 };
    struct tokenizer *a = load("unigram");
    size_t length;
    const void *bytes = tokenizer_bytes(a, &length);
    struct tokenizer *b = tokenizer_from_bytes(bytes, length, "copy", &err);
    assert_non_null(b);
    assert_true(tokenizer_fingerprint(a) == tokenizer_fingerprint(b));
    tokenizer_free(a);
    tokenizer_free(b);
}

/* ---- sampling ---- */

static const char sentence[] = "The children would like to have some apples in the evening.";

static void sample_text(const struct tokenizer *t, struct strbuf *out, int nbest, float alpha,
                        struct rng *rng)
{
    struct ids ids = { 0 };
    tokenizer_sample(t, &ids, sentence, sizeof sentence - 1, nbest, alpha, rng);
    strbuf_reset(out);
    add_id_text(out, &ids);
    ids_release(&ids);
}

static const struct sampling { const char *model; int nbest; float alpha; } samplings[] = {
    { "unigram", -1, 0.2f }, { "unigram", 64, 0.1f }, { "bytes", -1, 0.3f }, { "bpe", 1, 0.2f },
};

static void samples_vary_repeat_with_the_state_and_decode_to_the_text(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(samplings); i++) {
        const struct sampling *s = &samplings[i];
        struct tokenizer *t = load(s->model);
        struct strbuf first = { 0 }, again = { 0 }, text = { 0 };
        int different = 0;
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct rng a, b;
            rng_seed(&a, seed, 0);
            rng_seed(&b, seed, 0);
            sample_text(t, &first, s->nbest, s->alpha, &a);
            sample_text(t, &again, s->nbest, s->alpha, &b);
            assert_string_equal(first.text, again.text);
            strbuf_reset(&text);
            from_ids(t, &text, first.text, first.length);
            assert_string_equal(text.text, sentence);
            sample_text(t, &again, s->nbest, s->alpha, &a);
            different += strcmp(first.text, again.text) != 0;
        }
        assert_true(different > 25);
        strbuf_release(&first);
        strbuf_release(&again);
        strbuf_release(&text);
        tokenizer_free(t);
    }
}

static void sampling_without_freedom_is_encoding(void **state)
{
    const struct sampling plain[] = { { "unigram", 1, 0.1f }, { "unigram", 0, 0.1f }, { "bpe", 1, 0 },
                                      { "unigram", -1, 1000 }, { "unigram", 5, 1000 },
                                      { "word", -1, 0.5f }, { "char", -1, 0.5f } };
    for (size_t i = 0; i < ARRAY_COUNT(plain); i++) {
        struct tokenizer *t = load(plain[i].model);
        struct strbuf sampled = { 0 }, best = { 0 };
        struct rng rng;
        rng_seed(&rng, 3, 0);
        sample_text(t, &sampled, plain[i].nbest, plain[i].alpha, &rng);
        to_ids(t, &best, sentence, sizeof sentence - 1);
        assert_string_equal(sampled.text, best.text);
        strbuf_release(&sampled);
        strbuf_release(&best);
        tokenizer_free(t);
    }
}

static void full_dropout_gives_characters(void **state)
{
    struct tokenizer *t = load("bpe");
    struct ids ids = { 0 };
    struct rng rng;
    rng_seed(&rng, 3, 0);
    tokenizer_sample(t, &ids, "the men", 7, 1, 1, &rng);
    assert_int_equal(ids.count, 8);     /* and the sign in front */
    ids_release(&ids);
    tokenizer_free(t);
}

/* The score of a line of ids, as text, under a unigram model. */
static double path_score(const struct tokenizer *t, const char *text)
{
    struct ids ids = { 0 };
    double sum = 0;
    read_id_text(&ids, text, strlen(text));
    for (size_t i = 0; i < ids.count; i++)
        sum += tokenizer_score(t, ids.items[i]);
    ids_release(&ids);
    return sum;
}

struct tally {
    char *text;
    double share;
    int count;
};

static int count_sample(struct tally *tally, int known, const char *text)
{
    int i = 0;
    while (i < known && strcmp(tally[i].text, text))
        i++;
    if (i == known)
        tally[known++].text = xstrdup(text);
    tally[i].count++;
    return known;
}

/* Among paths that were drawn, shares stand to each other as p^alpha. */
static void paths_are_drawn_by_their_probability(void **state)
{
    const float alpha = 0.7f;
    enum { DRAWS = 20000 };
    static const int nbests[] = { -1, 6 };
    struct tokenizer *t = load("unigram");
    for (size_t n = 0; n < ARRAY_COUNT(nbests); n++) {
        struct tally tally[400] = { 0 };
        struct strbuf text = { 0 };
        struct rng rng;
        int known = 0;
        double total = 0;
        rng_seed(&rng, 11, 0);
        for (int i = 0; i < DRAWS && known < 400; i++) {
            struct ids ids = { 0 };
            tokenizer_sample(t, &ids, "theman", 6, nbests[n], alpha, &rng);
            strbuf_reset(&text);
            add_id_text(&text, &ids);
            ids_release(&ids);
            known = count_sample(tally, known, text.text);
        }
        assert_true(known > 3 && known < 400);
        if (nbests[n] > 0)
            assert_int_equal(known, nbests[n]);
        for (int i = 0; i < known; i++)
            total += tally[i].share = exp(alpha * path_score(t, tally[i].text));
        for (int i = 0; i < known; i++) {
            double want = tally[i].share / total, got = (double)tally[i].count / DRAWS;
            assert_true(fabs(got - want) < 0.005 + 4 * sqrt(want / DRAWS));
            free(tally[i].text);
        }
        strbuf_release(&text);
    }
    tokenizer_free(t);
}

/* ---- bad models ---- */

static void refused(const char *path, const char *must_say)
{
    struct error err = { 0 };
    struct tokenizer *t = tokenizer_load(path, &err);
    assert_null(t);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, must_say));
    assert_null(strchr(err.text, '\n'));
}

static void files_that_are_no_models_are_refused(void **state)
{
    refused(scratch_path("absent.model"), "No such file");
    const char *path = scratch_path("text.model");
    write_text(path, "the man sees the dog\n");
    refused(path, "not a SentencePiece model");
    write_text(path, "");
    refused(path, "not a SentencePiece model");
    refused("/tmp", "");
}

static void a_model_cut_short_anywhere_is_refused(void **state)
{
    for (size_t i = 1; i < ARRAY_COUNT(names); i++) {
        size_t length;
        char *bytes = golden(&length, names[i], ".model");
        for (size_t cut = 0; cut < length; cut++) {
            struct error err = { 0 };
            struct tokenizer *t = tokenizer_from_bytes(bytes, cut, "cut.model", &err);
            if (t)
                fail_msg("%s cut to %zu of %zu bytes was loaded", names[i], cut, length);
            assert_non_null(strstr(err.text, "'cut.model'"));
        }
        free(bytes);
    }
}

static void use(const struct tokenizer *t, const char *text, size_t length)
{
    struct ids ids = { 0 };
    struct strbuf out = { 0 };
    struct rng rng;
    rng_seed(&rng, 5, 0);
    tokenizer_encode(t, &ids, text, length);
    tokenizer_sample(t, &ids, text, length, -1, 0.5f, &rng);
    tokenizer_sample(t, &ids, text, length, 4, 0.5f, &rng);
    tokenizer_decode(t, &out, ids.items, ids.count);
    tokenizer_encode_pieces(t, &out, text, length);
    ids_release(&ids);
    strbuf_release(&out);
}

/* Foreign models have no checksum: a damaged one may load, but nothing may go wrong with it. */
static void damaged_models_are_refused_or_harmless(void **state)
{
    size_t hard_length;
    char *hard = golden(&hard_length, "hard.txt", "");
    const char *tail = hard + (hard_length > 6000 ? hard_length - 6000 : 0);
    int refusals = 0;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        size_t length;
        char *bytes = golden(&length, names[i], ".model");
        struct rng rng;
        rng_seed(&rng, 23, i);
        for (int round = 0; round < 150; round++) {
            struct error err = { 0 };
            size_t at = rng_below(&rng, round % 2 && length > 4000 ? 4000 : length);
            char before = bytes[at];
            bytes[at] ^= (char)(1 << rng_below(&rng, 8));
            struct tokenizer *t = tokenizer_from_bytes(bytes, length, "flipped.model", &err);
            if (t)
                use(t, tail, 600 + rng_below(&rng, 400));
            else
                refusals++;
            tokenizer_free(t);
            bytes[at] = before;
        }
        free(bytes);
    }
    assert_true(refusals > 20);
    free(hard);
}

/* Rules for characters that point outside themselves, which the library would follow.  The rules
 * are the file's bulk; 4-byte units begin at some offset in it, of which all four are tried. */
static void damaged_character_rules_are_refused(void **state)
{
    static const struct damage { unsigned char bytes[4]; } damages[] = {
        { { 0x61, 0xff, 0xff, 0x7f } },         /* children far outside */
        { { 0x61, 0x05, 0x00, 0x00 } },         /* a rule ends here; its value is no value */
    };
    size_t length;
    char *bytes = golden(&length, "unigram", ".model");
    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        int refusals = 0;
        for (size_t at = 100000; at < 100400; at++) {
            struct error err = { 0 };
            char before[4];
            memcpy(before, bytes + at, 4);
            memcpy(bytes + at, damages[i].bytes, 4);
            struct tokenizer *t = tokenizer_from_bytes(bytes, length, "rules.model", &err);
            refusals += !t;
            tokenizer_free(t);
            memcpy(bytes + at, before, 4);
        }
        assert_true(refusals >= 300);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_spm_encode),
        cmocka_unit_test(pieces_are_those_of_spm_encode),
        cmocka_unit_test(text_from_ids_is_that_of_spm_decode),
        cmocka_unit_test(text_from_pieces_is_that_of_spm_decode),
        cmocka_unit_test(random_bytes_are_encoded_as_the_library_does),
        cmocka_unit_test(a_line_of_100000_words_is_encoded_as_the_library_does),
        cmocka_unit_test(reserved_ids_and_kinds_are_told),
        cmocka_unit_test(every_piece_finds_its_id),
        cmocka_unit_test(ids_beyond_the_vocabulary_are_skipped_in_decoding),
        cmocka_unit_test(fingerprints_tell_vocabularies_apart),
        cmocka_unit_test(the_bytes_of_a_model_load_again),
        cmocka_unit_test(samples_vary_repeat_with_the_state_and_decode_to_the_text),
        cmocka_unit_test(sampling_without_freedom_is_encoding),
        cmocka_unit_test(full_dropout_gives_characters),
        cmocka_unit_test(paths_are_drawn_by_their_probability),
        cmocka_unit_test(files_that_are_no_models_are_refused),
        cmocka_unit_test(a_model_cut_short_anywhere_is_refused),
        cmocka_unit_test(damaged_models_are_refused_or_harmless),
        cmocka_unit_test(damaged_character_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
