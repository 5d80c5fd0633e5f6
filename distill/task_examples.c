/* Examples of a task for a stage: checked, divided, balanced. */
#include "distill/task_examples.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/lines.h"
#include "base/memory.h"
#include "distill/stage.h"

/* ---- what the recipe names ---- */

static const struct example_files *files_of(const struct task_examples *c, int set)
{
    return set == 0 ? &c->train : set == 1 ? &c->dev : &c->test;
}

static const char *const set_names[] = { "train", "dev", "test" };

void task_examples_paths(const struct task_examples *c, struct strings *paths)
{
    for (int i = 0; i < (int)ARRAY_COUNT(set_names); i++) {
        const struct example_files *f = files_of(c, i);
        const char *const all[] = { f->texts, f->labels, f->second };
        for (size_t k = 0; k < ARRAY_COUNT(all); k++)
            if (all[k])
                strings_add(paths, all[k]);
    }
}

int task_examples_check(const struct task_examples *c, struct error *err)
{
    for (int i = 0; i < (int)ARRAY_COUNT(set_names); i++) {
        const struct example_files *f = files_of(c, i);
        const char *name = set_names[i];
        if (f->labels && !f->texts)
            return error_set(err, "%s-labels goes with %s, the file of the texts", name, name);
        if (f->second && !f->labels)
            return error_set(err, "%s-second goes with %s-labels, the file of their labels", name, name);
    }
    return 0;
}

/* ---- sets ---- */

enum { LEFT_OUT, TRAIN, DEV, TEST };

/* keep: NULL, or for each line the set that it is of. */
static int write_lines(struct stage_run *run, struct task_set *set, const char *name, const char *ending,
                       const struct strings *lines, const unsigned char *keep, unsigned char which, struct error *err)
{
    char *file = xasprintf("%s.%s", name, ending), *path = stage_path(run, file);
    struct outfile out = { 0 };
    int ret = outfile_open(&out, path, err);
    for (size_t i = 0; i < lines->count && ret == 0; i++)
        if (!keep || keep[i] == which) {
            fprintf(out.stream, "%s\n", lines->items[i]);
            set->count++;
        }
    if (ret == 0)
        ret = outfile_commit(&out, err);
    stage_output(run, file);
    set->examples = file;
    free(path);
    return ret;
}

/* A line of the training file, and where the hash of its text puts it. */
struct place {
    uint64_t key;
    size_t line;
};

static int by_key(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* Which set each line is of: those with the lowest hashes of their texts are tested on, the next validated
 * with, the last left out where not all are wanted. */
static int assign(unsigned char *set, const struct strings *lines, const struct task_examples *c, struct error *err)
{
    size_t n = lines->count, test = (size_t)c->test_examples, dev = (size_t)c->dev_examples;
    size_t most = c->train_examples ? (size_t)c->train_examples : n;
    if (test + dev >= n)
        return error_set(err, "%s: %zu examples are too few to validate with %zu and test with %zu of them",
                         c->train.texts ? c->train.texts : "the texts", n, dev, test);
    struct place *order = xcalloc(n, sizeof *order);
    for (size_t i = 0; i < n; i++) {
        const char *tab = strchr(lines->items[i], '\t'), *text = tab ? tab : lines->items[i];
        order[i] = (struct place){ hash_bytes(text, strlen(text), (uint64_t)c->seed), i };
    }
    qsort(order, n, sizeof *order, by_key);
    for (size_t i = 0; i < n; i++)
        set[order[i].line] = i < test ? TEST : i < test + dev ? DEV : i < test + dev + most ? TRAIN : LEFT_OUT;
    free(order);
    return 0;
}

int task_examples_divide(struct stage_run *run, struct task_files *t, const struct task_examples *c,
                         const struct strings *lines, const char *ending, struct error *err)
{
    unsigned char *set = xcalloc(lines->count + 1, 1);
    int ret = assign(set, lines, c, err);
    if (ret == 0)
        ret = write_lines(run, &t->train, "train", ending, lines, set, TRAIN, err);
    if (ret == 0 && c->dev_examples)
        ret = write_lines(run, &t->dev, "dev", ending, lines, set, DEV, err);
    if (ret == 0 && c->test_examples)
        ret = write_lines(run, &t->test, "test", ending, lines, set, TEST, err);
    free(set);
    return ret;
}

static int divide_train(struct stage_run *run, struct task_files *t, const struct task_examples *c, struct error *err)
{
    struct strings lines = { 0 };
    int ret = examples_read(&lines, &c->train, err);
    if (ret == 0)
        ret = task_examples_divide(run, t, c, &lines, "tsv", err);
    strings_release(&lines);
    return ret;
}

static int copy_set(struct stage_run *run, struct task_set *out, const struct example_files *files, const char *name,
                    struct error *err)
{
    struct strings lines = { 0 };
    int ret = files->texts ? examples_read(&lines, files, err) : 0;
    if (files->texts && ret == 0)
        ret = write_lines(run, out, name, "tsv", &lines, NULL, 0, err);
    strings_release(&lines);
    return ret;
}

/* The texts alone, for vocabularies. */
static int write_text(struct stage_run *run, struct task_files *t, const struct example_files *train, struct error *err)
{
    char *path = stage_path(run, "train.txt");
    struct examples in = { 0 };
    struct example e;
    struct outfile out = { 0 };
    int more = -1;
    if (examples_open(&in, train, 0, err) == 0 && outfile_open(&out, path, err) == 0)
        while ((more = examples_next(&in, &e, err)) > 0)
            for (int i = 0; i < e.texts; i++)
                fprintf(out.stream, "%s\n", e.text[i]);
    if (more == 0)
        more = outfile_commit(&out, err);
    outfile_abort(&out);
    examples_close(&in);
    t->text[0] = xstrdup("train.txt");
    stage_output(run, "train.txt");
    free(path);
    return more;
}

/* ---- classes of unequal size ---- */

static int class_of(const struct task *t, const char *line)
{
    size_t length = strcspn(line, "\t");
    char *label = xstrndup(line, length);
    int id = task_label(t, label);
    free(label);
    return id < 0 ? 0 : id;             /* the file was checked */
}

/* So often each class comes, as in the commonest or the rarest one: round after round of its examples. */
static int balance(struct stage_run *run, struct task_files *t, const struct task_examples *c,
                   const struct example_files *train, struct error *err)
{
    int classes = task_outputs(&t->task);
    int64_t *counts = xcalloc((size_t)classes, sizeof *counts), examples, wanted = 0;
    struct strings lines = { 0 }, kept = { 0 };
    int ret = task_count(&t->task, train, counts, &examples, err) < 0 ? -1 : examples_read(&lines, train, err);
    for (int k = 0; k < classes; k++)
        if (!k || (c->balance == BALANCE_REPEAT ? counts[k] > wanted : counts[k] < wanted))
            wanted = counts[k];
    memset(counts, 0, (size_t)classes * sizeof *counts);
    for (bool more = ret == 0; more;) {
        more = false;
        for (size_t i = 0; i < lines.count; i++) {
            int64_t *count = &counts[class_of(&t->task, lines.items[i])];
            if (*count == wanted)
                continue;
            strings_add(&kept, lines.items[i]);
            more |= ++*count < wanted;
        }
    }
    free(t->train.examples);
    t->train = (struct task_set){ 0 };
    if (ret == 0)
        ret = write_lines(run, &t->train, "balanced", "tsv", &kept, NULL, 0, err);
    strings_release(&lines);
    strings_release(&kept);
    free(counts);
    return ret;
}

/* ---- the whole ---- */

/* Every example of the files is one. */
static int check_files(const struct task *t, const struct example_files *files, struct error *err)
{
    int64_t *counts = xcalloc((size_t)task_outputs(t), sizeof *counts), examples;
    int ret = files->texts ? task_count(t, files, counts, &examples, err) : 0;
    free(counts);
    return ret;
}

/* Every label of the task has an example in what is learnt from. */
static int check_classes(const struct task *t, const struct example_files *train, const struct task_examples *c,
                         struct error *err)
{
    const char *given = c->train.labels ? c->train.labels : c->train.texts;
    int64_t *counts = xcalloc((size_t)task_outputs(t), sizeof *counts), examples;
    int ret = task_count(t, train, counts, &examples, err);
    for (size_t i = 0; i < t->labels.count && ret == 0; i++)
        if (!counts[i])
            ret = error_set(err, "%s: label '%s' of task '%s' has no example%s; take it off the labels, or add examples",
                            given, t->labels.items[i], t->name,
                            train == &c->train ? "" : " left when those to validate and test with are taken out");
    free(counts);
    return ret;
}

/* The files as they were given, so that messages name them. */
static int learn(struct task *t, const struct task_examples *c, struct error *err)
{
    int ret = 0;
    for (size_t i = 0; i < c->labels.count; i++)
        strings_add(&t->labels, c->labels.items[i]);
    if (!c->labels.count)
        ret = task_learn(t, &c->train, err);
    if (ret == 0)
        ret = task_learn_texts(t, &c->train, err);
    if (ret < 0 || check_classes(t, &c->train, c, err) < 0 || check_files(t, &c->dev, err) < 0)
        return -1;
    return check_files(t, &c->test, err);
}

int task_examples_take(struct stage_run *run, struct task_files *t, const struct task_examples *c, struct error *err)
{
    if (learn(&t->task, c, err) < 0 || divide_train(run, t, c, err) < 0
        || copy_set(run, &t->dev, &c->dev, "dev", err) < 0 || copy_set(run, &t->test, &c->test, "test", err) < 0)
        return -1;
    char *path = stage_path(run, t->train.examples);
    const struct example_files train = { path };
    int ret = write_text(run, t, &train, err);
    if (ret == 0)
        ret = check_classes(&t->task, &train, c, err);
    if (ret == 0 && c->balance)
        ret = balance(run, t, c, &train, err);
    free(path);
    return ret;
}
