/* What tasks are, what they learn from their examples, and examples as ids. */
#include "corpora/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "corpora/examples.h"
#include "corpora/store.h"
#include "tokenize/tokenizer.h"

const char *const task_kind_names[] = { "classify", "regress", "tag", "translate", NULL };

void task_release(struct task *t)
{
    free(t->name);
    free(t->tag);
    strings_release(&t->labels);
    *t = (struct task){ 0 };
}

void task_copy(struct task *out, const struct task *t)
{
    *out = *t;
    out->name = t->name ? xstrdup(t->name) : NULL;
    out->tag = t->tag ? xstrdup(t->tag) : NULL;
    out->labels = (struct strings){ 0 };
    for (size_t i = 0; i < t->labels.count; i++)
        strings_add(&out->labels, t->labels.items[i]);
}

int task_outputs(const struct task *t)
{
    return t->kind == TASK_REGRESS ? 1 : (int)t->labels.count;
}

int task_label(const struct task *t, const char *text)
{
    for (size_t i = 0; i < t->labels.count; i++)
        if (!strcmp(t->labels.items[i], text))
            return (int)i;
    return -1;
}

/* ---- JSON ---- */

json_t *task_json(const struct task *t)
{
    json_t *it = json_pack("{s:s, s:s}", "name", t->name, "kind", task_kind_names[t->kind]);
    json_t *labels = json_array();
    for (size_t i = 0; i < t->labels.count; i++)
        json_array_append_new(labels, json_string(t->labels.items[i]));
    if (t->kind == TASK_CLASSIFY || t->kind == TASK_TAG)
        json_object_set(it, "labels", labels);
    json_decref(labels);
    if (t->kind == TASK_REGRESS) {
        json_object_set_new(it, "mean", json_real((double)t->mean));
        json_object_set_new(it, "deviation", json_real((double)t->deviation));
    }
    if (t->texts)
        json_object_set_new(it, "texts", json_integer(t->texts));
    if (t->tag)
        json_object_set_new(it, "tag", json_string(t->tag));
    return it;
}

static int kind_of(const char *name)
{
    for (int i = 0; name && task_kind_names[i]; i++)
        if (!strcmp(task_kind_names[i], name))
            return i;
    return -1;
}

int task_from_json(struct task *out, const json_t *json, struct error *err)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *tag = json_string_value(json_object_get(json, "tag"));
    int kind = kind_of(json_string_value(json_object_get(json, "kind")));
    json_t *label;
    size_t i;
    *out = (struct task){ 0 };
    if (!name || kind < 0)
        return error_set(err, "a task needs a 'name' and a 'kind' (classify, regress, tag, translate)");
    *out = (struct task){ .name = xstrdup(name), .kind = kind, .tag = tag ? xstrdup(tag) : NULL };
    json_array_foreach(json_object_get(json, "labels"), i, label)
        if (json_is_string(label))
            strings_add(&out->labels, json_string_value(label));
    out->texts = (int)json_integer_value(json_object_get(json, "texts"));
    out->mean = (float)json_number_value(json_object_get(json, "mean"));
    out->deviation = (float)json_number_value(json_object_get(json, "deviation"));
    bool labelled = kind == TASK_CLASSIFY || kind == TASK_TAG;
    if ((labelled && out->labels.count < 2) || (kind == TASK_REGRESS && !(out->deviation > 0))) {
        error_set(err, labelled ? "task '%s' has fewer than two labels" : "task '%s' has no deviation above 0", name);
        task_release(out);
        return -1;
    }
    return 0;
}

/* ---- labels ---- */

static int read_number(double *out, const char *text, struct error *err)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end || !isfinite(*out))
        return error_set(err, "'%s' is no number", text);
    return 0;
}

/* Calls `each` for every label of the example: once, or a tag at a time. */
typedef int label_fn(void *arg, const char *label, struct error *err);

static int words_in(const char *text)
{
    int count = 0;
    for (const char *c = text; *c; c++)
        count += *c != ' ' && (c == text || c[-1] == ' ');
    return count;
}

static int each_label(const struct task *t, const struct example *e, label_fn *each, void *arg, struct error *err)
{
    if (t->kind != TASK_TAG)
        return each(arg, e->label, err);
    if (e->texts != 1)
        return error_set(err, "a tagged example has one text");
    if (words_in(e->label) != words_in(e->text[0]))
        return error_set(err, "%d labels for %d words", words_in(e->label), words_in(e->text[0]));
    char *copy = xstrdup(e->label), *rest = copy, *word;
    int ret = 0;
    while (ret == 0 && (word = strsep(&rest, " ")))
        if (*word)
            ret = each(arg, word, err);
    free(copy);
    return ret;
}

/* Calls `each` for every example of the files; there is one at least. */
typedef int example_fn(void *arg, const struct example *e, struct error *err);

static int each_example(const struct task *t, const struct example_files *files, example_fn *each, void *arg,
                        struct error *err)
{
    struct examples in = { 0 };
    struct example e;
    int64_t count = 0;
    int more = examples_open(&in, files, t->texts, err);
    if (more == 0)
        for (; (more = examples_next(&in, &e, err)) > 0; count++)
            if (each(arg, &e, err) < 0) {
                more = examples_blame(&in, err);
                break;
            }
    examples_close(&in);
    if (more == 0 && count == 0)
        return error_set(err, "'%s' holds no examples of task '%s'", files->texts, t->name);
    return more < 0 ? -1 : 0;
}

/* ---- what a task learns from its examples ---- */

struct learning {
    struct task *task;
    double count, mean, squares;
};

static int learn_number(void *arg, const char *label, struct error *err)
{
    struct learning *l = arg;
    double value, before = l->mean;
    if (read_number(&value, label, err) < 0)
        return -1;
    l->mean += (value - l->mean) / ++l->count;          /* Welford's recurrence */
    l->squares += (value - before) * (value - l->mean);
    return 0;
}

#define MOST_LABELS 65536

static int learn_label(void *arg, const char *label, struct error *err)
{
    struct learning *l = arg;
    if (task_label(l->task, label) >= 0)
        return 0;
    if (l->task->labels.count == MOST_LABELS)
        return error_set(err, "more than %d different labels; is the first column the label?", MOST_LABELS);
    strings_add(&l->task->labels, label);
    return 0;
}

/* Numbers by value, before texts by bytes. */
static int by_label(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    double u, v;
    bool first = read_number(&u, x, NULL) == 0, second = read_number(&v, y, NULL) == 0;
    if (first && second && u != v)
        return (u > v) - (u < v);
    return first != second ? second - first : strcmp(x, y);
}

static int learn_example(void *arg, const struct example *e, struct error *err)
{
    struct learning *l = arg;
    return each_label(l->task, e, l->task->kind == TASK_REGRESS ? learn_number : learn_label, l, err);
}

int task_learn(struct task *t, const struct example_files *files, struct error *err)
{
    struct learning l = { .task = t };
    const char *path = files->labels ? files->labels : files->texts;
    if (each_example(t, files, learn_example, &l, err) < 0)
        return -1;
    if (t->kind == TASK_REGRESS) {
        t->mean = (float)l.mean;
        t->deviation = l.count > 1 ? (float)sqrt(l.squares / (l.count - 1)) : 0;
        return t->deviation > 0 ? 0 : error_set(err, "'%s': all numbers of task '%s' are the same", path, t->name);
    }
    if (t->labels.count < 2)
        return error_set(err, "'%s': all examples of task '%s' have the label '%s'", path, t->name,
                         t->labels.items[0]);
    qsort(t->labels.items, t->labels.count, sizeof *t->labels.items, by_label);
    return 0;
}

int task_learn_texts(struct task *t, const struct example_files *files, struct error *err)
{
    struct examples in = { 0 };
    struct example e;
    int more = examples_open(&in, files, 0, err) < 0 ? -1 : examples_next(&in, &e, err);
    t->texts = in.count;
    examples_close(&in);
    return more < 0 ? -1 : 0;
}

/* ---- the label's id ---- */

static int unknown_label(const struct task *t, const char *label, struct error *err)
{
    struct strbuf known = { 0 };
    for (size_t i = 0; i < t->labels.count && i < 12; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", t->labels.items[i]);
    if (t->labels.count > 12)
        strbuf_puts(&known, ", …");
    error_set(err, "unknown label '%s' of task '%s', which knows %s", label, t->name, known.text);
    strbuf_release(&known);
    return -1;
}

int task_label_id(const struct task *t, const char *label, int32_t *out, struct error *err)
{
    double value;
    float scaled;
    if (t->kind != TASK_REGRESS) {
        *out = task_label(t, label);
        return *out < 0 ? unknown_label(t, label, err) : 0;
    }
    if (read_number(&value, label, err) < 0)
        return -1;
    scaled = (float)((value - (double)t->mean) / (double)t->deviation);
    memcpy(out, &scaled, sizeof *out);
    return 0;
}

/* ---- counts ---- */

struct counting {
    const struct task *task;
    int64_t *counts, examples;
};

static int count_label(void *arg, const char *label, struct error *err)
{
    struct counting *c = arg;
    int32_t id;
    if (task_label_id(c->task, label, &id, err) < 0)
        return -1;
    if (c->task->kind != TASK_REGRESS)
        c->counts[id]++;
    return 0;
}

static int count_example(void *arg, const struct example *e, struct error *err)
{
    struct counting *c = arg;
    c->examples++;
    return each_label(c->task, e, count_label, c, err);
}

int task_count(const struct task *t, const struct example_files *files, int64_t *counts, int64_t *examples,
               struct error *err)
{
    struct counting c = { t, counts, 0 };
    memset(counts, 0, (size_t)task_outputs(t) * sizeof *counts);
    int ret = each_example(t, files, count_example, &c, err);
    *examples = c.examples;
    return ret;
}

/* ---- examples as ids ---- */

struct collecting {
    const struct task *task;
    struct ids *ids;
};

static void ids_add(struct ids *ids, int32_t id)
{
    ARRAY_GROW(ids->items, ids->room, ids->count + 1);
    ids->items[ids->count++] = id;
}

static int collect_label(void *arg, const char *label, struct error *err)
{
    struct collecting *c = arg;
    int32_t id;
    if (task_label_id(c->task, label, &id, err) < 0)
        return -1;
    ids_add(c->ids, id);
    return 0;
}

static void encode_words(const char *text, const struct tokenizer *tokenizer, struct ids *out, struct ids *first)
{
    while (*(text += strspn(text, " "))) {
        size_t length = strcspn(text, " "), before = out->count;
        tokenizer_encode(tokenizer, out, text, length);
        if (out->count == before)               /* a word of nothing that the vocabulary keeps */
            ids_add(out, tokenizer_unk(tokenizer));
        ids_add(first, (int32_t)before);
        text += length;
    }
}

void example_encode(const struct task *t, const struct example *e, const struct tokenizer *tokenizer,
                    struct ids *out, struct ids *first)
{
    out->count = 0;
    if (first)
        first->count = 0;
    if (t->kind == TASK_TAG) {
        encode_words(e->text[0], tokenizer, out, first);
        return;
    }
    for (int i = 0; i < e->texts; i++) {
        if (i)
            ids_add(out, tokenizer_eos(tokenizer));
        tokenizer_encode(tokenizer, out, e->text[i], strlen(e->text[i]));
    }
    if (out->count == 0)
        ids_add(out, tokenizer_unk(tokenizer));
}

/* (label, place) pairs. */
static void join_places(struct ids *out, const struct task *t, const struct ids *labels, const struct ids *first)
{
    out->count = 0;
    for (size_t i = 0; i < labels->count; i++) {
        ids_add(out, labels->items[i]);
        ids_add(out, t->kind == TASK_TAG ? first->items[i] : 0);
    }
}

struct building {
    const struct task *task;
    const struct tokenizer *tokenizer;
    struct store_writer *writer;
    struct ids source, first, labels, target;
};

static int add_example(void *arg, const struct example *e, struct error *err)
{
    struct building *b = arg;
    struct collecting c = { b->task, &b->labels };
    b->labels.count = 0;
    if (each_label(b->task, e, collect_label, &c, err) < 0)
        return -1;
    example_encode(b->task, e, b->tokenizer, &b->source, &b->first);
    join_places(&b->target, b->task, &b->labels, &b->first);
    return store_writer_add(b->writer, b->source.items, (int)b->source.count, b->target.items,
                            (int)b->target.count, err);
}

/* Labels are a vocabulary of their own. */
static uint64_t labels_fingerprint(const struct task *t)
{
    json_t *json = task_json(t);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    uint64_t hash = hash_bytes(text, strlen(text), 0);
    free(text);
    json_decref(json);
    return hash;
}

int examples_build(const char *store, const char *path, const struct task *t, const struct tokenizer *tokenizer,
                   struct error *err)
{
    struct building b = { .task = t, .tokenizer = tokenizer };
    b.writer = store_writer_new(store, tokenizer_fingerprint(tokenizer), labels_fingerprint(t), err);
    int ret = b.writer ? each_example(t, &(struct example_files){ path }, add_example, &b, err) : -1;
    if (ret == 0)
        ret = store_writer_commit(b.writer, err);
    else if (b.writer)
        store_writer_abort(b.writer);
    ids_release(&b.source);
    ids_release(&b.first);
    ids_release(&b.labels);
    ids_release(&b.target);
    return ret;
}
