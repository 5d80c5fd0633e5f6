/* Counts of words: open addressing with linear probing, at most half full. */
#include "eval/word_counts.h"

#include <stdlib.h>

#include "base/lines.h"
#include "base/memory.h"

static struct word_count *find(const struct word_counts *c, uint64_t hash)
{
    size_t at = (hash ^ hash >> 32) & c->mask;
    while (c->slots[at].count && c->slots[at].hash != hash)
        at = (at + 1) & c->mask;
    return &c->slots[at];
}

static void make_room(struct word_counts *c)
{
    struct word_counts larger = { .mask = c->slots ? 2 * c->mask + 1 : 1023 };
    if (c->slots && 2 * (c->used + 1) <= c->mask + 1)
        return;
    larger.slots = xcalloc(larger.mask + 1, sizeof *larger.slots);
    larger.used = c->used;
    for (size_t i = 0; c->slots && i <= c->mask; i++)
        if (c->slots[i].count)
            *find(&larger, c->slots[i].hash) = c->slots[i];
    free(c->slots);
    *c = larger;
}

static void add(struct word_counts *c, uint64_t hash)
{
    make_room(c);
    struct word_count *slot = find(c, hash);
    c->used += slot->count == 0;
    slot->hash = hash;
    slot->count += slot->count < UINT32_MAX;
}

void word_counts_add(struct word_counts *c, const struct diff_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->items[i].lettered)
            add(c, words->items[i].hash);
}

uint32_t word_counts_find(const struct word_counts *c, uint64_t hash)
{
    return c->slots ? find(c, hash)->count : 0;
}

int word_counts_read(struct word_counts *c, const char *path, struct error *err)
{
    struct lines in = { .utf8 = UTF8_REPLACE };
    struct diff_words words = { 0 };
    int more = lines_open(&in, path, err);
    while (more >= 0 && (more = lines_next(&in, err)) > 0) {
        diff_read(&words, (struct text){ in.text, in.length });
        word_counts_add(c, &words);
    }
    lines_close(&in);
    diff_release(&words);
    return more < 0 ? -1 : 0;
}

void word_counts_release(struct word_counts *c)
{
    free(c->slots);
    *c = (struct word_counts){ 0 };
}
