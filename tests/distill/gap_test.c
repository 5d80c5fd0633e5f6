/* The gap between a teacher and a student: its parts add up, a model has none to itself, tests see
 * what is there, and the page is whole. */
#include "tests/seq2seq/small_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "corpora/batch.h"
#include "decode/translate.h"
#include "distill/gap.h"
#include "distill/gap_parts.h"
#include "seq2seq/model.h"
#include "tensor/tape.h"
#include "tests/distill/page.h"
#include "tokenize/tokenizer.h"

static struct error err;

static struct model *model_with(const char *vocabulary, int dim, int64_t seed, enum tying tied)
{
    struct model_config c = small_config("transformer", dim);
    c.tied = tied;
    return small_model(&c, vocabulary, seed);
}

static struct model *model_of(const char *vocabulary, int dim, int64_t seed)
{
    return model_with(vocabulary, dim, seed, TIE_ALL);
}

static const char *const sources[] = {
    "the cat", "a dog runs over the grass", "two", "men play in the long grass with a ball and a dog that runs",
    "the man sees the cat on the table", "one two three four five six seven eight nine ten eleven twelve",
};
static const char *const references[] = {
    "die Katze", "ein Hund rennt", "zwei", "Männer spielen mit einem Ball", "der Mann sieht die Katze", "eins zwei drei",
};
#define LINES (sizeof sources / sizeof *sources)

static struct gap_voice voice_of(const struct model *const *models, int count)
{
    struct gap_voice v = { models, count, NULL, AVERAGE_PROBABILITY, translator_of_model(models[0]) };
    return v;
}

static struct search_config search_of(int beam)
{
    struct search_config search = { 0 };
    const struct option_group groups[] = { { NULL, search_options, &search }, { NULL } };
    options_default(groups);
    search.beam = beam;
    search.max_length = 12;             /* models that have learnt nothing do not end */
    return search;
}

/* With the references as the training text, each of whose pieces was seen at least once. */
static json_t *measured(const struct model *teacher, const struct model *student, bool training)
{
    const char *path = scratch_path("training.txt");
    FILE *f = fopen(path, "w");
    for (size_t i = 0; i < LINES; i++)
        for (int n = 0; n < 3; n++)
            fprintf(f, "%s\n", references[i]);
    fclose(f);
    /* as models that are loaded to decode: each sentence has its bits whatever stands beside it */
    struct model *views[] = { model_view_new(), model_view_new() };
    model_view_update(views[0], teacher);
    model_view_update(views[1], student);
    const struct model *first = views[0], *second = views[1];
    const struct gap_voice a = voice_of(&first, 1), b = voice_of(&second, 1);
    const struct gap_texts texts = { sources, references, LINES, training ? path : NULL };
    const struct gap_config config = { .samples = 200, .seed = 3 };
    const struct search_config search = search_of(3);
    json_t *gap = gap_measure(&a, &b, &texts, &search, &config, 2, &err);
    if (!gap)
        fail_msg("%s", err.text);
    model_view_free(views[0]);
    model_view_free(views[1]);
    return gap;
}

static double at(const json_t *object, const char *path)
{
    char key[64];
    while (*path) {
        size_t length = strcspn(path, "/");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        object = json_object_get(object, key);
        path += length + (path[length] == '/');
    }
    return json_is_number(object) ? json_number_value(object) : NAN;
}

static double mean_over(const json_t *bands, const char *path, const char *weight)
{
    double sum = 0, all = 0;
    json_t *band;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)bands, i, band) {
        sum += at(band, path) * at(band, weight);
        all += at(band, weight);
    }
    return sum / all;
}

static void bands_add_up_to_the_whole(void **state)
{
    static const char *const paths[] = { "teacher/nll", "student/nll", "teacher/right", "soft_cross_entropy", "divergence" };
    struct model *teacher = model_of("bpe", 24, 1), *student = model_of("bpe", 16, 2);
    json_t *gap = measured(teacher, student, true), *gold = json_object_get(gap, "gold");
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        double whole = at(gold, paths[i]);
        assert_true(fabs(mean_over(json_object_get(gap, "gold_by_length"), paths[i], "tokens") - whole) < 1e-6 * (1 + fabs(whole)));
        assert_true(fabs(mean_over(json_object_get(gap, "gold_by_frequency"), paths[i], "tokens") - whole) < 1e-6 * (1 + fabs(whole)));
    }
    assert_true(fabs(mean_over(json_object_get(gap, "by_length"), "student/mode_share", "lines")
                     - at(gap, "student/mode_share")) < 1e-9);
    assert_true(fabs(mean_over(json_object_get(gap, "by_length"), "agreement/greedy/overlap", "lines")
                     - at(gap, "agreement/greedy/overlap")) < 1e-9);
    assert_int_equal(json_array_size(json_object_get(gap, "by_length")), 3);    /* 1-5, 6-10, 11-15 */
    /* gold's tokens are the references' pieces and an end each */
    double pieces = 0;
    json_t *band;
    size_t i;
    json_array_foreach(json_object_get(gap, "by_frequency"), i, band)
        pieces += at(band, "reference_pieces");
    assert_true(pieces + LINES == at(gold, "tokens"));
    json_decref(gap);
    model_free(teacher);
    model_free(student);
}

static void tests_measure_the_difference_that_is_told(void **state)
{
    struct model *teacher = model_of("bpe", 24, 1), *student = model_of("bpe", 16, 2);
    json_t *gap = measured(teacher, student, true), *gold = json_object_get(gap, "gold");
    static const char *const keys[] = { "nll", "right", "calibration_error" };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        char test[64], a[64], b[64];
        snprintf(test, sizeof test, "significance/%s/difference", keys[i]);
        snprintf(a, sizeof a, "teacher/%s", keys[i]);
        snprintf(b, sizeof b, "student/%s", keys[i]);
        if (!(fabs(at(gold, test) - (at(gold, b) - at(gold, a))) < 1e-5))
            fail_msg("%s: %g, not %g", keys[i], at(gold, test), at(gold, b) - at(gold, a));
    }
    assert_true(fabs(at(gap, "significance/mode_share/difference")
                     - (at(gap, "student/mode_share") - at(gap, "teacher/mode_share"))) < 1e-9);
    assert_true(at(gap, "significance/bleu_beam/p") > 0 && at(gap, "significance/bleu_beam/p") <= 1);
    assert_true(at(gap, "significance/chrf_greedy/student_interval") >= 0);
    json_decref(gap);
    model_free(teacher);
    model_free(student);
}

static void a_model_has_no_gap_to_itself(void **state)
{
    struct model *m = model_of("bpe", 24, 1);
    json_t *gap = measured(m, m, true), *band;
    size_t i;
    assert_true(at(gap, "agreement/beam/exact") == 1 && at(gap, "agreement/greedy/overlap") == 1);
    assert_true(fabs(at(gap, "gold/divergence")) < 1e-6);
    assert_true(at(gap, "gold/significance/nll/difference") == 0);
    assert_true(at(gap, "gold/significance/nll/p") == 1 && at(gap, "significance/bleu_beam/p") == 1);
    json_array_foreach(json_object_get(gap, "by_frequency"), i, band)
        assert_true(!(at(band, "agreement/beam") < 1));         /* 1, or neither says such a piece */
    json_decref(gap);
    model_free(m);
}

static void the_same_call_gives_the_same_json(void **state)
{
    struct model *teacher = model_of("bpe", 24, 1), *student = model_of("bpe", 16, 2);
    json_t *a = measured(teacher, student, true), *b = measured(teacher, student, true);
    char *x = json_dumps(a, JSON_SORT_KEYS), *y = json_dumps(b, JSON_SORT_KEYS);
    size_t at = 0;
    while (x[at] && x[at] == y[at])
        at++;
    if (x[at])
        fail_msg("%.80s, then %.80s", x + (at < 60 ? 0 : at - 60), y + (at < 60 ? 0 : at - 60));
    free(x);
    free(y);
    json_decref(a);
    json_decref(b);
    model_free(teacher);
    model_free(student);
}

/* Beside the texts only how well each is calibrated, which is what it would be beside itself. */
static void other_vocabularies_are_compared_by_their_texts_and_calibration(void **state)
{
    struct model *teacher = model_of("char", 24, 1), *student = model_of("bpe", 16, 2);
    json_t *gap = measured(teacher, student, true), *own = measured(student, student, true), *its = measured(teacher, teacher, true);
    assert_null(json_object_get(json_object_get(gap, "gold"), "soft_cross_entropy"));
    assert_true(isnan(at(gap, "gold/student/nll")));
    assert_true(at(gap, "gold/student/calibration_error") == at(own, "gold/student/calibration_error"));
    assert_true(at(gap, "gold/teacher/calibration_error") == at(its, "gold/teacher/calibration_error"));
    assert_true(at(gap, "gold/teacher/tokens") == at(its, "gold/tokens"));
    assert_true(fabs(at(gap, "gold/significance/calibration_error/difference")
                     - (at(gap, "gold/student/calibration_error") - at(gap, "gold/teacher/calibration_error"))) < 1e-5);
    assert_int_equal(json_array_size(json_object_get(gap, "gold_by_length")), 3);
    json_decref(own);
    json_decref(its);
    assert_true(at(gap, "agreement/beam/overlap") >= 0);
    assert_non_null(json_object_get(gap, "by_frequency"));
    struct strbuf page = { 0 };
    gap_page(&page, gap, "other vocabularies", NULL);
    assert_stands_alone(page.text);
    assert_int_equal(occurrences(page.text, "role=\"img\""), 5 + 1 + 3 + 1);
    assert_non_null(strstr(page.text, "distributions are not compared"));
    strbuf_release(&page);
    json_decref(gap);
    model_free(teacher);
    model_free(student);
}

/* Over the bands of frequency, weighted by how many pieces each has: the whole, worked out from the
 * probabilities of the outputs' tokens. */
static void how_sure_a_model_is_of_its_pieces_is_that_of_its_outputs(void **state)
{
    struct model *m = model_of("bpe", 24, 1), *other = model_of("bpe", 16, 2), *view = model_view_new();
    const struct search_config search = search_of(3);
    struct translation out[LINES];
    double sum = 0, count = 0, told = 0, pieces = 0;
    json_t *gap = measured(other, m, true), *band;
    size_t k;
    model_view_update(view, m);
    assert_int_equal(translate_lines(out, view, sources, LINES, &search, 2, NULL, &err), 0);
    json_array_foreach(json_object_get(gap, "by_frequency"), k, band) {
        double from = at(band, "from"), to = at(band, "to"), mine = 0, n = 0;
        for (size_t i = 0; i < LINES; i++)
            for (int t = 0; t < out[i].best[0].count; t++) {
                int32_t id = out[i].best[0].ids[t];
                double seen = 0;
                for (size_t r = 0; r < LINES; r++) {
                    struct ids ids = { 0 };
                    tokenizer_encode(m->target_tokenizer, &ids, references[r], strlen(references[r]));
                    for (size_t x = 0; x < ids.count; x++)
                        seen += ids.items[x] == id ? 3 : 0;
                    ids_release(&ids);
                }
                if (seen < from || (isfinite(to) && seen > to))
                    continue;
                mine += exp((double)out[i].best[0].token_logp[t]);
                n++;
            }
        if (n > 0 && !(fabs(at(band, "student/piece_share") - mine / n) < 1e-9))
            fail_msg("%g … %g: %g, not %g", from, to, at(band, "student/piece_share"), mine / n);
        told += n > 0 ? at(band, "student/piece_share") * n : 0;
        pieces += n;
        sum += mine;
        count += n;
    }
    assert_true(count > 0 && pieces == count && fabs(told / pieces - sum / count) < 1e-9);
    translations_release(out, LINES);
    model_view_free(view);
    json_decref(gap);
    model_free(m);
    model_free(other);
}

static void the_page_shows_every_part(void **state)
{
    struct model *teacher = model_of("bpe", 24, 1), *student = model_of("bpe", 16, 2);
    json_t *gap = measured(teacher, student, true);
    struct strbuf page = { 0 };
    json_object_set_new(gap, "corpora", json_pack("{s:{s:f, s:f}, s:f}", "complexity", "gold", 2.5, "distilled", 1.25,
                                                  "faithfulness", 0.75));
    gap_page(&page, gap, "a <student> & \"its\" teacher", "test.en");
    assert_stands_alone(page.text);
    assert_non_null(strstr(page.text, "a &lt;student&gt; &amp; &quot;its&quot; teacher"));
    assert_int_equal(occurrences(page.text, "role=\"img\""), 9 + 7 + 1);
    assert_int_equal(occurrences(page.text, "<table"), 2);
    assert_non_null(strstr(page.text, "Complexity 1.2500 nats, that of gold 2.5000"));
    assert_non_null(strstr(page.text, ">11-15</text>"));
    strbuf_release(&page);
    json_decref(gap);
    gap = measured(teacher, student, false);            /* no training text: nothing by frequency */
    gap_page(&page, gap, "without", NULL);
    assert_stands_alone(page.text);
    assert_int_equal(occurrences(page.text, "role=\"img\""), 9 + 1);
    strbuf_release(&page);
    json_decref(gap);
    model_free(teacher);
    model_free(student);
}

static json_t *measured_as(const struct model *teacher, const struct model *student, size_t lines,
                           const struct search_config *search)
{
    const struct gap_voice a = voice_of(&teacher, 1), b = voice_of(&student, 1);
    const struct gap_texts texts = { sources, references, lines, NULL };
    const struct gap_config config = { .samples = 50, .seed = 3 };
    json_t *gap = gap_measure(&a, &b, &texts, search, &config, 2, &err);
    if (!gap)
        fail_msg("%s", err.text);
    return gap;
}

static void of_one_sentence_nothing_is_said_to_be_significant(void **state)
{
    static const char *const tests[] = { "significance/bleu_beam/p", "significance/mode_share/p", "gold/significance/nll/p" };
    struct model *teacher = model_of("bpe", 24, 1), *student = model_of("bpe", 16, 2);
    const struct search_config search = search_of(2);
    json_t *gap = measured_as(teacher, student, 1, &search), *two = measured_as(teacher, student, 2, &search);
    struct strbuf page = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(tests); i++)
        assert_true(isnan(at(gap, tests[i])) && isfinite(at(two, tests[i])));
    assert_true(isfinite(at(gap, "gold/significance/nll/difference")));
    gap_page(&page, gap, "one sentence", NULL);
    assert_stands_alone(page.text);
    assert_null(strstr(page.text, "nan"));
    strbuf_release(&page);
    json_decref(gap);
    json_decref(two);
    model_free(teacher);
    model_free(student);
}

/* Diverse beams stand beside plain greedy search. */
static void a_beam_in_groups_leaves_greedy_search_as_it_is(void **state)
{
    struct model *teacher = model_of("bpe", 24, 1), *student = model_of("bpe", 16, 2);
    struct search_config plain = search_of(4), groups = search_of(4);
    groups.groups = 2;
    json_t *a = measured_as(teacher, student, LINES, &plain), *b = measured_as(teacher, student, LINES, &groups);
    assert_true(at(a, "student/chrf_greedy") == at(b, "student/chrf_greedy"));
    json_decref(a);
    json_decref(b);
    model_free(teacher);
    model_free(student);
}

static void an_ensemble_teaches_as_one(void **state)
{
    struct model *first = model_of("bpe", 24, 1), *second = model_of("bpe", 16, 2), *student = model_of("bpe", 16, 3);
    const struct model *both[] = { first, second };
    const struct model *one = student;
    struct ensemble *ensemble = ensemble_new(both, NULL, 2, AVERAGE_PROBABILITY, &err);
    struct gap_voice teacher = { both, 2, NULL, AVERAGE_PROBABILITY, translator_of_ensemble(ensemble) };
    const struct gap_voice other = voice_of(&one, 1);
    const struct gap_texts texts = { sources, references, LINES, NULL };
    const struct gap_config config = { .samples = 50, .seed = 3 };
    const struct search_config search = search_of(2);
    json_t *gap = gap_measure(&teacher, &other, &texts, &search, &config, 1, &err);
    json_t *alone = measured(first, student, false);
    assert_non_null(gap);
    assert_true(fabs(at(gap, "gold/student/nll") - at(alone, "gold/student/nll")) < 1e-5);
    assert_true(fabs(at(gap, "gold/teacher/nll") - at(alone, "gold/teacher/nll")) > 1e-3);
    json_decref(gap);
    json_decref(alone);
    ensemble_free(ensemble);
    model_free(first);
    model_free(second);
    model_free(student);
}

/* ---- values that the test works out for itself ---- */

/* A model with opinions, which does not say one thing for ever: weights drawn wider, none of them tied. */
static struct model *sure_model(int dim, int64_t seed, float factor)
{
    struct model *m = model_with("bpe", dim, seed, TIE_NONE);
    for (size_t i = 0; i < m->params.total; i++)
        m->params.block[i] *= factor;
    return m;
}

/* Probabilities (target_tokens,V) of a batch's target places, from the logits of the pass itself. */
static double *probabilities(const struct model *m, const struct batch *b)
{
    struct tape tape = { .params = &m->params };
    size_t V = (size_t)m->config.target_vocab, rows = (size_t)b->target_tokens;
    float *logits = xcalloc(rows * V, sizeof *logits);
    double *p = xcalloc(rows * V, sizeof *p);
    struct tensor *h = model_hidden(m, &tape, b);
    model_logits(m, logits, h->data, h->rows);
    for (size_t n = 0; n < rows; n++) {
        double most = -INFINITY, sum = 0;
        for (size_t v = 0; v < V; v++)
            most = fmax(most, (double)logits[n * V + v]);
        for (size_t v = 0; v < V; v++)
            sum += p[n * V + v] = exp((double)logits[n * V + v] - most);
        for (size_t v = 0; v < V; v++)
            p[n * V + v] /= sum;
    }
    tape_release(&tape);
    free(logits);
    return p;
}

struct sums {
    double tokens, cross, divergence, nll[2], right[2], unsure[2][GAP_BINS];
};

static void add_place(struct sums *s, const double *q, const double *p, int V, int gold)
{
    const double *of[2] = { q, p };
    s->tokens++;
    for (int v = 0; v < V; v++) {
        s->cross -= q[v] * log(p[v]);
        s->divergence += q[v] * log(q[v] / p[v]);
    }
    for (int k = 0; k < 2; k++) {
        int best = 0;
        for (int v = 0; v < V; v++)
            best = of[k][v] > of[k][best] ? v : best;
        s->nll[k] -= log(of[k][gold]);
        s->right[k] += best == gold;
        s->unsure[k][(int)(of[k][best] * GAP_BINS)] += of[k][best] - (best == gold);
    }
}

static struct sums worked_out(const struct model *teacher, const struct model *student)
{
    struct sums s = { 0 };
    struct batch b = { 0 };
    struct ids source = { 0 }, target = { 0 };
    int V = student->config.target_vocab;
    for (size_t i = 0; i < LINES; i++) {
        source.count = target.count = 0;
        tokenizer_encode(student->source_tokenizer, &source, sources[i], strlen(sources[i]));
        tokenizer_encode(student->target_tokenizer, &target, references[i], strlen(references[i]));
        batch_reset(&b);
        batch_add(&b, source.items, (int)source.count, target.items, (int)target.count, model_bos(student),
                  model_eos(student), 0, 1);
        double *q = probabilities(teacher, &b), *p = probabilities(student, &b);
        for (int n = 0; n < b.target_tokens; n++)
            add_place(&s, q + (size_t)n * (size_t)V, p + (size_t)n * (size_t)V, V, b.output[n]);
        free(q);
        free(p);
    }
    batch_release(&b);
    ids_release(&source);
    ids_release(&target);
    return s;
}

static void assert_close(const json_t *gold, const char *path, double expected)
{
    if (!(fabs(at(gold, path) - expected) < 2e-4 * (1 + fabs(expected))))
        fail_msg("%s is %.7f, not %.7f", path, at(gold, path), expected);
}

static void figures_on_gold_are_those_of_the_logits(void **state)
{
    static const char *const sides[] = { "teacher", "student" };
    struct model *teacher = sure_model(24, 1, 2.5f), *student = sure_model(16, 2, 2.5f);
    json_t *gap = measured(teacher, student, false), *gold = json_object_get(gap, "gold");
    const struct sums s = worked_out(teacher, student);
    assert_true(at(gold, "tokens") == s.tokens);
    assert_close(gold, "soft_cross_entropy", s.cross / s.tokens);
    assert_close(gold, "divergence", s.divergence / s.tokens);
    assert_true(s.divergence / s.tokens > 0.1);
    for (int k = 0; k < 2; k++) {
        const json_t *side = json_object_get(gold, sides[k]);
        double error = 0;
        for (int bin = 0; bin < GAP_BINS; bin++)
            error += fabs(s.unsure[k][bin]);
        assert_close(side, "nll", s.nll[k] / s.tokens);
        assert_close(side, "right", s.right[k] / s.tokens);
        assert_close(side, "calibration_error", error / s.tokens);
    }
    json_decref(gap);
    model_free(teacher);
    model_free(student);
}

/* Twice the words that both texts have, each counted once, over all their words. */
static double words_in_common(const char *a, const char *b)
{
    char word[256], taken[256] = "";
    int common = 0, all = 0, used;
    for (const char *x = a; sscanf(x, "%255s%n", word, &used) == 1; x += used, all++) {
        char other[256];
        int place = 0, more;
        for (const char *y = b; sscanf(y, "%255s%n", other, &more) == 1; y += more, place++)
            if (!strcmp(word, other) && !taken[place]) {
                taken[place] = 1;
                common++;
                break;
            }
    }
    for (const char *y = b; sscanf(y, "%255s%n", word, &used) == 1; y += used)
        all++;
    return all ? 2.0 * common / all : 1;
}

/* The same model with its weights a little off: some outputs stay and some do not. */
static struct model *shaken(const struct model *m)
{
    struct model *other = sure_model(m->config.dim, 1, 2.5f);
    for (size_t i = 0; i < other->params.total; i++)
        other->params.block[i] *= i % 3 ? 1.01f : 0.99f;
    return other;
}

static void agreement_is_that_of_the_outputs(void **state)
{
    static const char *const modes[] = { "greedy", "beam" };
    struct model *models[2] = { sure_model(24, 1, 2.5f), NULL };
    models[1] = shaken(models[0]);
    json_t *gap = measured(models[0], models[1], false);
    for (int mode = 0; mode < 2; mode++) {
        struct translation out[2][LINES] = { 0 };
        const struct search_config search = search_of(mode ? 3 : 1);
        double exact = 0, overlap = 0;
        for (int k = 0; k < 2; k++) {
            struct model *view = model_view_new();
            model_view_update(view, models[k]);
            const struct translator t = translator_of_model(view);
            struct decoder *d = decoder_new(&t, &search, 1, &err);
            assert_int_equal(decoder_text(d, out[k], sources, LINES, &err), 0);
            decoder_free(d);
            model_view_free(view);
        }
        for (size_t i = 0; i < LINES; i++) {
            exact += !strcmp(out[0][i].text[0], out[1][i].text[0]);
            overlap += words_in_common(out[0][i].text[0], out[1][i].text[0]);
        }
        if (!(exact > 0 && exact < LINES && overlap > exact))
            fail_msg("%g outputs are equal, and %g in common: they are to differ in part", exact, overlap);
        const json_t *agreement = json_object_get(json_object_get(gap, "agreement"), modes[mode]);
        assert_true(at(agreement, "exact") == exact / LINES);
        assert_true(fabs(at(agreement, "overlap") - overlap / LINES) < 1e-12);
        for (int k = 0; k < 2; k++)
            translations_release(out[k], LINES);
    }
    json_decref(gap);
    model_free(models[0]);
    model_free(models[1]);
}

/* ---- the bootstrap itself ---- */

static json_t *tested(double shift, double noise, size_t n)
{
    static const struct gap_config config = { .samples = 1000, .seed = 5 };
    static const struct gap none = { .config = &config };
    struct gap_ratio *a = xcalloc(n, sizeof *a), *b = xcalloc(n, sizeof *b);
    for (size_t i = 0; i < n; i++) {
        a[i] = (struct gap_ratio){ (double)(i % 7), 3 };
        b[i] = (struct gap_ratio){ (double)(i % 7) + 3 * shift + (i % 2 ? noise : -noise), 3 };
    }
    json_t *it = gap_test_ratio(&none, a, b, n);
    free(a);
    free(b);
    return it;
}

/* Pairs that all differ by the same are no matter of chance, however much sentences differ; as much
 * noise as difference is. */
static void a_paired_test_sees_the_difference_and_not_the_sentences(void **state)
{
    json_t *sure = tested(0.01, 0, 400), *unsure = tested(0.01, 3, 400), *none = tested(0, 0, 400);
    assert_true(fabs(at(sure, "difference") - 0.01) < 1e-9 && at(sure, "p") < 0.002 && at(sure, "interval") < 1e-9);
    assert_true(fabs(at(unsure, "difference") - 0.01) < 1e-9 && at(unsure, "p") > 0.3);
    /* the deviation of the mean of ±1 over 400 is 0.05, and the central 95 % reach 1.96 of it */
    assert_true(fabs(at(unsure, "interval") - 0.098) < 0.012);
    assert_true(at(none, "p") == 1);
    json_decref(sure);
    json_decref(unsure);
    json_decref(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_add_up_to_the_whole),
        cmocka_unit_test(tests_measure_the_difference_that_is_told),
        cmocka_unit_test(a_model_has_no_gap_to_itself),
        cmocka_unit_test(the_same_call_gives_the_same_json),
        cmocka_unit_test(other_vocabularies_are_compared_by_their_texts_and_calibration),
        cmocka_unit_test(the_page_shows_every_part),
        cmocka_unit_test(of_one_sentence_nothing_is_said_to_be_significant),
        cmocka_unit_test(a_beam_in_groups_leaves_greedy_search_as_it_is),
        cmocka_unit_test(how_sure_a_model_is_of_its_pieces_is_that_of_its_outputs),
        cmocka_unit_test(an_ensemble_teaches_as_one),
        cmocka_unit_test(figures_on_gold_are_those_of_the_logits),
        cmocka_unit_test(agreement_is_that_of_the_outputs),
        cmocka_unit_test(a_paired_test_sees_the_difference_and_not_the_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
