/* Complexity and faithfulness of a distilled corpus (Zhou, Neubig & Gu 2019), by translation
 * tables of IBM model 1 over pieces:
 *
 *     complexity    C(d) = mean over source pieces x of H(y | x)
 *     faithfulness  F(d) = mean over x of KL(p_gold(y | x) ‖ p_d(y | x)); 0: the same corpus
 *
 * Pieces that the distilled table does not know for x count as if they had its smoothing's share. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/store.h"
#include "decode/lexicon.h"
#include "distill/gap_parts.h"
#include "tokenize/tokenizer.h"

#define SMOOTHING 1e-5

static int learn(struct lexicon *out, const struct translator *t, const char *source, const char *target, int threads,
                 struct error *err)
{
    char *path = temporary_file("gap", err);
    int ret = -1;
    struct lexicon_config config = { 0 };
    struct store *store = NULL;
    options_default((struct option_group[]){ { NULL, lexicon_options, &config }, { 0 } });
    config.diagonal_iterations = 0;
    if (!path)
        return -1;
    if (store_build(path, source, target, t->source, t->target, threads, err) == 0)
        store = store_open(path, false, err);
    unlink(path);
    free(path);
    if (store && (!store_source_tokens(store) || !store_target_tokens(store))) {
        error_set(err, "'%s' holds no text", store_source_tokens(store) ? target : source);
    } else if (store) {
        struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
        ret = lexicon_train(out, store, tokenizer_vocab(t->source), tokenizer_vocab(t->target),
                            &config, pool, err);
        pool_free(pool);
    }
    store_close(store);
    return ret;
}

static double complexity(const struct lexicon *x)
{
    double sum = 0, rows = 0;
    for (int s = 0; s < x->source_vocab; s++) {
        const struct lexicon_row *row = &x->rows[s];
        for (int i = 0; i < row->count; i++)
            if (row->p[i] > 0)
                sum -= (double)row->p[i] * log((double)row->p[i]);
        rows += row->count > 0;
    }
    return rows > 0 ? sum / rows : NAN;
}

/* p of the target piece in a row, whose ids rise. */
static double share_of(const struct lexicon_row *row, int32_t target)
{
    int low = 0, high = row->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (row->target[middle] < target)
            low = middle + 1;
        else
            high = middle;
    }
    double p = low < row->count && row->target[low] == target ? (double)row->p[low] : 0;
    return (1 - SMOOTHING) * p + SMOOTHING;
}

static double faithfulness(const struct lexicon *gold, const struct lexicon *distilled)
{
    double sum = 0, rows = 0;
    for (int s = 0; s < gold->source_vocab; s++) {
        const struct lexicon_row *row = &gold->rows[s];
        if (!row->count || !distilled->rows[s].count)
            continue;
        for (int i = 0; i < row->count; i++)
            if (row->p[i] > 0)
                sum += (double)row->p[i] * log(share_of(row, row->target[i])
                                               / share_of(&distilled->rows[s], row->target[i]));
        rows++;
    }
    return rows > 0 ? sum / rows : NAN;
}

static json_t *corpora_json(const struct lexicon *gold, const struct lexicon *distilled)
{
    json_t *out = json_object(), *both = json_object();
    gap_put(both, "gold", complexity(gold));
    gap_put(both, "distilled", complexity(distilled));
    json_object_set_new(out, "complexity", both);
    gap_put(out, "faithfulness", faithfulness(gold, distilled));
    return out;
}

json_t *gap_corpora(const struct translator *vocabulary, const char *source, const char *gold,
                    const char *distilled_source, const char *distilled, int threads, struct error *err)
{
    struct lexicon first = { 0 }, second = { 0 };
    json_t *out = NULL;
    if (learn(&first, vocabulary, source, gold, threads, err) == 0
        && learn(&second, vocabulary, distilled_source, distilled, threads, err) == 0)
        out = corpora_json(&first, &second);
    lexicon_release(&first);
    lexicon_release(&second);
    return out;
}
