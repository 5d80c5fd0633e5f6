/* The stage `evaluate`: what a model scores on the test set, and how fast.
 *
 * Stages run one after another, so nothing else is at work while speed is measured; short test
 * sets are decoded again and again until the clock can be trusted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"
#include "corpora/batching.h"
#include "corpora/store.h"
#include "decode/translate.h"
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/test_lines.h"
#include "eval/metric.h"
#include "seq2seq/nll.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

#define SPEED_SECONDS 1.0       /* of decoding, at least, for a figure of speed */
#define WARM_UP_LINES 64


struct evaluate_stage {
    int set, mean;
    int64_t lines;
    struct search_config search;
};

#define FIELD(member) offsetof(struct evaluate_stage, member)
static const struct option evaluate_options[] = {
    { "set", OPTION_CHOICE, FIELD(set), "test", 0, 0, "what the model is evaluated on", test_set_names },
    { "model-mean", OPTION_CHOICE, FIELD(mean), "arithmetic", 0, 0,
      "of several models: the mean of their probabilities, or of their logarithms", mean_names },
    { "lines", OPTION_LONG, FIELD(lines), "0", 0, 1e12, "only the first lines of it; 0: all" },
    { 0 }
};
static const struct stage_options tables[] = {
    { evaluate_options, 0 }, { search_options, FIELD(search) }, { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "model", "model", true, true },
    { "corpus", "corpus", true, false },
    { NULL }
};

static int check(struct stage_view *v, struct error *err)
{
    const struct evaluate_stage *c = v->stage->config;
    if (search_check(&c->search, err) < 0 || facts_have_set(v, "corpus", c->set, err) < 0
        || facts_same_vocabulary(v, "model", NULL, "models that speak as one have the same", err) < 0)
        return -1;
    return facts_direction(v, "model", false, err);
}

struct evaluation {
    struct stage_run *run;
    const struct evaluate_stage *config;
    struct corpus_files corpus;
    struct models models;               /* which speak as one */
    const struct model *model;          /* the first */
    struct test_lines test;
};

static void put(struct evaluation *e, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_new(e->run->figures, name, json_real(value));
}

/* ---- decoding ---- */

static const char *const *texts(const struct strings *s)
{
    return (const char *const *)s->items;
}

/* Decodes the set into `out`, and again into nothing while the clock has not seen enough. */
static int decode_timed(struct evaluation *e, struct decoder *d, struct translation *out,
                        double *words_per_s, struct error *err)
{
    size_t n = e->test.sources.count;
    const struct decode_stats before = *decoder_stats(d), *now = decoder_stats(d);
    struct translation *again = xcalloc(n, sizeof *again);
    int ret = decoder_text(d, out, texts(&e->test.sources), n, err);
    while (ret == 0 && now->seconds - before.seconds < SPEED_SECONDS
           && now->source_words > before.source_words) {
        ret = decoder_text(d, again, texts(&e->test.sources), n, err);
        translations_release(again, ret == 0 ? n : 0);
    }
    *words_per_s = (double)(now->source_words - before.source_words) / (now->seconds - before.seconds);
    free(again);
    return ret;
}

static int write_hypotheses(struct evaluation *e, const char *mode, const struct translation *out,
                            struct error *err)
{
    char *name = xasprintf("%s.%s.%s", test_set_names[e->config->set], mode, e->corpus.target_lang);
    char *path = stage_path(e->run, name);
    struct outfile file = { 0 };
    int ret = outfile_open(&file, path, err);
    for (size_t i = 0; i < e->test.sources.count && ret == 0; i++)
        fprintf(file.stream, "%s\n", out[i].text[0]);
    if (ret == 0)
        ret = outfile_commit(&file, err);
    stage_output(e->run, name);
    free(path);
    free(name);
    return ret;
}

static void score(struct evaluation *e, const char *mode, const struct translation *out)
{
    static const char *const metrics[] = { "bleu", "chrf" };
    size_t n = e->test.sources.count;
    struct text *hyps = xcalloc(n, sizeof *hyps), *refs = xcalloc(n, sizeof *refs);
    struct metric_config config;
    struct metric_report report;
    char key[64];
    metric_config_default(&config);
    for (size_t i = 0; i < n; i++) {
        hyps[i] = text_of(out[i].text[0]);
        refs[i] = text_of(e->test.references.items[i]);
    }
    for (size_t k = 0; k < ARRAY_COUNT(metrics); k++) {
        metric_corpus(&report, metric_find(metrics[k]), &config, hyps, refs, n, 1, e->run->threads);
        snprintf(key, sizeof key, "%s_%s", metrics[k], mode);
        put(e, key, report.score);
        snprintf(key, sizeof key, "%s_signature", metrics[k]);
        json_object_set_new(e->run->figures, key, json_string(report.signature));
    }
    free(hyps);
    free(refs);
}

/* The mean probability of the model's own best output. */
static double mode_share(const struct translation *out, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp(out[i].best[0].logp);
    return sum / (double)n;
}

static int decode(struct evaluation *e, const char *mode, const struct search_config *search,
                  struct error *err)
{
    struct translator translator = models_translator(&e->models);
    struct decoder *d = decoder_new(&translator, search, e->run->threads, err);
    size_t n = e->test.sources.count, warm = n < WARM_UP_LINES ? n : WARM_UP_LINES;
    struct translation *out = xcalloc(n, sizeof *out);
    double words_per_s = NAN;
    char key[64];
    int ret = -1;

    if (!d || decoder_text(d, out, texts(&e->test.sources), warm, err) < 0)
        goto done;
    translations_release(out, warm);
    if (decode_timed(e, d, out, &words_per_s, err) < 0)
        goto done;
    snprintf(key, sizeof key, "words_per_s_%s", mode);
    put(e, key, words_per_s);
    score(e, mode, out);
    if (search->beam > 1)
        put(e, "mode_share", mode_share(out, n));
    ret = write_hypotheses(e, mode, out, err);
done:
    translations_release(out, n);
    if (d)
        decoder_free(d);
    free(out);
    return ret;
}

static int decode_both(struct evaluation *e, struct error *err)
{
    struct search_config greedy = e->config->search;
    char mode[32];
    greedy.beam = greedy.n_best = 1;
    snprintf(mode, sizeof mode, "beam%d", e->config->search.beam);
    if (decode(e, "greedy", &greedy, err) < 0)
        return -1;
    return e->config->search.beam > 1 ? decode(e, mode, &e->config->search, err) : 0;
}

/* ---- perplexity ---- */

/* Of the model, or of all of them together. */
static int mean_nll(struct evaluation *e, struct batch_source *batches, double *nll, struct error *err)
{
    const struct teacher_config config = { (enum average)e->config->mean, 1, NULL };
    if (e->models.count == 1)
        return model_nll(e->model, batches, e->run->threads, nll, err);
    struct teacher *all = teacher_new(models_list(&e->models), e->models.count, &config, err);
    int ret = all ? teacher_nll(all, batches, e->run->threads, nll, err) : -1;
    teacher_free(all);
    return ret;
}

static int gold_nll(struct evaluation *e, const struct store *store, double *nll, struct error *err)
{
    const struct tokenizer *target = e->model->target_tokenizer;
    int limit = models_max_length(&e->models), longest = e->config->search.max_source;
    struct batching_config config = { .batch_tokens = 4000,
                                      .max_length = limit && limit <= longest ? limit - 1 : longest };
    struct batch_source batches;
    int64_t skipped;
    int ret;
    if (batching_open(&batches, store, tokenizer_bos(target), tokenizer_eos(target), &config,
                      &skipped, err) < 0)
        return -1;
    ret = mean_nll(e, &batches, nll, err);
    put(e, "perplexity_skipped", (double)skipped);
    batches.free(batches.state);
    return ret;
}

static int perplexity(struct evaluation *e, struct error *err)
{
    const struct model *m = e->model;
    char *path = stage_path(e->run, "gold.ids");
    struct store *store = NULL;
    double nll = NAN;
    int ret = store_build(path, e->test.set->source, e->test.set->target, m->source_tokenizer,
                          m->target_tokenizer, e->run->threads, err);
    if (ret == 0)
        ret = (store = store_open(path, true, err)) ? gold_nll(e, store, &nll, err) : -1;
    store_close(store);
    if (ret == 0)
        ret = stage_remove(e->run, "gold.ids", err);
    put(e, "perplexity", exp(nll));
    free(path);
    return ret;
}

/* ---- the stage ---- */

static int open_inputs(struct evaluation *e, struct error *err)
{
    const struct evaluate_stage *c = e->config;
    if (input_corpus(&e->corpus, e->run, "corpus", err) < 0 ||
        test_lines_read(&e->test, &e->corpus, c->set, c->lines, err) < 0 ||
        input_models(&e->models, e->run, "model", NULL, NULL, (enum average)c->mean, err) < 0)
        return -1;
    e->model = e->models.items[0];
    return 0;
}

/* What several models have, or took, in all. */
static double sum_of(const struct evaluation *e, const char *figure)
{
    const struct stage *s = e->run->stage;
    double sum = 0;
    for (size_t i = 0; i < s->link_count; i++)
        if (!strcmp(s->links[i].input->name, "model"))
            sum += manifest_figure(stage_link_manifest(e->run, &s->links[i]), figure);
    return sum;
}

static double parameters(const struct evaluation *e)
{
    double sum = 0;
    for (int i = 0; i < e->models.count; i++)
        sum += (double)model_parameters(e->models.items[i]);
    return sum;
}

static int run_evaluate(struct stage_run *run, struct error *err)
{
    struct evaluation e = { .run = run, .config = run->stage->config };
    int ret = open_inputs(&e, err);
    if (ret == 0)
        ret = decode_both(&e, err);
    if (ret == 0)
        ret = perplexity(&e, err);
    if (ret == 0) {
        put(&e, "parameters", parameters(&e));
        put(&e, "train_seconds", sum_of(&e, "train_seconds"));
        put(&e, "lines", (double)e.test.sources.count);
        put(&e, "threads", run->threads);
    }
    models_release(&e.models);
    test_lines_release(&e.test);
    corpus_files_release(&e.corpus);
    return ret;
}

#define WORD_BYTES 7.0

/* Greedy, beam, and the probability of the references; speed is measured for a second each. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct evaluate_stage *c = run->stage->config;
    double words = stage_input_cost(run, "corpus")->eval_words;
    double weights = stage_input_cost(run, "model")->weights;
    if (words >= 0 && weights >= 0)
        cost->seconds = fmax(SPEED_SECONDS, forecast_decoding(words, weights, 1, run->threads))
            + fmax(SPEED_SECONDS, forecast_decoding(words, weights, c->search.beam, run->threads))
            + forecast_scoring(words, weights, run->threads);
    if (words >= 0)
        cost->bytes = 2 * words * WORD_BYTES;
}

const struct stage_kind stage_evaluate = {
    .name = "evaluate", .summary = "evaluating a model", .makes = "scores", .version = 1,
    .config_size = sizeof(struct evaluate_stage), .options = tables, .inputs = inputs,
    .check = check, .run = run_evaluate, .estimate = estimate,
};
