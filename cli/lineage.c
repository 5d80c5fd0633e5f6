/* Lineage as a tree.  Two commands write it: `coho train` tells less than a recipe's stage, which
 * knows its teachers and figures; so everything here may be absent. */
#include "cli/lineage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "cli/decoding.h"

static const char *text_of_key(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- what is said of one model ---- */

static void add_fact(struct strbuf *b, const char *text)
{
    if (b->length)
        strbuf_puts(b, ", ");
    strbuf_puts(b, text);
}

static void add_value(struct strbuf *b, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    char *fact = xasprintf("%s %s", name, text ? text : "?");
    add_fact(b, fact);
    free(fact);
    free(text);
}

/* A name, or an object of a name and options: "word-kd (alpha 0.5, temperature 1.0)". */
static void add_objective(struct strbuf *b, const json_t *objective)
{
    const char *name = json_string_value(objective), *key;
    struct strbuf options = { 0 };
    json_t *value;
    if (!name)
        name = text_of_key(objective, "name");
    if (!name)
        return;
    add_fact(b, name);
    json_object_foreach((json_t *)(uintptr_t)objective, key, value)
        if (strcmp(key, "name"))
            add_value(&options, key, value);
    if (options.length)
        strbuf_printf(b, " (%s)", options.text);
    strbuf_release(&options);
}

static void add_corpus(struct strbuf *b, const json_t *lineage)
{
    const json_t *corpus = json_object_get(lineage, "corpus");
    const json_t *pairs = json_object_get(json_is_object(corpus) ? corpus : lineage,
                                          json_is_object(corpus) ? "pairs" : "sentences");
    const char *stage = text_of_key(corpus, "stage");
    if (!json_is_integer(pairs))
        return;
    char *fact = xasprintf("%s pairs%s%s", grouped(json_integer_value(pairs)), stage ? " of " : "",
                           stage ? stage : "");
    add_fact(b, fact);
    free(fact);
}

static void add_figure(struct strbuf *b, const json_t *lineage, const char *key, const char *format)
{
    const json_t *value = json_object_get(json_object_get(lineage, "figures"), key);
    if (!json_is_number(value))
        return;
    struct strbuf fact = { 0 };
    char number[32];
    snprintf(number, sizeof number, "%.4g", json_number_value(value));
    strbuf_printf(&fact, "%s %s", format, number);
    add_fact(b, fact.text);
    strbuf_release(&fact);
}

static void describe(struct strbuf *b, const json_t *lineage)
{
    const char *recipe = text_of_key(lineage, "recipe");
    if (json_is_integer(json_object_get(lineage, "generation")))
        add_value(b, "generation", json_object_get(lineage, "generation"));
    if (json_is_number(json_object_get(lineage, "sliced")))
        add_value(b, "leading channels, share", json_object_get(lineage, "sliced"));
    if (json_is_number(json_object_get(lineage, "pruned")))
        add_value(b, "pruned by", json_object_get(lineage, "pruned"));
    add_objective(b, json_object_get(lineage, "objective"));
    add_corpus(b, lineage);
    if (json_is_integer(json_object_get(lineage, "seed")))
        add_value(b, "seed", json_object_get(lineage, "seed"));
    add_figure(b, lineage, "dev_nll", "dev NLL");
    add_figure(b, lineage, "dev_bleu", "dev BLEU");
    if (recipe) {
        char *fact = xasprintf("recipe %s", recipe);
        add_fact(b, fact);
        free(fact);
    }
}

/* ---- the tree ---- */

struct ancestor {
    const char *how;
    const json_t *model;        /* { stage or folder, fingerprint, lineage, … }, or a folder's name */
};

struct ancestors {
    struct ancestor *items;
    size_t count, room;
};

static void add_ancestor(struct ancestors *a, const char *how, const json_t *model)
{
    ARRAY_GROW(a->items, a->room, a->count + 1);
    a->items[a->count++] = (struct ancestor){ how, model };
}

static void add_all(struct ancestors *a, const char *how, const json_t *models)
{
    for (size_t i = 0; i < json_array_size(models); i++)
        add_ancestor(a, how, json_array_get(models, i));
}

static struct ancestors ancestors_of(const json_t *lineage)
{
    struct ancestors a = { 0 };
    add_all(&a, "taught by", json_object_get(lineage, "teachers"));
    add_all(&a, "mean of", json_object_get(lineage, "averaged"));
    if (json_object_get(lineage, "start"))
        add_ancestor(&a, "started from", json_object_get(lineage, "start"));
    if (json_object_get(lineage, "chosen"))
        add_ancestor(&a, "chosen:", json_object_get(lineage, "chosen"));
    return a;
}

static const char *ancestor_name(const json_t *model)
{
    if (json_is_string(model))
        return json_string_value(model);
    const char *name = text_of_key(model, "stage");
    if (!name)
        name = text_of_key(model, "folder");
    return name ? name : "a model without a name";
}

/* ", some layers", ", all but kels 0.5 at random" */
static void print_initialisation(FILE *out, const json_t *how)
{
    const char *by = text_of_key(how, "start-by"), *reset = text_of_key(how, "reset");
    if (by && strcmp(by, "whole"))
        fprintf(out, ", by %s", by);
    if (reset && strcmp(reset, "none"))
        fprintf(out, ", keeping %s %g", reset, json_number_value(json_object_get(how, "keep")));
}

/* "taught by teacher 0123456789abcdef (beam search, beam 5)" */
static void print_heading(FILE *out, const struct ancestor *a)
{
    const char *fingerprint = text_of_key(a->model, "fingerprint");
    const char *labelled = text_of_key(a->model, "labelled_with");
    const json_t *beam = json_object_get(a->model, "beam");
    fprintf(out, "%s %s", a->how, ancestor_name(a->model));
    if (fingerprint)
        fprintf(out, " %s", fingerprint);
    if (labelled)
        fprintf(out, ", through its outputs (%s", labelled);
    if (labelled && json_is_integer(beam))
        fprintf(out, ", beam %lld", (long long)json_integer_value(beam));
    fputs(labelled ? ")" : "", out);
    print_initialisation(out, json_object_get(a->model, "initialisation"));
    fputs("\n", out);
}

static void print_body(FILE *out, const char *prefix, const json_t *lineage)
{
    struct ancestors a = ancestors_of(lineage);
    struct strbuf facts = { 0 };
    describe(&facts, lineage);
    if (facts.length)
        fprintf(out, "%s%s%s\n", prefix, a.count ? "│  " : "   ", facts.text);
    strbuf_release(&facts);
    for (size_t i = 0; i < a.count; i++) {
        bool last = i + 1 == a.count;
        char *deeper = xasprintf("%s%s", prefix, last ? "   " : "│  ");
        fprintf(out, "%s%s", prefix, last ? "└─ " : "├─ ");
        print_heading(out, &a.items[i]);
        print_body(out, deeper, json_object_get(a.items[i].model, "lineage"));
        free(deeper);
    }
    free(a.items);
}

void lineage_print(FILE *out, const char *name, uint64_t fingerprint, const json_t *lineage)
{
    char text[HASH_TEXT];
    hash_text(text, fingerprint);
    fprintf(out, "%s %s\n", name, text);
    print_body(out, "", lineage);
}
