/* All places of the text are sorted by the word before them, so those behind one word are a range. */
#include "corpora/munge.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/strbuf.h"

#define FIELD(member) offsetof(struct munge_config, member)
const struct option munge_options[] = {
    { "copies", OPTION_INT, FIELD(copies), "1", 1, 1000, "new lines made of each line" },
    { "replace", OPTION_FLOAT, FIELD(replace), "0.2", 0, 1,
      "probability that a word gives way to one that stands elsewhere behind the same word" },
    { "originals", OPTION_FLAG, FIELD(originals), "false", 0, 0, "each line itself before its copies" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 0, "which words" },
    { 0 }
};

struct word {
    const char *text;
    size_t length;
};

struct place {
    uint64_t before;            /* the hash of the word before; of nothing at the start of a line */
    struct word word;
};

struct places {
    struct place *items;
    size_t count, room;
};

/* The next word of a line; false at its end. */
static bool word_next(const char **at, struct word *out)
{
    *at += strspn(*at, " \t");
    *out = (struct word){ *at, strcspn(*at, " \t") };
    *at += out->length;
    return out->length > 0;
}

static uint64_t hash_of(struct word w)
{
    return hash_bytes(w.text, w.length, 0);
}

static void add_line(struct places *p, const char *line)
{
    struct word word, before = { "", 0 };
    while (word_next(&line, &word)) {
        ARRAY_GROW(p->items, p->room, p->count + 1);
        p->items[p->count++] = (struct place){ hash_of(before), word };
        before = word;
    }
}

/* Equal places are told apart by their words, so that the order is the same in every run. */
static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->before != y->before)
        return x->before < y->before ? -1 : 1;
    size_t least = x->word.length < y->word.length ? x->word.length : y->word.length;
    int order = memcmp(x->word.text, y->word.text, least);
    return order ? order : (x->word.length > y->word.length) - (x->word.length < y->word.length);
}

/* The first place whose word before is not below `before`. */
static size_t lower_bound(const struct places *p, uint64_t before)
{
    size_t from = 0, to = p->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (p->items[middle].before < before)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* A word that stands somewhere behind `before`; one of any place where none does. */
static struct word draw(const struct places *p, struct word before, struct rng *rng)
{
    uint64_t hash = hash_of(before);
    size_t from = lower_bound(p, hash), to = hash == UINT64_MAX ? p->count : lower_bound(p, hash + 1);
    if (from == to) {
        from = 0;
        to = p->count;
    }
    return p->items[from + (size_t)rng_below(rng, to - from)].word;
}

static void munge(struct munge_report *report, FILE *out, const struct places *p, const char *line,
                  const struct munge_config *c, struct rng *rng)
{
    struct word word, before = { "", 0 };
    for (bool first = true; word_next(&line, &word); first = false) {
        if (rng_unit(rng) < (double)c->replace) {
            struct word other = draw(p, before, rng);
            report->replaced += other.length != word.length || memcmp(other.text, word.text, word.length);
            word = other;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", (int)word.length, word.text);
        before = word;
        report->words++;
    }
    putc('\n', out);
    report->made++;
}

static void munge_all(struct munge_report *report, FILE *out, const struct strings *lines, const struct places *p,
                      const struct munge_config *c)
{
    for (size_t i = 0; i < lines->count; i++) {
        struct rng rng;
        rng_seed(&rng, rng_stream((uint64_t)c->seed, "munge"), i);
        if (c->originals) {
            fprintf(out, "%s\n", lines->items[i]);
            report->made++;
        }
        for (int copy = 0; copy < c->copies; copy++)
            munge(report, out, p, lines->items[i], c, &rng);
    }
}

int corpus_munge(struct munge_report *report, const char *out, const char *in, const struct munge_config *config,
                 struct error *err)
{
    struct strings lines = { 0 };
    struct places places = { 0 };
    struct outfile file = { 0 };
    int ret = -1;
    if (files_differ(out, in, err) < 0 || lines_read(&lines, in, 0, err) < 0 || outfile_open(&file, out, err) < 0)
        goto done;
    for (size_t i = 0; i < lines.count; i++)
        add_line(&places, lines.items[i]);
    if (!places.count) {
        error_set(err, "'%s' holds no words to make lines of", in);
        goto done;
    }
    qsort(places.items, places.count, sizeof *places.items, compare);
    *report = (struct munge_report){ .lines = (int64_t)lines.count };
    munge_all(report, file.stream, &lines, &places, config);
    ret = outfile_commit(&file, err);
done:
    outfile_abort(&file);
    free(places.items);
    strings_release(&lines);
    return ret;
}
