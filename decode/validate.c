/* Decoding a development set during training. */
#include "decode/validate.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "decode/translate.h"
#include "eval/metric.h"
#include "seq2seq/model.h"

struct validation {
    struct strings sources, references;
    struct search_config search;        /* greedy */
    const struct metric *chosen;        /* measured beside BLEU and chrF; NULL: none */
};

static int choose(void *state, const char *name, bool *falls, struct error *err)
{
    struct validation *v = state;
    struct strbuf known = { 0 };
    v->chosen = metric_find(name);
    if (v->chosen) {
        *falls = metric_falls(v->chosen);
        return 0;
    }
    for (int i = 0; metric_row(i); i++)
        strbuf_printf(&known, ", %s", metric_name(metric_row(i)));
    error_set(err, "there is no metric '%s'; known are nll%s", name, known.text);
    strbuf_release(&known);
    return -1;
}

static int decode(void *state, const struct model *m, int threads, struct decode_scores *scores,
                  struct error *err)
{
    const struct validation *v = state;
    size_t n = v->sources.count;
    struct translation *out = xcalloc(n, sizeof *out);
    const char **hyps = xcalloc(n, sizeof *hyps);
    const char *const *references = (const char *const *)v->references.items;
    struct model *view = model_view_new();
    model_view_update(view, m);
    int ret = translate_lines(out, view, (const char *const *)v->sources.items, n, &v->search,
                              threads, NULL, err);
    if (ret == 0) {
        for (size_t i = 0; i < n; i++)
            hyps[i] = out[i].text[0];
        scores->bleu = bleu_of_lines(hyps, references, n);
        scores->chrf = chrf_of_lines(hyps, references, n);
        scores->chosen = v->chosen ? metric_of_lines(v->chosen, hyps, references, n) : NAN;
    }
    translations_release(out, n);
    model_view_free(view);
    free(hyps);
    free(out);
    return ret;
}

static void validation_free(struct validation *v)
{
    strings_release(&v->sources);
    strings_release(&v->references);
    free(v);
}

int validator_open(struct validator *out, const char *source_path, const char *reference_path,
                   int64_t limit, struct error *err)
{
    struct validation *v = xcalloc(1, sizeof *v);
    const struct option_group groups[] = { { NULL, search_options, &v->search }, { NULL } };

    options_default(groups);
    v->search.beam = v->search.n_best = 1;
    v->search.unscored = true;
    if (lines_read(&v->sources, source_path, limit, err) < 0
        || lines_read(&v->references, reference_path, limit, err) < 0)
        goto failed;
    if (v->sources.count == 0) {
        error_set(err, "'%s' is empty: there is nothing to validate on", source_path);
        goto failed;
    }
    if (v->sources.count != v->references.count) {
        error_set(err, "'%s' has %zu lines but '%s' has %zu; they must be aligned line by line",
                  source_path, v->sources.count, reference_path, v->references.count);
        goto failed;
    }
    *out = (struct validator){ v, choose, decode };
    return 0;
failed:
    validation_free(v);
    return -1;
}

void validator_close(struct validator *v)
{
    if (v->state)
        validation_free(v->state);
    *v = (struct validator){ 0 };
}

int validator_knows(const char *metric, struct error *err)
{
    if (!strcmp(metric, "nll") || metric_find(metric))
        return 0;
    return error_set(err, "there is no metric '%s'; `coho eval --help` lists them", metric);
}
