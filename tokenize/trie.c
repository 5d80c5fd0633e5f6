/* The double array: built breadth first, each node's children placed at the first free slots
 * that take them all. */
#include "tokenize/trie.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LABELS = 256, NEAR = 4096 };
enum { FREE = -1, TAKEN_BY_ROOT = -2 };

/* The keys lo … hi-1 agree in their first `depth` bytes, which lead to `node`. */
struct subtree {
    size_t lo, hi, depth;
    int32_t node;
};

struct builder {
    struct trie *trie;
    const struct trie_key *keys;
    size_t room;
    struct trie_node root;              /* its slot serves the ring until the end */
    struct subtree *queue;
    size_t queued, queue_room;
};

static int compare_keys(const void *a, const void *b)
{
    const struct trie_key *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->text, y->text, shorter);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* Free slots form a ring through slot 0, the root's: base is the next one, value the previous. */
static void link_free(struct trie_node *nodes, int32_t slot)
{
    int32_t last = nodes[0].value;
    nodes[slot] = (struct trie_node){ .base = 0, .parent = FREE, .value = last };
    nodes[last].base = slot;
    nodes[0].value = slot;
}

static void take(struct trie *t, int32_t slot, int32_t parent)
{
    struct trie_node *n = &t->nodes[slot];
    t->nodes[n->value].base = n->base;
    t->nodes[n->base].value = n->value;
    *n = (struct trie_node){ 0, parent, -1 };
}

static void reach(struct builder *b, size_t slot)
{
    struct trie *t = b->trie;
    size_t need = slot + LABELS;
    if (need <= t->count)
        return;
    ARRAY_GROW(t->nodes, b->room, need);
    while (t->count < need)
        link_free(t->nodes, (int32_t)t->count++);
}

static bool fits(const struct trie *t, size_t base, const unsigned char *labels, int count)
{
    for (int i = 0; i < count; i++)
        if (t->nodes[base + labels[i]].parent != FREE)
            return false;
    return true;
}

/* The first free slot from `slot` on, or 0. */
static int32_t next_free(const struct trie *t, int32_t slot)
{
    while (slot < (int32_t)t->count && t->nodes[slot].parent != FREE)
        slot++;
    return slot < (int32_t)t->count ? slot : 0;
}

/* A base at which all labels meet free slots.  One child goes anywhere; for several only the
 * latest slots are tried, since what is free before them is scattered. */
static int32_t find_base(struct builder *b, const unsigned char *labels, int count)
{
    struct trie *t = b->trie;
    int32_t lowest = labels[0], slot = t->nodes[0].base;
    if (count > 1 && t->count > NEAR) {
        lowest += (int32_t)(t->count - NEAR);
        slot = next_free(t, lowest);
    }
    for (;; slot = t->nodes[slot].base) {
        if (!slot)                      /* once around: none is free */
            slot = (int32_t)t->count;
        reach(b, (size_t)slot);
        if (slot >= lowest && fits(t, (size_t)(slot - labels[0]), labels, count))
            return slot - labels[0];
    }
}

static void enqueue(struct builder *b, struct subtree s)
{
    ARRAY_GROW(b->queue, b->queue_room, b->queued + 1);
    b->queue[b->queued++] = s;
}

static size_t same_label(const struct builder *b, size_t from, size_t hi, size_t depth)
{
    size_t to = from + 1;
    while (to < hi && b->keys[to].text[depth] == b->keys[from].text[depth])
        to++;
    return to;
}

static struct trie_node *node_at(struct builder *b, int32_t node)
{
    return node == TRIE_ROOT ? &b->root : &b->trie->nodes[node];
}

static void place_children(struct builder *b, struct subtree s)
{
    unsigned char labels[LABELS] = { 0 };
    int count = 0;
    for (; s.lo < s.hi && b->keys[s.lo].length == s.depth; s.lo++)
        node_at(b, s.node)->value = b->keys[s.lo].value;
    if (s.lo == s.hi)
        return;
    for (size_t i = s.lo; i < s.hi; i = same_label(b, i, s.hi, s.depth))
        labels[count++] = (unsigned char)b->keys[i].text[s.depth];
    int32_t base = find_base(b, labels, count);
    node_at(b, s.node)->base = base;
    for (int i = 0; i < count; i++)
        take(b->trie, base + labels[i], s.node);
    for (size_t i = s.lo, next; i < s.hi; i = next) {
        next = same_label(b, i, s.hi, s.depth);
        int32_t child = base + (unsigned char)b->keys[i].text[s.depth];
        enqueue(b, (struct subtree){ i, next, s.depth + 1, child });
    }
}

void trie_build(struct trie *t, struct trie_key *keys, size_t count)
{
    struct builder b = { .trie = t, .keys = keys, .root = { 0, TAKEN_BY_ROOT, -1 } };
    *t = (struct trie){ 0 };
    if (count)
        qsort(keys, count, sizeof *keys, compare_keys);
    ARRAY_GROW(t->nodes, b.room, LABELS + 1);
    t->nodes[t->count++] = (struct trie_node){ 0, TAKEN_BY_ROOT, 0 };
    reach(&b, 1);
    enqueue(&b, (struct subtree){ 0, count, 0, TRIE_ROOT });
    for (size_t done = 0; done < b.queued; done++)
        place_children(&b, b.queue[done]);
    t->nodes[TRIE_ROOT] = b.root;
    free(b.queue);
}

void trie_release(struct trie *t)
{
    free(t->nodes);
    *t = (struct trie){ 0 };
}

int32_t trie_find(const struct trie *t, const char *text, size_t length)
{
    int32_t node = TRIE_ROOT;
    for (size_t i = 0; i < length && node >= 0; i++)
        node = trie_step(t, node, (unsigned char)text[i]);
    return node < 0 ? -1 : t->nodes[node].value;
}

size_t trie_longest(const struct trie *t, const char *text, size_t length)
{
    int32_t node = TRIE_ROOT;
    size_t longest = 0;
    for (size_t i = 0; i < length; i++) {
        node = trie_step(t, node, (unsigned char)text[i]);
        if (node < 0)
            break;
        if (t->nodes[node].value >= 0)
            longest = i + 1;
    }
    return longest;
}
