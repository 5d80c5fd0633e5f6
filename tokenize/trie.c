/* The double array: built breadth first, each node's children placed at the first free slots
 * that take them all. */
#include "tokenize/trie.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LABELS = 256 };
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
    size_t search;              /* no slot before this one is likely to be free */
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

static void reach(struct builder *b, size_t slot)
{
    struct trie *t = b->trie;
    size_t need = slot + LABELS + 1;
    if (need <= t->count)
        return;
    ARRAY_GROW(t->nodes, b->room, need);
    for (; t->count < need; t->count++)
        t->nodes[t->count] = (struct trie_node){ 0, FREE, -1 };
}

static bool fits(const struct trie *t, size_t base, const unsigned char *labels, int count)
{
    for (int i = 0; i < count; i++)
        if (t->nodes[base + labels[i]].parent != FREE)
            return false;
    return true;
}

/* The search starts behind all slots known to be taken, and leaves nearly full regions behind. */
static int32_t find_base(struct builder *b, const unsigned char *labels, int count)
{
    size_t start = b->search > labels[0] ? b->search : labels[0] + 1u;
    size_t slot = start, first_free = 0, taken = 0;
    for (;; slot++) {
        reach(b, slot);
        if (b->trie->nodes[slot].parent != FREE) {
            taken++;
            continue;
        }
        if (!first_free)
            first_free = slot;
        if (fits(b->trie, slot - labels[0], labels, count))
            break;
    }
    if (start == b->search)
        b->search = taken * 20 >= (slot - start + 1) * 19 ? slot : first_free;
    return (int32_t)(slot - labels[0]);
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

static void place_children(struct builder *b, struct subtree s)
{
    unsigned char labels[LABELS];
    int count = 0;
    for (; s.lo < s.hi && b->keys[s.lo].length == s.depth; s.lo++)
        b->trie->nodes[s.node].value = b->keys[s.lo].value;
    if (s.lo == s.hi)
        return;
    for (size_t i = s.lo; i < s.hi; i = same_label(b, i, s.hi, s.depth))
        labels[count++] = (unsigned char)b->keys[i].text[s.depth];
    int32_t base = find_base(b, labels, count);
    b->trie->nodes[s.node].base = base;
    for (int i = 0; i < count; i++)
        b->trie->nodes[base + labels[i]].parent = s.node;
    for (size_t i = s.lo, next; i < s.hi; i = next) {
        next = same_label(b, i, s.hi, s.depth);
        int32_t child = base + (unsigned char)b->keys[i].text[s.depth];
        enqueue(b, (struct subtree){ i, next, s.depth + 1, child });
    }
}

void trie_build(struct trie *t, struct trie_key *keys, size_t count)
{
    struct builder b = { .trie = t, .keys = keys, .search = 1 };
    *t = (struct trie){ 0 };
    if (count)
        qsort(keys, count, sizeof *keys, compare_keys);
    reach(&b, 0);
    t->nodes[TRIE_ROOT].parent = TAKEN_BY_ROOT;
    enqueue(&b, (struct subtree){ 0, count, 0, TRIE_ROOT });
    for (size_t done = 0; done < b.queued; done++)
        place_children(&b, b.queue[done]);
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
