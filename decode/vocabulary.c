/* Sets of tokens as bits: united by OR, listed in ascending order by their lowest bits. */
#include "decode/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void own_tokens_release(struct own_tokens *o)
{
    free(o->set);
    free(o->ids);
    free(o->place);
    *o = (struct own_tokens){ 0 };
}

void vocabulary_init(struct vocabulary *v, const struct shortlist *list,
                     const struct shortlist_config *config, const struct stepper *model, int rows)
{
    size_t V = (size_t)model->vocab;
    *v = (struct vocabulary){ .list = list, .config = *config, .model = model };
    v->set = xcalloc(set_words(model->vocab), sizeof *v->set);
    v->ids = xcalloc(V, sizeof *v->ids);
    v->place = xcalloc(V, sizeof *v->place);
    v->own = xcalloc((size_t)rows, sizeof *v->own);
    v->own_count = xcalloc((size_t)rows, sizeof *v->own_count);
    v->all = (struct candidates){ 1, v->ids, 0, v->own, v->own_count };
    model->limit(model->state, &v->all);
}

void vocabulary_release(struct vocabulary *v)
{
    if (v->list)
        v->model->limit(v->model->state, NULL);
    free(v->set);
    free(v->ids);
    free(v->place);
    free(v->own);
    free(v->own_count);
}

/* The members of a set in order; returns how many. */
static int set_list(const uint64_t *set, size_t words, int32_t *out)
{
    int count = 0;
    for (size_t w = 0; w < words; w++)
        for (uint64_t bits = set[w]; bits; bits &= bits - 1)
            out[count++] = (int32_t)(w * 64) + __builtin_ctzll(bits);
    return count;
}

static int set_count(const uint64_t *set, size_t words)
{
    int count = 0;
    for (size_t w = 0; w < words; w++)
        count += __builtin_popcountll(set[w]);
    return count;
}

void vocabulary_begin(const struct vocabulary *v, struct own_tokens *o, const int32_t *source,
                      int source_count, const int32_t *prefix, int prefix_count)
{
    size_t words = set_words(v->model->vocab);
    if (!o->set)
        o->set = xcalloc(words, sizeof *o->set);
    memset(o->set, 0, words * sizeof *o->set);
    shortlist_candidates(o->set, v->list, source, source_count, &v->config);
    for (int i = 0; i < v->model->special_count; i++)
        o->set[v->model->special[i] / 64] &= ~(UINT64_C(1) << (v->model->special[i] % 64));
    for (int i = 0; i < prefix_count; i++)
        set_add(o->set, prefix[i]);
    set_add(o->set, v->model->eos);
    o->count = set_count(o->set, words);
    ARRAY_GROW(o->ids, o->ids_room, o->count);
    ARRAY_GROW(o->place, o->place_room, o->count);
    set_list(o->set, words, o->ids);
}

void vocabulary_unite(struct vocabulary *v, struct own_tokens *(*own)(void *arg, int i), void *arg,
                      int count)
{
    size_t words = set_words(v->model->vocab);
    memset(v->set, 0, words * sizeof *v->set);
    for (int i = 0; i < count; i++) {
        const uint64_t *set = own(arg, i)->set;
        for (size_t w = 0; w < words; w++)
            v->set[w] |= set[w];
    }
    v->all.count = set_list(v->set, words, v->ids);
    v->all.version++;
    for (int32_t i = 0; i < v->all.count; i++)
        v->place[v->ids[i]] = i;
    for (int i = 0; i < count; i++) {
        struct own_tokens *o = own(arg, i);
        for (int t = 0; t < o->count; t++)
            o->place[t] = v->place[o->ids[t]];
    }
    v->united = count;
}

int ids_find(const int32_t *ids, int count, int32_t token)
{
    int low = 0, high = count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (ids[middle] < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ids[low] == token ? low : -1;
}
