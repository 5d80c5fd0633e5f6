/* What both models say of the gold targets, with the tokens before them given. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/store.h"
#include "distill/gap_parts.h"
#include "tokenize/tokenizer.h"

/* ---- cells ---- */

static json_t *bins_json(const struct gap_side *s)
{
    json_t *bins = json_array();
    for (int i = 0; i < GAP_BINS; i++) {
        json_t *bin = json_pack("{s:f}", "tokens", s->bin_count[i]);
        gap_put(bin, "confidence", s->bin_confidence[i] / s->bin_count[i]);
        gap_put(bin, "right", s->bin_right[i] / s->bin_count[i]);
        json_array_append_new(bins, bin);
    }
    return bins;
}

static json_t *side_json(const struct gap_side *s, double tokens, bool bins)
{
    json_t *it = json_object();
    gap_put(it, "nll", s->nll / tokens);
    gap_put(it, "right", s->right / tokens);
    gap_put(it, "calibration_error", gap_calibration_error(s, tokens));
    if (bins)
        json_object_set_new(it, "calibration", bins_json(s));
    return it;
}

static json_t *cell_json(const struct gap_cell *c, bool bins)
{
    json_t *it = json_pack("{s:f, s:o, s:o}", "tokens", c->tokens, "teacher",
                           side_json(&c->teacher, c->tokens, bins), "student",
                           side_json(&c->student, c->tokens, bins));
    gap_put(it, "soft_cross_entropy", c->cross / c->tokens);
    gap_put(it, "divergence", (c->cross - c->entropy) / c->tokens);
    return it;
}

/* ---- tests ---- */

/* The tokens of the lines of a band of lengths, or all (-1), and of a band of frequencies, or all. */
struct part {
    const struct gap *g;
    const struct gap_row *const *rows;  /* one for each model, or the same twice */
    int length, frequency;
};

/* What a figure is made of, of one sentence, by one model: sums up over the pieces' bands. */
typedef void add_row(double *out, const struct gap_row *row, int model);

static void add_nll(double *out, const struct gap_row *row, int model)
{
    out[0] += row->nll[model];
    out[1] += row->tokens;
}

static void add_right(double *out, const struct gap_row *row, int model)
{
    out[0] += row->right[model];
    out[1] += row->tokens;
}

static double ratio(const double *sum)
{
    return sum[1] > 0 ? sum[0] / sum[1] : NAN;
}

/* The error of calibration: of each bin's confidence less right, the size, over the tokens. */
static void add_unsure(double *out, const struct gap_row *row, int model)
{
    out[0] += row->tokens;
    for (int bin = 0; bin < GAP_BINS; bin++)
        out[1 + bin] += (double)row->unsure[model][bin];
}

static double calibration(const double *sum)
{
    double error = 0;
    for (int bin = 0; bin < GAP_BINS; bin++)
        error += fabs(sum[1 + bin]);
    return sum[0] > 0 ? error / sum[0] : NAN;
}

static json_t *test(const struct part *p, add_row *add, size_t width, double (*figure)(const double *sum))
{
    const struct gap *g = p->g;
    double *rows[MODELS];
    size_t n = 0;
    for (int model = 0; model < MODELS; model++)
        rows[model] = xcalloc(g->texts->n * width + 1, sizeof **rows);
    for (size_t i = 0; i < g->texts->n; i++) {
        if (!gap_in_band(g, i, p->length))
            continue;
        for (int band = 0; band < GAP_BANDS; band++)
            for (int model = 0; model < MODELS && (p->frequency < 0 || band == p->frequency); model++)
                add(rows[model] + n * width, &p->rows[model][i * GAP_BANDS + (size_t)band], model);
        n++;
    }
    json_t *it = gap_test(g, &(struct gap_paired){ { rows[TEACHER], rows[STUDENT] }, n, width, figure });
    free(rows[TEACHER]);
    free(rows[STUDENT]);
    return it;
}

static void add_tests(const struct gap *g, json_t *cell, const struct gap_row *rows, int length, int frequency)
{
    const struct gap_row *const same[MODELS] = { rows, rows };
    const struct part part = { g, same, length, frequency };
    json_t *tests = json_object();
    json_object_set_new(tests, "nll", test(&part, add_nll, 2, ratio));
    json_object_set_new(tests, "right", test(&part, add_right, 2, ratio));
    json_object_set_new(tests, "calibration_error", test(&part, add_unsure, 1 + GAP_BINS, calibration));
    json_object_set_new(cell, "significance", tests);
}

static json_t *bands_json(const struct gap *g, const struct gap_cell *cells, const struct gap_row *rows, bool lengths)
{
    json_t *bands = json_array();
    for (int i = 0; i < GAP_BANDS; i++) {
        if (cells[i].tokens <= 0)
            continue;
        json_t *it = cell_json(&cells[i], false);
        add_tests(g, it, rows, lengths ? i : -1, lengths ? -1 : i);
        if (lengths)
            gap_set_band(it, gap_lengths[i], gap_lengths[i + 1]);
        else
            gap_set_band(it, gap_frequencies[i], gap_frequencies[i + 1]);
        json_array_append_new(bands, it);
    }
    return bands;
}

/* ---- the corpus ---- */

/* The test set as ids, in a nameless corner of the system's own. */
static struct store *write_store(const struct gap *g, int model, const char *path, struct error *err)
{
    const struct translator *t = &g->voice[model]->translator;
    struct store_writer *w = store_writer_new(path, tokenizer_fingerprint(t->source), tokenizer_fingerprint(t->target),
                                              err);
    struct ids source = { 0 }, target = { 0 };
    int ret = w ? 0 : -1;
    for (size_t i = 0; i < g->texts->n && ret == 0; i++) {
        source.count = target.count = 0;
        tokenizer_encode(t->source, &source, g->texts->sources[i], strlen(g->texts->sources[i]));
        tokenizer_encode(t->target, &target, g->texts->references[i], strlen(g->texts->references[i]));
        ret = store_writer_add(w, source.items, (int)source.count, target.items, (int)target.count, err);
    }
    ids_release(&source);
    ids_release(&target);
    if (ret < 0 && w)
        store_writer_abort(w);
    return ret == 0 && store_writer_commit(w, err) == 0 ? store_open(path, false, err) : NULL;
}

/* In the pieces of that model. */
static struct store *gold_store(const struct gap *g, int model, struct error *err)
{
    char *path = temporary_file("gap", err);
    if (!path)
        return NULL;
    struct store *store = write_store(g, model, path, err);
    unlink(path);                               /* mapped, it stays as long as it is needed */
    free(path);
    return store;
}

/* ---- of the same pieces ---- */

int gap_gold(const struct gap *g, json_t *out, struct error *err)
{
    struct gap_row *rows = xcalloc(g->texts->n * GAP_BANDS, sizeof *rows);
    struct store *store = gold_store(g, STUDENT, err);
    struct gap_tokens tokens;
    int ret = -1;
    if (store)
        ret = gap_tokens(&tokens, rows, g->voice[TEACHER], g->voice[STUDENT], store, g->words, g->seen, g->threads, err);
    if (ret == 0) {
        json_t *gold = cell_json(&tokens.all, true);
        add_tests(g, gold, rows, -1, -1);
        json_object_set_new(out, "gold", gold);
        json_object_set_new(out, "gold_by_length", bands_json(g, tokens.length, rows, true));
        if (g->seen)
            json_object_set_new(out, "gold_by_frequency", bands_json(g, tokens.frequency, rows, false));
    }
    store_close(store);
    free(rows);
    return ret;
}

/* ---- of other pieces ---- */

/* What each model says of gold in its own pieces: a cell's student is it. */
struct apart {
    struct gap_tokens tokens[MODELS];
    struct gap_row *rows[MODELS];
};

static int measure_apart(struct apart *a, const struct gap *g, struct error *err)
{
    int ret = 0;
    for (int model = 0; model < MODELS && ret == 0; model++) {
        struct store *store = gold_store(g, model, err);
        a->rows[model] = xcalloc(g->texts->n * GAP_BANDS, sizeof *a->rows[model]);
        ret = store ? gap_tokens(&a->tokens[model], a->rows[model], g->voice[model], g->voice[model], store, g->words, NULL,
                                 g->threads, err) : -1;
        store_close(store);
    }
    return ret;
}

/* A token's likelihoods do not compare, but how far each model's confidence is from the truth does. */
static json_t *apart_json(const struct apart *a, const struct gap *g, int length)
{
    const struct gap_row *const rows[MODELS] = { a->rows[TEACHER], a->rows[STUDENT] };
    const struct part part = { g, rows, length, -1 };
    json_t *it = json_object();
    for (int model = 0; model < MODELS; model++) {
        const struct gap_cell *c = length < 0 ? &a->tokens[model].all : &a->tokens[model].length[length];
        json_t *side = json_pack("{s:f}", "tokens", c->tokens);
        gap_put(side, "calibration_error", gap_calibration_error(&c->student, c->tokens));
        if (length < 0)
            json_object_set_new(side, "calibration", bins_json(&c->student));
        json_object_set_new(it, gap_models[model], side);
    }
    json_object_set_new(it, "significance", json_pack("{s:o}", "calibration_error",
                                                      test(&part, add_unsure, 1 + GAP_BINS, calibration)));
    return it;
}

int gap_gold_apart(const struct gap *g, json_t *out, struct error *err)
{
    struct apart a = { 0 };
    json_t *bands = json_array();
    int ret = measure_apart(&a, g, err);
    for (int band = 0; band < GAP_BANDS && ret == 0; band++) {
        if (!(a.tokens[TEACHER].length[band].tokens > 0))
            continue;
        json_t *it = apart_json(&a, g, band);
        gap_set_band(it, gap_lengths[band], gap_lengths[band + 1]);
        json_array_append_new(bands, it);
    }
    if (ret == 0) {
        json_object_set_new(out, "gold", apart_json(&a, g, -1));
        json_object_set(out, "gold_by_length", bands);
    }
    json_decref(bands);
    free(a.rows[TEACHER]);
    free(a.rows[STUDENT]);
    return ret;
}
