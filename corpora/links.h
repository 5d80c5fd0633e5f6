#ifndef CORPORA_LINKS_H
#define CORPORA_LINKS_H

#include "corpora/text.h"

/* What should be the same in a text and its translation, as bags of hashes. */
#define BAG_MOST 32
struct hash_bag {
    uint64_t items[BAG_MOST];           /* the first of them */
    int count;
};

void numbers_of(struct hash_bag *out, struct text t);   /* runs of digits of any script; 1,000 is 1.000 */
void links_of(struct hash_bag *out, struct text t);     /* addresses of pages and of mail */

/* How many items of the larger bag have no partner in the other, and the larger bag's size. */
int bags_unmatched(const struct hash_bag *a, const struct hash_bag *b);

#endif
