/* The outputs' pieces by how often they were seen in training: which words does a student lose?
 *
 * Of a sentence and a band of frequencies, the pieces that two texts have in common as bags and how
 * many each has; over sentences, F1 = 2·common / (both).  And how sure a model is of the pieces of its own
 * best output: their probabilities' sum and their number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "distill/gap_parts.h"
#include "tokenize/tokenizer.h"

enum { REFERENCE = MODELS * MODES, TEXTS };     /* texts 0 … 3: a model's output by a way of search */

struct pieces {
    const struct gap *g;
    struct ids text[TEXTS];             /* of one sentence, sorted */
    /* (n) each: twice what is in common, and all; against the reference, and between the models */
    struct gap_ratio *right[MODELS][MODES][GAP_BANDS], *alike[MODES][GAP_BANDS];
    struct gap_ratio *own[MODELS][GAP_BANDS];   /* (n) each: the probabilities of its own pieces, and how many */
    double reference[GAP_BANDS];        /* pieces */
};

static int by_id(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void read_text(struct ids *out, const struct tokenizer *t, const char *text)
{
    out->count = 0;
    tokenizer_encode(t, out, text, strlen(text));
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_id);
}

/* ratio[band][sentence], for all bands */
static void compare(const struct gap *g, struct gap_ratio *const *ratio, size_t sentence, const struct ids *a,
                    const struct ids *b)
{
    size_t i = 0, k = 0;
    while (i < a->count || k < b->count) {
        int left = i < a->count && (k == b->count || a->items[i] <= b->items[k]);
        int right = k < b->count && (i == a->count || b->items[k] <= a->items[i]);
        int32_t id = left ? a->items[i] : b->items[k];
        struct gap_ratio *r = &ratio[gap_frequency_band(g->seen[id])][sentence];
        r->up += left && right ? 2 : 0;
        r->down += left + right;
        i += (size_t)left;
        k += (size_t)right;
    }
}

/* Its ids are pieces of the student's vocabulary where it is the student, or has the same one. */
static void add_own(struct pieces *p, int model, size_t i)
{
    const struct hypothesis *h = &p->g->out[model][BEAM][i].best[0];
    for (int k = 0; k < h->count; k++) {
        struct gap_ratio *r = &p->own[model][gap_frequency_band(p->g->seen[h->ids[k]])][i];
        r->up += exp((double)h->token_logp[k]);
        r->down++;
    }
}

static void read_sentence(struct pieces *p, size_t i)
{
    const struct gap *g = p->g;
    const struct tokenizer *t = g->voice[STUDENT]->translator.target;
    read_text(&p->text[REFERENCE], t, g->texts->references[i]);
    for (size_t k = 0; k < p->text[REFERENCE].count; k++)
        p->reference[gap_frequency_band(g->seen[p->text[REFERENCE].items[k]])]++;
    for (int model = 0; model < MODELS; model++)
        for (int mode = 0; mode < MODES; mode++) {
            struct ids *text = &p->text[model * MODES + mode];
            read_text(text, t, g->out[model][mode][i].text[0]);
            compare(g, p->right[model][mode], i, text, &p->text[REFERENCE]);
        }
    for (int model = 0; model < MODELS; model++)
        if (model == STUDENT || gap_comparable(g))
            add_own(p, model, i);
    for (int mode = 0; mode < MODES; mode++)
        compare(g, p->alike[mode], i, &p->text[mode], &p->text[MODES + mode]);
}

static double ratio_of(const struct gap_ratio *rows, size_t n)
{
    struct gap_ratio sum = { 0 };
    for (size_t i = 0; i < n; i++) {
        sum.up += rows[i].up;
        sum.down += rows[i].down;
    }
    return sum.up / sum.down;           /* NAN where neither has such a piece */
}

static json_t *band_json(const struct pieces *p, int band)
{
    size_t n = p->g->texts->n;
    json_t *it = json_pack("{s:f, s:{}, s:{}, s:{}, s:{}}", "reference_pieces", p->reference[band], "teacher", "student",
                           "agreement", "significance");
    for (int mode = 0; mode < MODES; mode++) {
        char *key = xasprintf("f1_%s", gap_modes[mode]);
        for (int model = 0; model < MODELS; model++)
            gap_put(json_object_get(it, gap_models[model]), key, ratio_of(p->right[model][mode][band], n));
        gap_put(json_object_get(it, "agreement"), gap_modes[mode], ratio_of(p->alike[mode][band], n));
        json_object_set_new(json_object_get(it, "significance"), key,
                            gap_test_ratio(p->g, p->right[TEACHER][mode][band], p->right[STUDENT][mode][band], n));
        free(key);
    }
    for (int model = 0; model < MODELS; model++)
        gap_put(json_object_get(it, gap_models[model]), "piece_share", ratio_of(p->own[model][band], n));
    json_object_set_new(json_object_get(it, "significance"), "piece_share",
                        gap_test_ratio(p->g, p->own[TEACHER][band], p->own[STUDENT][band], n));
    return it;
}

static void pieces_open(struct pieces *p, const struct gap *g)
{
    *p = (struct pieces){ .g = g };
    for (int model = 0; model < MODELS; model++)
        for (int band = 0; band < GAP_BANDS; band++)
            p->own[model][band] = xcalloc(g->texts->n, sizeof(struct gap_ratio));
    for (int mode = 0; mode < MODES; mode++)
        for (int band = 0; band < GAP_BANDS; band++) {
            for (int model = 0; model < MODELS; model++)
                p->right[model][mode][band] = xcalloc(g->texts->n, sizeof(struct gap_ratio));
            p->alike[mode][band] = xcalloc(g->texts->n, sizeof(struct gap_ratio));
        }
}

static void pieces_close(struct pieces *p)
{
    for (int model = 0; model < MODELS; model++)
        for (int band = 0; band < GAP_BANDS; band++)
            free(p->own[model][band]);
    for (int mode = 0; mode < MODES; mode++)
        for (int band = 0; band < GAP_BANDS; band++) {
            for (int model = 0; model < MODELS; model++)
                free(p->right[model][mode][band]);
            free(p->alike[mode][band]);
        }
    for (int i = 0; i < TEXTS; i++)
        ids_release(&p->text[i]);
}

/* Whether a piece of the band stands in the references or in an output. */
static bool is_there(const struct pieces *p, int band)
{
    for (size_t i = 0; i < p->g->texts->n; i++)
        for (int model = 0; model < MODELS; model++)
            for (int mode = 0; mode < MODES; mode++)
                if (p->right[model][mode][band][i].down > 0)
                    return true;
    return false;
}

json_t *gap_pieces(const struct gap *g)
{
    struct pieces p;
    json_t *bands = json_array();
    pieces_open(&p, g);
    for (size_t i = 0; i < g->texts->n; i++)
        read_sentence(&p, i);
    for (int band = 0; band < GAP_BANDS; band++) {
        json_t *it = is_there(&p, band) ? band_json(&p, band) : NULL;
        if (!it)
            continue;
        gap_set_band(it, gap_frequencies[band], gap_frequencies[band + 1]);
        json_array_append_new(bands, it);
    }
    pieces_close(&p);
    return bands;
}
