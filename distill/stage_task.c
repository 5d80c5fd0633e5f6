/* The stage `task`: examples of one thing that a student is to learn, checked and put in order.
 *
 * Classifications, taggings and numbers come as files of examples (corpora/task.h).  A
 * translation comes from a corpus stage; its sources get the direction's tag in front.  Denoising
 * is a translation of texts, of a file or of other tasks, to themselves, whose sources are
 * damaged while training (text infilling): what an encoder may be pre-trained with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/lines.h"
#include "base/memory.h"
#include "distill/corpus_files.h"
#include "distill/kinds.h"
#include "distill/stamp.h"
#include "distill/task_files.h"

enum { DENOISE = TASK_TRANSLATE + 1 };
static const char *const asked_names[] = { "classify", "regress", "tag", "translate", "denoise", NULL };

enum balance { BALANCE_NONE, BALANCE_REPEAT, BALANCE_CUT };
static const char *const balance_names[] = { "none", "repeat", "cut", NULL };

struct task_stage {
    int kind, balance;
    float infill, span;
    char *train, *dev, *test, *tag;
    struct strings labels;
    int64_t train_examples, dev_examples, test_examples, seed;
};

#define FIELD(member) offsetof(struct task_stage, member)
static const struct option task_options[] = {
    { "task", OPTION_CHOICE, FIELD(kind), "classify", 0, 0, "what is asked of a text", asked_names },
    { "train", OPTION_STRING, FIELD(train), NULL, 0, 0,
      "examples to learn from: lines of label, tab, text (tab, second text); to denoise, lines of text" },
    { "dev", OPTION_STRING, FIELD(dev), NULL, 0, 0, "examples for validation" },
    { "test", OPTION_STRING, FIELD(test), NULL, 0, 0, "examples for evaluation" },
    { "train-examples", OPTION_LONG, FIELD(train_examples), "0", 0, 1e12,
      "only so many examples to learn from, chosen by a hash of their texts; 0: all" },
    { "dev-examples", OPTION_LONG, FIELD(dev_examples), "0", 0, 1e12,
      "without a file of their own: so many, taken from train by a hash of their texts" },
    { "test-examples", OPTION_LONG, FIELD(test_examples), "0", 0, 1e12, "the same for evaluation" },
    { "labels", OPTION_LIST, FIELD(labels), NULL, 0, 0, "all labels; else those that are seen in train" },
    { "tag", OPTION_STRING, FIELD(tag), NULL, 0, 0,
      "translate: a piece in front of every source, such as <2de>; among the symbols of the vocabulary" },
    { "balance", OPTION_CHOICE, FIELD(balance), "none", 0, 0,
      "classes of unequal size: examples of the rarer ones are repeated, or those of the commoner ones left out",
      balance_names },
    { "infill", OPTION_FLOAT, FIELD(infill), "0.3", 0.01, 0.9, "denoise: share of a text's tokens that is masked" },
    { "span", OPTION_FLOAT, FIELD(span), "3", 1, 20, "denoise: mean length of what one mask stands for" },
    { "split-seed", OPTION_LONG, FIELD(seed), "1", 0, 1e15, "of the hash that chooses examples" },
    { 0 }
};
#undef FIELD
static const struct stage_options tables[] = { { task_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "corpus", "corpus", false, false },
    { "texts", "task", false, true },
    { NULL }
};

static int check(const struct stage *s, struct error *err)
{
    const struct task_stage *c = s->config;
    bool corpus = stage_link(s, "corpus") != NULL, texts = stage_link(s, "texts") != NULL;
    if (texts && c->kind != DENOISE)
        return error_set(err, "'texts' of other tasks are for task: denoise");
    if (c->kind == DENOISE && (texts == (c->train != NULL) || c->dev || c->test || c->labels.count))
        return error_set(err, "task: denoise takes 'texts', which names tasks, or 'train', a file of text, and nothing "
                         "else to read");
    if (c->balance && c->kind != TASK_CLASSIFY)
        return error_set(err, "balance is for task: classify");
    if ((c->kind == TASK_TRANSLATE) != corpus)
        return error_set(err, corpus ? "a corpus goes with task: translate"
                                     : "task: translate needs a 'corpus', the name of a corpus stage");
    if (!corpus && !texts && !c->train)
        return error_set(err, "'train', a file of examples, is missing");
    if (corpus && (c->train || c->dev || c->test || c->labels.count))
        return error_set(err, "task: translate takes its examples from the corpus, not from files");
    if ((c->dev && c->dev_examples) || (c->test && c->test_examples))
        return error_set(err, "give a file or a number of examples, not both");
    if (c->labels.count && c->kind == TASK_REGRESS)
        return error_set(err, "task: regress has no labels");
    return 0;
}

static void reads(const struct stage *s, struct strings *paths)
{
    const struct task_stage *c = s->config;
    const char *const files[] = { c->train, c->dev, c->test };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        if (files[i])
            strings_add(paths, files[i]);
}

/* ---- examples ---- */

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

static int write_lines(struct stage_run *run, struct task_set *set, const char *name, const struct strings *lines,
                       const unsigned char *keep, unsigned char which, struct error *err)
{
    char *path = stage_path(run, name);
    struct outfile out = { 0 };
    int ret = outfile_open(&out, path, err);
    for (size_t i = 0; i < lines->count && ret == 0; i++)
        if (!keep || keep[i] == which) {
            fprintf(out.stream, "%s\n", lines->items[i]);
            set->count++;
        }
    if (ret == 0)
        ret = outfile_commit(&out, err);
    set->examples = xstrdup(name);
    stage_output(run, name);
    free(path);
    return ret;
}

enum { LEFT_OUT, TRAIN, DEV, TEST };

/* Which set each line of the training file is of: those with the lowest hashes of their texts
 * are tested on, the next validated with, the last left out where not all are wanted. */
static int assign(unsigned char *set, const struct strings *lines, const struct task_stage *c, struct error *err)
{
    size_t n = lines->count, test = (size_t)c->test_examples, dev = (size_t)c->dev_examples;
    size_t most = c->train_examples ? (size_t)c->train_examples : n;
    if (test + dev >= n)
        return error_set(err, "'%s' has %zu examples, too few for %zu to validate and %zu to test with", c->train, n,
                         dev, test);
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

static int split_train(struct stage_run *run, struct task_files *out, struct error *err)
{
    const struct task_stage *c = run->stage->config;
    struct strings lines = { 0 };
    unsigned char *set = NULL;
    int ret = lines_read(&lines, c->train, 0, err);
    if (ret == 0 && lines.count == 0)
        ret = error_set(err, "'%s' holds no examples", c->train);
    if (ret == 0) {
        set = xcalloc(lines.count, 1);
        ret = assign(set, &lines, c, err);
    }
    if (ret == 0)
        ret = write_lines(run, &out->train, "train.tsv", &lines, set, TRAIN, err);
    if (ret == 0 && c->dev_examples)
        ret = write_lines(run, &out->dev, "dev.tsv", &lines, set, DEV, err);
    if (ret == 0 && c->test_examples)
        ret = write_lines(run, &out->test, "test.tsv", &lines, set, TEST, err);
    strings_release(&lines);
    free(set);
    return ret;
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
static int balance_train(struct stage_run *run, struct task_files *t, struct error *err)
{
    const struct task_stage *c = run->stage->config;
    int classes = task_outputs(&t->task);
    int64_t *counts = xcalloc((size_t)classes, sizeof *counts), examples, wanted = 0;
    char *path = stage_path(run, t->train.examples);
    struct strings lines = { 0 }, kept = { 0 };
    int ret = task_count(&t->task, path, counts, &examples, err) < 0 ? -1 : lines_read(&lines, path, 0, err);
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
        ret = write_lines(run, &t->train, "balanced.tsv", &kept, NULL, 0, err);
    strings_release(&lines);
    strings_release(&kept);
    free(counts);
    free(path);
    return ret;
}

static int copy_set(struct stage_run *run, struct task_set *out, const char *path, const char *name,
                    struct error *err)
{
    struct strings lines = { 0 };
    int ret = path ? lines_read(&lines, path, 0, err) : 0;
    if (path && ret == 0)
        ret = write_lines(run, out, name, &lines, NULL, 0, err);
    strings_release(&lines);
    return ret;
}

/* The texts alone, for vocabularies. */
static int write_text(struct stage_run *run, struct task_files *t, struct error *err)
{
    char *examples = stage_path(run, t->train.examples), *path = stage_path(run, "train.txt");
    struct lines in = { 0 };
    struct outfile out = { 0 };
    int more = -1;
    if (lines_open(&in, examples, err) == 0 && outfile_open(&out, path, err) == 0)
        while ((more = lines_next(&in, err)) > 0) {
            struct example e;
            if (example_split(&e, in.text, err) < 0) {
                more = error_prefix(err, "%s:%lld", in.path, (long long)in.number);
                break;
            }
            for (int i = 0; i < e.texts; i++)
                fprintf(out.stream, "%s\n", e.text[i]);
        }
    if (more == 0)
        more = outfile_commit(&out, err);
    outfile_abort(&out);
    lines_close(&in);
    t->text[0] = xstrdup("train.txt");
    stage_output(run, "train.txt");
    free(examples);
    free(path);
    return more;
}

/* Every example of the file is one; with `all`, every label of the task has one. */
static int check_file(const struct task *t, const char *path, bool all, struct error *err)
{
    int64_t *counts = xcalloc((size_t)task_outputs(t), sizeof *counts), examples;
    int ret = task_count(t, path, counts, &examples, err);
    for (size_t i = 0; i < t->labels.count && all && ret == 0; i++)
        if (!counts[i])
            ret = error_set(err, "label '%s' of task '%s' has no example in '%s'; take it off the labels, or add "
                            "examples", t->labels.items[i], t->name, path);
    free(counts);
    return ret;
}

/* The files as they were given, so that messages name them. */
static int learn(struct task *t, const struct task_stage *c, struct error *err)
{
    int ret = 0;
    for (size_t i = 0; i < c->labels.count; i++)
        strings_add(&t->labels, c->labels.items[i]);
    if (!c->labels.count)
        ret = task_learn(t, c->train, err);
    if (ret == 0)
        ret = task_learn_texts(t, c->train, err);
    if (ret < 0 || check_file(t, c->train, false, err) < 0 || (c->dev && check_file(t, c->dev, false, err) < 0))
        return -1;
    return c->test ? check_file(t, c->test, false, err) : 0;
}

static int take_examples(struct stage_run *run, struct task_files *t, struct error *err)
{
    const struct task_stage *c = run->stage->config;
    if (learn(&t->task, c, err) < 0 || split_train(run, t, err) < 0
        || copy_set(run, &t->dev, c->dev, "dev.tsv", err) < 0
        || copy_set(run, &t->test, c->test, "test.tsv", err) < 0 || write_text(run, t, err) < 0)
        return -1;
    char *path = stage_path(run, t->train.examples);
    int ret = check_file(&t->task, path, true, err);
    free(path);
    return ret == 0 && c->balance ? balance_train(run, t, err) : ret;
}

/* ---- translation ---- */

static int tagged(struct stage_run *run, struct task_set *out, const struct corpus_set *set, const char *name,
                  struct error *err)
{
    const struct task_stage *c = run->stage->config;
    char *path = stage_path(run, name);
    struct lines in = { 0 };
    struct outfile file = { 0 };
    int more = -1;
    if (!set->source) {
        free(path);
        return 0;
    }
    if (lines_open(&in, set->source, err) == 0 && outfile_open(&file, path, err) == 0)
        while ((more = lines_next(&in, err)) > 0) {
            fprintf(file.stream, c->tag ? "%s %s\n" : "%s%s\n", c->tag ? c->tag : "", in.text);
            out->count++;
        }
    if (more == 0)
        more = outfile_commit(&file, err);
    outfile_abort(&file);
    lines_close(&in);
    out->examples = xstrdup(name);
    out->targets = corpus_sibling(set->target);
    stage_output(run, name);
    free(path);
    return more;
}

static int take_corpus(struct stage_run *run, struct task_files *t, struct error *err)
{
    const struct task_stage *c = run->stage->config;
    char *folder = stage_input_folder(run, "corpus");
    struct corpus_files corpus = { 0 };
    int ret = corpus_files_read(&corpus, folder, err);
    free(folder);
    if (ret < 0)
        return -1;
    t->task.tag = c->tag ? xstrdup(c->tag) : NULL;
    t->text[0] = corpus_sibling(corpus.train.source);
    t->text[1] = corpus_sibling(corpus.train.target);
    if (tagged(run, &t->train, &corpus.train, "train.source", err) < 0
        || tagged(run, &t->dev, &corpus.dev, "dev.source", err) < 0
        || tagged(run, &t->test, &corpus.test, "test.source", err) < 0)
        ret = -1;
    corpus_files_release(&corpus);
    return ret;
}

/* ---- denoising ---- */

static int add_lines(struct strings *all, const char *path, struct error *err)
{
    struct strings lines = { 0 };
    int ret = lines_read(&lines, path, 0, err);
    for (size_t i = 0; i < lines.count && ret == 0; i++)
        if (lines.items[i][strspn(lines.items[i], " \t")])
            strings_add(all, lines.items[i]);
    strings_release(&lines);
    return ret;
}

static int add_texts(struct strings *all, const struct stage_run *run, const struct stage_link *link, struct error *err)
{
    char *folder = stage_link_folder(run, link);
    struct task_files files;
    int ret = task_files_read(&files, folder, err);
    for (int i = 0; i < 2 && ret == 0; i++)
        if (files.text[i])
            ret = add_lines(all, files.text[i], err);
    if (ret == 0)
        task_files_release(&files);
    free(folder);
    return ret;
}

static int take_texts(struct stage_run *run, struct task_files *t, struct error *err)
{
    const struct task_stage *c = run->stage->config;
    struct strings lines = { 0 };
    unsigned char *set = NULL;
    int ret = c->train ? add_lines(&lines, c->train, err) : 0;
    for (size_t i = 0; i < run->stage->link_count && ret == 0; i++)
        if (stage_link_is(&run->stage->links[i], "texts"))
            ret = add_texts(&lines, run, &run->stage->links[i], err);
    if (ret == 0 && !lines.count)
        ret = error_set(err, "there is no text to denoise");
    if (ret == 0) {
        set = xcalloc(lines.count, 1);
        ret = assign(set, &lines, c, err);
    }
    if (ret == 0)
        ret = write_lines(run, &t->train, "train.txt", &lines, set, TRAIN, err);
    if (ret == 0 && c->dev_examples)
        ret = write_lines(run, &t->dev, "dev.txt", &lines, set, DEV, err);
    strings_release(&lines);
    free(set);
    if (ret < 0)
        return -1;
    t->infill = c->infill;
    t->span = c->span;
    t->train.targets = xstrdup(t->train.examples);
    t->dev.targets = t->dev.examples ? xstrdup(t->dev.examples) : NULL;
    t->text[0] = xstrdup("train.txt");
    return 0;
}

/* ---- the stage ---- */

static int run_task(struct stage_run *run, struct error *err)
{
    const struct task_stage *c = run->stage->config;
    int kind = c->kind == DENOISE ? TASK_TRANSLATE : c->kind;
    struct task_files t = { .task = { .name = xstrdup(run->stage->name), .kind = kind } };
    int ret = c->kind == DENOISE ? take_texts(run, &t, err)
            : c->kind == TASK_TRANSLATE ? take_corpus(run, &t, err) : take_examples(run, &t, err);
    if (ret == 0)
        ret = task_files_write(&t, run->folder, err);
    if (ret == 0) {
        stage_output(run, TASK_FILE);
        json_object_set_new(run->figures, "train", json_integer(t.train.count));
        json_object_set_new(run->figures, "dev", json_integer(t.dev.count));
        json_object_set_new(run->figures, "test", json_integer(t.test.count));
        json_object_set_new(run->figures, "labels", json_integer((json_int_t)t.task.labels.count));
    }
    task_files_release(&t);
    return ret;
}

#define WORD_BYTES 6.5
#define SENTENCE_WORDS 12.0

static double words_of_texts(const struct stage_run *run)
{
    double words = 0;
    for (size_t i = 0; i < run->stage->link_count; i++)
        words += run->costs[run->stage->links[i].stage].train_words;
    return words;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct task_stage *c = run->stage->config;
    const struct stage_cost *corpus = stage_input_cost(run, "corpus");
    double bytes = c->train ? (double)path_bytes(c->train) : corpus->bytes;
    cost->seconds = 0;
    cost->bytes = bytes < 0 ? -1 : 2 * bytes;
    cost->train_words = c->train ? bytes / WORD_BYTES : c->kind == DENOISE ? words_of_texts(run) : corpus->train_words;
    cost->eval_words = c->test ? (double)path_bytes(c->test) / WORD_BYTES
                     : c->train ? fmin(bytes / WORD_BYTES, SENTENCE_WORDS * (double)c->test_examples) : corpus->eval_words;
}

const struct stage_kind stage_task = {
    .name = "task", .summary = "examples of a task", .makes = "task", .version = 1,
    .config_size = sizeof(struct task_stage), .options = tables, .inputs = inputs,
    .check = check, .reads = reads, .run = run_task, .estimate = estimate,
};
