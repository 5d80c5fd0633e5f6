/* The gap between a teacher and a student, as JSON. */
#include "distill/gap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"
#include "corpora/store.h"
#include "decode/translate.h"
#include "distill/gap_tokens.h"
#include "eval/metric.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

enum { TEACHER, STUDENT, MODELS };
enum { GREEDY, BEAM, MODES };
static const char *const model_names[MODELS] = { "teacher", "student" };
static const char *const mode_names[MODES] = { "greedy", "beam" };
static const char *const metric_names[] = { "bleu", "chrf" };
#define METRICS ARRAY_COUNT(metric_names)

struct gap {
    const struct model *models[MODELS];
    const struct gap_texts *texts;
    const struct gap_config *config;
    struct translation *out[MODELS][MODES];
    double *stats[MODELS][MODES][METRICS];      /* (n, width) */
    int *words;                                 /* of each source */
};

static void put(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static int word_count(const char *text)
{
    int count = 0;
    for (const char *c = text; *c; c++)
        count += *c != ' ' && (c == text || c[-1] == ' ');
    return count;
}

/* ---- decoding ---- */

static int decode(struct gap *g, int model, int mode, struct error *err)
{
    struct search_config search = g->config->search;
    if (mode == GREEDY)
        search.beam = search.n_best = 1;
    search.n_best = 1;
    g->out[model][mode] = xcalloc(g->texts->n, sizeof *g->out[model][mode]);
    return translate_lines(g->out[model][mode], g->models[model], g->texts->sources, g->texts->n, &search,
                           g->config->threads, NULL, err);
}

static const char *text_at(const struct gap *g, int model, int mode, size_t i)
{
    return g->out[model][mode][i].text[0];
}

static void count_metric(struct gap *g, int model, int mode, size_t metric, const struct metric_config *config)
{
    size_t n = g->texts->n;
    const struct metric *m = metric_find(metric_names[metric]);
    struct text *hyps = xcalloc(n, sizeof *hyps), *refs = xcalloc(n, sizeof *refs);
    for (size_t i = 0; i < n; i++) {
        hyps[i] = text_of(text_at(g, model, mode, i));
        refs[i] = text_of(g->texts->references[i]);
    }
    double *stats = g->stats[model][mode][metric] = xcalloc(n * (size_t)metric_width(m, config), sizeof *stats);
    metric_segments(stats, m, config, hyps, refs, n, 1, g->config->threads);
    free(hyps);
    free(refs);
}

static int decode_all(struct gap *g, struct error *err)
{
    struct metric_config config;
    metric_config_default(&config);
    for (int model = 0; model < MODELS; model++)
        for (int mode = 0; mode < MODES; mode++) {
            if (decode(g, model, mode, err) < 0)
                return -1;
            for (size_t k = 0; k < METRICS; k++)
                count_metric(g, model, mode, k, &config);
        }
    return 0;
}

/* ---- measures over some of the lines ---- */

/* band -1: all lines. */
static bool in_band(const struct gap *g, size_t i, int band)
{
    return band < 0 || gap_length_band(g->words[i]) == band;
}

static double score(const struct gap *g, int model, int mode, size_t metric, int band)
{
    struct metric_config config;
    struct metric_report report;
    double sum[METRIC_WIDTH_MAX] = { 0 };
    const struct metric *m = metric_find(metric_names[metric]);
    metric_config_default(&config);
    int width = metric_width(m, &config);
    for (size_t i = 0; i < g->texts->n; i++)
        for (int k = 0; k < width && in_band(g, i, band); k++)
            sum[k] += g->stats[model][mode][metric][i * (size_t)width + (size_t)k];
    metric_report(&report, m, &config, sum, 1);
    return report.score;
}

static double mode_share(const struct gap *g, int model, int band)
{
    double sum = 0, lines = 0;
    for (size_t i = 0; i < g->texts->n; i++)
        if (in_band(g, i, band)) {
            sum += exp(g->out[model][BEAM][i].best[0].logp);
            lines++;
        }
    return sum / lines;
}

static json_t *quality(const struct gap *g, int model, int band)
{
    json_t *it = json_object();
    for (int mode = 0; mode < MODES; mode++)
        for (size_t k = 0; k < METRICS; k++) {
            char *key = xasprintf("%s_%s", metric_names[k], mode_names[mode]);
            put(it, key, score(g, model, mode, k, band));
            free(key);
        }
    put(it, "mode_share", mode_share(g, model, band));
    return it;
}

/* ---- agreement ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct strings sorted_words(const char *text)
{
    struct strings words = { 0 };
    char *copy = xstrdup(text), *rest = copy, *word;
    while ((word = strsep(&rest, " ")))
        if (*word)
            strings_add(&words, word);
    free(copy);
    if (words.count)
        qsort(words.items, words.count, sizeof *words.items, by_text);
    return words;
}

/* F1 of the bags of words; 1 for two empty texts. */
static double overlap(const char *a, const char *b)
{
    struct strings x = sorted_words(a), y = sorted_words(b);
    size_t i = 0, k = 0, common = 0, all = x.count + y.count;
    while (i < x.count && k < y.count) {
        int order = strcmp(x.items[i], y.items[k]);
        common += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
    strings_release(&x);
    strings_release(&y);
    return all ? 2.0 * (double)common / (double)all : 1;
}

static json_t *agreement(const struct gap *g, int band)
{
    json_t *it = json_object();
    for (int mode = 0; mode < MODES; mode++) {
        double same = 0, shared = 0, lines = 0;
        for (size_t i = 0; i < g->texts->n; i++) {
            if (!in_band(g, i, band))
                continue;
            const char *a = text_at(g, TEACHER, mode, i), *b = text_at(g, STUDENT, mode, i);
            same += !strcmp(a, b);
            shared += overlap(a, b);
            lines++;
        }
        json_object_set_new(it, mode_names[mode], json_pack("{s:f, s:f}", "exact", lines ? same / lines : 0,
                                                            "overlap", lines ? shared / lines : 0));
    }
    return it;
}

/* ---- on gold ---- */

static json_t *bins_json(const struct gap_side *s)
{
    json_t *bins = json_array();
    for (int i = 0; i < GAP_BINS; i++) {
        json_t *bin = json_pack("{s:f}", "tokens", s->bin_count[i]);
        put(bin, "confidence", s->bin_confidence[i] / s->bin_count[i]);
        put(bin, "right", s->bin_right[i] / s->bin_count[i]);
        json_array_append_new(bins, bin);
    }
    return bins;
}

static json_t *side_json(const struct gap_side *s, double tokens, bool bins)
{
    json_t *it = json_object();
    put(it, "nll", s->nll / tokens);
    put(it, "right", s->right / tokens);
    put(it, "calibration_error", gap_calibration_error(s, tokens));
    if (bins)
        json_object_set_new(it, "calibration", bins_json(s));
    return it;
}

static json_t *cell_json(const struct gap_cell *c, bool bins)
{
    json_t *it = json_pack("{s:f, s:o, s:o}", "tokens", c->tokens, "teacher",
                           side_json(&c->teacher, c->tokens, bins), "student",
                           side_json(&c->student, c->tokens, bins));
    put(it, "soft_cross_entropy", c->cross / c->tokens);
    put(it, "divergence", (c->cross - c->entropy) / c->tokens);
    return it;
}

/* How often each target piece stands in a text. */
static int64_t *piece_counts(const struct tokenizer *t, const char *path, struct error *err)
{
    int64_t *count = xcalloc((size_t)tokenizer_vocab(t), sizeof *count);
    struct lines in = { 0 };
    struct ids ids = { 0 };
    int more = lines_open(&in, path, err);
    while (more == 0 && (more = lines_next(&in, err)) > 0) {
        ids.count = 0;
        tokenizer_encode(t, &ids, in.text, in.length);
        for (size_t i = 0; i < ids.count; i++)
            count[ids.items[i]]++;
        count[tokenizer_eos(t)]++;
        more = 0;
    }
    lines_close(&in);
    ids_release(&ids);
    if (more == 0)
        return count;
    free(count);
    return NULL;
}

static bool comparable(const struct gap *g)
{
    const struct model *a = g->models[TEACHER], *b = g->models[STUDENT];
    return tokenizer_fingerprint(a->target_tokenizer) == tokenizer_fingerprint(b->target_tokenizer)
        && tokenizer_fingerprint(a->source_tokenizer) == tokenizer_fingerprint(b->source_tokenizer);
}

/* The test set as ids, in a nameless corner of the system's own. */
static struct store *gold_store(const struct gap *g, const char *path, struct error *err)
{
    const struct model *m = g->models[STUDENT];
    struct store_writer *w = store_writer_new(path, tokenizer_fingerprint(m->source_tokenizer),
                                              tokenizer_fingerprint(m->target_tokenizer), err);
    struct ids source = { 0 }, target = { 0 };
    int ret = w ? 0 : -1;
    for (size_t i = 0; i < g->texts->n && ret == 0; i++) {
        source.count = target.count = 0;
        tokenizer_encode(m->source_tokenizer, &source, g->texts->sources[i], strlen(g->texts->sources[i]));
        tokenizer_encode(m->target_tokenizer, &target, g->texts->references[i], strlen(g->texts->references[i]));
        ret = store_writer_add(w, source.items, (int)source.count, target.items, (int)target.count, err);
    }
    ids_release(&source);
    ids_release(&target);
    if (ret < 0 && w)
        store_writer_abort(w);
    return ret == 0 && store_writer_commit(w, err) == 0 ? store_open(path, false, err) : NULL;
}

static json_t *bands_json(const struct gap_cell *cells, bool lengths)
{
    json_t *bands = json_array();
    for (int i = 0; i < GAP_BANDS; i++) {
        if (cells[i].tokens <= 0)
            continue;
        json_t *it = cell_json(&cells[i], false);
        json_int_t from = lengths ? gap_lengths[i] : gap_frequencies[i];
        json_int_t below = lengths ? gap_lengths[i + 1] : gap_frequencies[i + 1];
        json_object_set_new(it, "from", json_integer(from));
        json_object_set_new(it, "to", below ? json_integer(below - 1) : json_null());
        json_array_append_new(bands, it);
    }
    return bands;
}

static int measure_gold(struct gap *g, json_t *out, struct error *err)
{
    const char *training = g->texts->training_target;
    char path[] = "/tmp/coho-gap-XXXXXX";
    struct gap_tokens tokens;
    int64_t *count = NULL;
    int fd = mkstemp(path), ret = -1;
    if (fd < 0)
        return error_set(err, "cannot write in /tmp");
    close(fd);
    struct store *store = gold_store(g, path, err);
    unlink(path);                               /* mapped, it stays as long as it is needed */
    if (store && (!training || (count = piece_counts(g->models[STUDENT]->target_tokenizer, training, err))))
        ret = gap_tokens(&tokens, g->models[TEACHER], g->models[STUDENT], store, g->words, count,
                         g->config->threads, err);
    if (ret == 0) {
        json_object_set_new(out, "gold", cell_json(&tokens.all, true));
        json_object_set_new(out, "gold_by_length", bands_json(tokens.length, true));
        if (count)
            json_object_set_new(out, "gold_by_frequency", bands_json(tokens.frequency, false));
    }
    store_close(store);
    free(count);
    return ret;
}

/* ---- the whole ---- */

static json_t *part(const struct gap *g, int band)
{
    json_t *it = json_object();
    double lines = 0;
    for (size_t i = 0; i < g->texts->n; i++)
        lines += in_band(g, i, band);
    json_object_set_new(it, "lines", json_integer((json_int_t)lines));
    for (int model = 0; model < MODELS && lines > 0; model++)
        json_object_set_new(it, model_names[model], quality(g, model, band));
    json_object_set_new(it, "agreement", agreement(g, band));
    return it;
}

static json_t *by_length(const struct gap *g)
{
    json_t *bands = json_array();
    for (int band = 0; band < GAP_BANDS; band++) {
        json_t *it = part(g, band);
        if (json_integer_value(json_object_get(it, "lines"))) {
            int below = gap_lengths[band + 1];
            json_object_set_new(it, "from", json_integer(gap_lengths[band]));
            json_object_set_new(it, "to", below ? json_integer(below - 1) : json_null());
            json_array_append(bands, it);
        }
        json_decref(it);
    }
    return bands;
}

static void gap_release(struct gap *g)
{
    for (int model = 0; model < MODELS; model++)
        for (int mode = 0; mode < MODES; mode++) {
            if (g->out[model][mode])
                translations_release(g->out[model][mode], g->texts->n);
            free(g->out[model][mode]);
            for (size_t k = 0; k < METRICS; k++)
                free(g->stats[model][mode][k]);
        }
    free(g->words);
}

json_t *gap_measure(const struct model *teacher, const struct model *student, const struct gap_texts *texts,
                    const struct gap_config *config, struct error *err)
{
    struct gap g = { .models = { teacher, student }, .texts = texts, .config = config };
    json_t *out = NULL;
    g.words = xcalloc(texts->n + 1, sizeof *g.words);
    for (size_t i = 0; i < texts->n; i++)
        g.words[i] = word_count(texts->sources[i]);
    if (texts->n == 0) {
        error_set(err, "there are no sentences to compare on");
    } else if (decode_all(&g, err) == 0) {
        out = part(&g, -1);
        json_object_set_new(out, "beam", json_integer(config->search.beam));
        json_object_set_new(out, "by_length", by_length(&g));
        if (comparable(&g) && measure_gold(&g, out, err) < 0) {
            json_decref(out);
            out = NULL;
        }
    }
    gap_release(&g);
    return out;
}
