/* Cross-entropies of pairs by one model or two. */
#include "decode/pair_scorer.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "decode/score.h"
#include "seq2seq/model.h"

struct direction {
    struct model *model;
    struct translator translator;
    struct decoder *decoder;
};

struct scorer {
    struct direction forward, backward;
};

static int direction_open(struct direction *d, const char *folder, int threads, struct error *err)
{
    struct search_config config = { 0 };
    options_default((struct option_group[]){ { NULL, search_options, &config }, { 0 } });
    config.beam = config.n_best = 1;
    d->model = model_load(folder, err);
    if (!d->model)
        return -1;
    d->translator = translator_of_model(d->model);
    d->decoder = decoder_new(&d->translator, &config, threads, err);
    return d->decoder ? 0 : -1;
}

static void direction_close(struct direction *d)
{
    decoder_free(d->decoder);
    model_free(d->model);
}

/* Nats a token, </s> included; NAN where the model gives no finite probability. */
static int entropies(const struct direction *d, float *out, size_t step, const char *const *sources,
                     const char *const *targets, size_t count, struct error *err)
{
    struct translation *scored = xcalloc(count, sizeof *scored);
    int ret = decoder_score(d->decoder, scored, sources, targets, count, err);
    for (size_t i = 0; ret == 0 && i < count; i++) {
        double mean = -scored[i].best[0].logp / (scored[i].best[0].count + 1);
        out[i * step] = isfinite(mean) ? (float)mean : NAN;
    }
    if (ret == 0)
        translations_release(scored, count);
    free(scored);
    return ret;
}

static int score(void *state, struct pair_score *out, const struct text_pair *pairs, size_t count,
                 struct error *err)
{
    const struct scorer *s = state;
    char **texts[2] = { xcalloc(count, sizeof **texts), xcalloc(count, sizeof **texts) };
    const size_t step = sizeof *out / sizeof(float);
    int ret = 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct pair_score){ NAN, NAN };
        texts[0][i] = xstrndup(pairs[i].source.bytes, pairs[i].source.length);
        texts[1][i] = xstrndup(pairs[i].target.bytes ? pairs[i].target.bytes : "", pairs[i].target.length);
    }
    const char *const *source = (const char *const *)texts[0], *const *target = (const char *const *)texts[1];
    if (s->forward.decoder)
        ret = entropies(&s->forward, &out->forward, step, source, target, count, err);
    if (ret == 0 && s->backward.decoder)
        ret = entropies(&s->backward, &out->backward, step, target, source, count, err);
    for (size_t i = 0; i < count; i++) {
        free(texts[0][i]);
        free(texts[1][i]);
    }
    free(texts[0]);
    free(texts[1]);
    return ret;
}

int pair_scorer_open(struct pair_scorer *out, const char *forward, const char *backward, int threads,
                     struct error *err)
{
    struct scorer *s = xcalloc(1, sizeof *s);
    *out = (struct pair_scorer){ s, forward, backward, score };
    if ((!forward || direction_open(&s->forward, forward, threads, err) == 0) &&
        (!backward || direction_open(&s->backward, backward, threads, err) == 0))
        return 0;
    pair_scorer_close(out);
    return -1;
}

void pair_scorer_close(struct pair_scorer *p)
{
    struct scorer *s = p->state;
    if (!s)
        return;
    direction_close(&s->forward);
    direction_close(&s->backward);
    free(s);
    *p = (struct pair_scorer){ 0 };
}
