/* Byte-pair encoding: the text starts as characters; of all neighbours that together are a piece,
 * the pair of the highest score (the earliest merge in training) is merged, the leftmost of
 * equals, until none is left.  With dropout each merge is passed over with that probability
 * when its turn comes (Provilkov et al. 2020).
 *
 * Candidates wait in a heap.  A merge leaves older candidates in it that no longer hold: they are
 * known by a neighbour that has gone or by lengths that no longer add up. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "tokenize/model.h"
#include "tokenize/segment.h"

struct symbol {
    uint32_t start, length;     /* length 0: merged into its left neighbour */
    int32_t previous, next;     /* -1: none */
    bool frozen;                /* a user-defined symbol: never merged */
};

struct candidate {
    float score;
    int32_t left, right;
    uint32_t length;
};

/* How the latest candidate for an unused piece splits: it is split back at the end. */
struct split {
    int32_t id;
    uint32_t left_length;
};

struct merger {
    const struct model *m;
    const char *text;
    struct symbol *symbols;
    size_t count, room;
    struct candidate *heap;
    size_t heap_count, heap_room;
    struct split *splits;
    size_t split_count, split_room;
};

static bool before(const struct candidate *a, const struct candidate *b)
{
    return a->score > b->score || (a->score == b->score && a->left < b->left);
}

static void heap_push(struct merger *g, struct candidate c)
{
    ARRAY_GROW(g->heap, g->heap_room, g->heap_count + 1);
    size_t at = g->heap_count++;
    for (size_t up; at > 0 && before(&c, &g->heap[up = (at - 1) / 2]); at = up)
        g->heap[at] = g->heap[up];
    g->heap[at] = c;
}

static struct candidate heap_pop(struct merger *g)
{
    struct candidate top = g->heap[0], last = g->heap[--g->heap_count];
    size_t at = 0;
    for (size_t down; (down = 2 * at + 1) < g->heap_count; at = down) {
        if (down + 1 < g->heap_count && before(&g->heap[down + 1], &g->heap[down]))
            down++;
        if (!before(&g->heap[down], &last))
            break;
        g->heap[at] = g->heap[down];
    }
    g->heap[at] = last;
    return top;
}

static void remember_split(struct merger *g, int32_t id, uint32_t left_length)
{
    ARRAY_GROW(g->splits, g->split_room, g->split_count + 1);
    g->splits[g->split_count++] = (struct split){ id, left_length };
}

static void propose(struct merger *g, int32_t left, int32_t right)
{
    if (left < 0 || right < 0 || g->symbols[left].frozen || g->symbols[right].frozen)
        return;
    const struct symbol *a = &g->symbols[left], *b = &g->symbols[right];
    int32_t id = trie_find(&g->m->normal, g->text + a->start, a->length + b->length);
    if (id < 0)
        return;
    heap_push(g, (struct candidate){ g->m->pieces[id].score, left, right, a->length + b->length });
    if (g->m->pieces[id].kind == PIECE_UNUSED)
        remember_split(g, id, a->length);
}

static void split_characters(struct merger *g, size_t length)
{
    for (size_t at = 0, size; at < length; at += size) {
        size = trie_longest(&g->m->user_defined, g->text + at, length - at);
        bool frozen = size > 0;
        if (!frozen)
            size = char_length_within(g->text + at, length - at);
        ARRAY_GROW(g->symbols, g->room, g->count + 1);
        int32_t i = (int32_t)g->count++;
        g->symbols[i] = (struct symbol){ (uint32_t)at, (uint32_t)size, i - 1,
                                         at + size < length ? i + 1 : -1, frozen };
    }
}

static bool holds(const struct merger *g, const struct candidate *c)
{
    const struct symbol *a = &g->symbols[c->left], *b = &g->symbols[c->right];
    return a->length && b->length && a->length + b->length == c->length;
}

static void merge(struct merger *g, int32_t left, int32_t right)
{
    struct symbol *a = &g->symbols[left], *b = &g->symbols[right];
    a->length += b->length;
    a->next = b->next;
    if (b->next >= 0)
        g->symbols[b->next].previous = left;
    b->length = 0;
    propose(g, a->previous, left);
    propose(g, left, a->next);
}

static void merge_all(struct merger *g, double dropout, struct rng *rng)
{
    for (size_t i = 1; i < g->count; i++)
        propose(g, (int32_t)i - 1, (int32_t)i);
    while (g->heap_count) {
        struct candidate c = heap_pop(g);
        if (!holds(g, &c))
            continue;
        if (dropout > 0 && rng_unit(rng) < dropout)
            continue;
        merge(g, c.left, c.right);
    }
}

static const struct split *find_split(const struct merger *g, int32_t id)
{
    for (size_t i = g->split_count; i-- > 0;)
        if (g->splits[i].id == id)
            return &g->splits[i];
    return NULL;
}

static void add_symbol(struct segments *out, const struct merger *g, size_t start, size_t length)
{
    int32_t id = model_find(g->m, g->text + start, length);
    const struct split *split = NULL;
    if (g->m->pieces[id].kind == PIECE_UNUSED)
        split = find_split(g, id);
    if (!split) {
        segments_add(out, length, id);
        return;
    }
    add_symbol(out, g, start, split->left_length);
    add_symbol(out, g, start + split->left_length, length - split->left_length);
}

void bpe_sample(struct segments *out, const struct model *m, const char *text, size_t length,
                int nbest, double alpha, struct rng *rng)
{
    struct merger g = { .m = m, .text = text };
    (void)nbest;
    split_characters(&g, length);
    merge_all(&g, alpha, rng);
    for (int32_t i = g.count ? 0 : -1; i >= 0; i = g.symbols[i].next)
        add_symbol(out, &g, g.symbols[i].start, g.symbols[i].length);
    free(g.symbols);
    free(g.heap);
    free(g.splits);
}

void bpe_best(struct segments *out, const struct model *m, const char *text, size_t length)
{
    bpe_sample(out, m, text, length, 1, 0, NULL);
}
