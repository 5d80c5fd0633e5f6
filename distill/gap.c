/* The gap between a teacher and a student, as JSON: the whole, and the outputs that it is read off. */
#include "distill/gap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/memory.h"
#include "decode/models.h"
#include "distill/gap_parts.h"
#include "eval/metric.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

const char *const gap_models[MODELS] = { "teacher", "student" };
const char *const gap_modes[MODES] = { "greedy", "beam" };
const char *const gap_metrics[METRICS] = { "bleu", "chrf" };

#define FIELD(member) offsetof(struct gap_config, member)
const struct option gap_options[] = {
    { "samples", OPTION_INT, FIELD(samples), "1000", 10, 1000000, "resamples of the paired bootstrap" },
    { "bootstrap-seed", OPTION_LONG, FIELD(seed), "12345", 0, 9e15, "what its draws begin from" },
    { 0 }
};
#undef FIELD

struct gap_voice gap_voice_of(const struct models *m, int average)
{
    return (struct gap_voice){ models_list(m), m->count, m->weights, (enum average)average, models_translator(m) };
}

void gap_put(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

void gap_set_band(json_t *it, int64_t from, int64_t below)
{
    json_object_set_new(it, "from", json_integer((json_int_t)from));
    json_object_set_new(it, "to", below ? json_integer((json_int_t)below - 1) : json_null());
}

bool gap_in_band(const struct gap *g, size_t i, int band)
{
    return band < 0 || gap_length_band(g->words[i]) == band;
}

/* ---- decoding ---- */

static int word_count(const char *text)
{
    int count = 0;
    for (const char *c = text; *c; c++)
        count += *c != ' ' && (c == text || c[-1] == ' ');
    return count;
}

static int decode(struct gap *g, int model, int mode, const struct search_config *given, struct error *err)
{
    struct search_config search = *given;
    if (mode == GREEDY)
        search.beam = search.groups = 1;
    struct decoder *d = decoder_new(&g->voice[model]->translator, &search, g->threads, err);
    g->out[model][mode] = xcalloc(g->texts->n, sizeof *g->out[model][mode]);
    int ret = d ? decoder_text(d, g->out[model][mode], g->texts->sources, g->texts->n, err) : -1;
    if (d)
        decoder_free(d);
    return ret;
}

static void count_metric(struct gap *g, int model, int mode, size_t metric, const struct metric_config *config)
{
    size_t n = g->texts->n;
    const struct metric *m = metric_find(gap_metrics[metric]);
    struct text *hyps = xcalloc(n, sizeof *hyps), *refs = xcalloc(n, sizeof *refs);
    for (size_t i = 0; i < n; i++) {
        hyps[i] = text_of(g->out[model][mode][i].text[0]);
        refs[i] = text_of(g->texts->references[i]);
    }
    double *stats = g->stats[model][mode][metric] = xcalloc(n * (size_t)metric_width(m, config), sizeof *stats);
    metric_segments(stats, m, config, hyps, refs, n, 1, g->threads);
    free(hyps);
    free(refs);
}

static int decode_all(struct gap *g, const struct search_config *search, struct error *err)
{
    struct metric_config config;
    metric_config_default(&config);
    for (int model = 0; model < MODELS; model++)
        for (int mode = 0; mode < MODES; mode++) {
            if (decode(g, model, mode, search, err) < 0)
                return -1;
            for (size_t k = 0; k < METRICS; k++)
                count_metric(g, model, mode, k, &config);
        }
    return 0;
}

static bool any_counted(const struct gap *g)
{
    int V = tokenizer_vocab(g->voice[STUDENT]->translator.target), eos = tokenizer_eos(g->voice[STUDENT]->translator.target);
    for (int v = 0; v < V; v++)
        if (g->seen[v] && v != eos)
            return true;
    return false;
}

/* How often each target piece stands in the training text. */
static int count_pieces(struct gap *g, struct error *err)
{
    const struct tokenizer *t = g->voice[STUDENT]->translator.target;
    struct lines in = { 0 };
    struct ids ids = { 0 };
    int more;
    if (!g->texts->training_target)
        return 0;
    g->seen = xcalloc((size_t)tokenizer_vocab(t), sizeof *g->seen);
    if (lines_open(&in, g->texts->training_target, err) < 0)
        return -1;
    while ((more = lines_next(&in, err)) > 0) {
        ids.count = 0;
        tokenizer_encode(t, &ids, in.text, in.length);
        for (size_t i = 0; i < ids.count; i++)
            g->seen[ids.items[i]]++;
        g->seen[tokenizer_eos(t)]++;
    }
    lines_close(&in);
    ids_release(&ids);
    if (more == 0 && !any_counted(g))
        return error_set(err, "'%s' holds no text: it is to tell how often pieces were seen in training",
                         g->texts->training_target);
    return more;
}

/* ---- the whole ---- */

static json_t *by_length(const struct gap *g)
{
    json_t *bands = json_array();
    for (int band = 0; band < GAP_BANDS; band++) {
        json_t *it = gap_outputs(g, band);
        if (!it)
            continue;
        gap_set_band(it, gap_lengths[band], gap_lengths[band + 1]);
        json_array_append_new(bands, it);
    }
    return bands;
}

bool gap_comparable(const struct gap *g)
{
    const struct translator *a = &g->voice[TEACHER]->translator, *b = &g->voice[STUDENT]->translator;
    return tokenizer_fingerprint(a->target) == tokenizer_fingerprint(b->target)
        && tokenizer_fingerprint(a->source) == tokenizer_fingerprint(b->source);
}

static json_t *measure(struct gap *g, int beam, struct error *err)
{
    json_t *out = gap_outputs(g, -1);
    json_object_set_new(out, "beam", json_integer(beam));
    json_object_set_new(out, "samples", json_integer(g->config->samples));
    json_object_set_new(out, "by_length", by_length(g));
    if (g->seen)
        json_object_set_new(out, "by_frequency", gap_pieces(g));
    if ((gap_comparable(g) ? gap_gold : gap_gold_apart)(g, out, err) == 0)
        return out;
    json_decref(out);
    return NULL;
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
    free(g->seen);
}

int gap_texts_check(const struct gap_texts *texts, struct error *err)
{
    for (size_t i = 0; i < texts->n; i++)
        if (word_count(texts->sources[i]) && word_count(texts->references[i]))
            return 0;
    return error_set(err, texts->n ? "there are no sentences to compare on: every line has an empty side"
                                   : "there are no sentences to compare on");
}

int gap_search_check(const struct search_config *c, struct error *err)
{
    if (c->sampled || c->mbr || c->n_best > 1)
        return error_set(err, "the gap is that of greedy and of beam search: leave out sampling, mbr and n-best");
    return search_check(c, err);
}

json_t *gap_measure(const struct gap_voice *teacher, const struct gap_voice *student, const struct gap_texts *texts,
                    const struct search_config *search, const struct gap_config *config, int threads,
                    struct error *err)
{
    struct gap g = { .voice = { teacher, student }, .texts = texts, .config = config, .threads = threads };
    json_t *out = NULL;
    g.words = xcalloc(texts->n + 1, sizeof *g.words);
    for (size_t i = 0; i < texts->n; i++)
        g.words[i] = word_count(texts->sources[i]);
    if (gap_texts_check(texts, err) == 0 && count_pieces(&g, err) == 0 && decode_all(&g, search, err) == 0)
        out = measure(&g, search->beam, err);
    gap_release(&g);
    return out;
}
