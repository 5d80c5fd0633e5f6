#ifndef TOKENIZE_TRIE_H
#define TOKENIZE_TRIE_H

#include <stddef.h>
#include <stdint.h>

/* A set of byte strings, each with a number, walked one byte at a time: a double array (Aoe 1989).
 * The child of node n under byte c, where there is one, is the node at n.base + c and names n as
 * its parent.  {0} is not valid: build first; an empty set is fine. */
struct trie {
    struct trie_node {
        int32_t base, parent;
        int32_t value;          /* -1 where no string ends */
    } *nodes;
    size_t count;
};

struct trie_key {
    const char *text;
    size_t length;
    int32_t value;              /* 0 or more */
};

/* Sorts the keys.  Of equal ones some value is kept. */
void trie_build(struct trie *t, struct trie_key *keys, size_t count);
void trie_release(struct trie *t);

enum { TRIE_ROOT = 0 };

/* The node reached under byte c, or -1. */
static inline int32_t trie_step(const struct trie *t, int32_t node, unsigned char c)
{
    int32_t child = t->nodes[node].base + c;
    return t->nodes[child].parent == node ? child : -1;
}

/* The value of a string, or -1 when it is absent. */
int32_t trie_find(const struct trie *t, const char *text, size_t length);

/* The length of the longest non-empty string of the set that the text starts with, or 0. */
size_t trie_longest(const struct trie *t, const char *text, size_t length);

#endif
