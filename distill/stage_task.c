/* The stage `task`: examples of one thing that a student is to learn, checked and put in order.
 *
 * Classifications, taggings and numbers come as files of examples (distill/task_examples.h).  A
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
#include "distill/facts.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/stamp.h"
#include "distill/task_examples.h"
#include "distill/task_files.h"

enum { DENOISE = TASK_TRANSLATE + 1 };
static const char *const asked_names[] = { "classify", "regress", "tag", "translate", "denoise", NULL };

static const char *const balance_names[] = { "none", "repeat", "cut", NULL };

struct task_stage {
    int kind;
    float infill, span;
    char *tag;
    struct task_examples examples;
};

#define FIELD(member) offsetof(struct task_stage, member)
static const struct option task_options[] = {
    { "task", OPTION_CHOICE, FIELD(kind), "classify", 0, 0, "what is asked of a text", asked_names },
    { "train", OPTION_STRING, FIELD(examples.train.texts), NULL, 0, 0,
      "examples to learn from: lines of label, tab, text (tab, second text); with train-labels, or to denoise, lines "
      "of text" },
    { "train-labels", OPTION_STRING, FIELD(examples.train.labels), NULL, 0, 0,
      "file with a label (for a tagging: the labels of the words) for each line of train" },
    { "train-second", OPTION_STRING, FIELD(examples.train.second), NULL, 0, 0,
      "with train-labels: file with the second text for each line of train" },
    { "dev", OPTION_STRING, FIELD(examples.dev.texts), NULL, 0, 0, "examples for validation" },
    { "dev-labels", OPTION_STRING, FIELD(examples.dev.labels), NULL, 0, 0, "as train-labels" },
    { "dev-second", OPTION_STRING, FIELD(examples.dev.second), NULL, 0, 0, "as train-second" },
    { "test", OPTION_STRING, FIELD(examples.test.texts), NULL, 0, 0, "examples for evaluation" },
    { "test-labels", OPTION_STRING, FIELD(examples.test.labels), NULL, 0, 0, "as train-labels" },
    { "test-second", OPTION_STRING, FIELD(examples.test.second), NULL, 0, 0, "as train-second" },
    { "train-examples", OPTION_LONG, FIELD(examples.train_examples), "0", 0, 1e12,
      "only so many examples to learn from, chosen by a hash of their texts; 0: all" },
    { "dev-examples", OPTION_LONG, FIELD(examples.dev_examples), "0", 0, 1e12,
      "without a file of their own: so many, taken from train by a hash of their texts" },
    { "test-examples", OPTION_LONG, FIELD(examples.test_examples), "0", 0, 1e12, "the same for evaluation" },
    { "labels", OPTION_LIST, FIELD(examples.labels), NULL, 0, 0, "all labels; else those that are seen in train" },
    { "tag", OPTION_STRING, FIELD(tag), NULL, 0, 0,
      "translate: a piece in front of every source, such as <2de>; among the symbols of the vocabulary" },
    { "balance", OPTION_CHOICE, FIELD(examples.balance), "none", 0, 0,
      "classes of unequal size: examples of the rarer ones are repeated, or those of the commoner ones left out",
      balance_names },
    { "infill", OPTION_FLOAT, FIELD(infill), "0.3", 0.01, 0.9, "denoise: share of a text's tokens that is masked" },
    { "span", OPTION_FLOAT, FIELD(span), "3", 1, 20, "denoise: mean length of what one mask stands for" },
    { "split-seed", OPTION_LONG, FIELD(examples.seed), "1", 0, 1e15, "of the hash that chooses examples" },
    { 0 }
};
#undef FIELD
static const struct stage_options tables[] = { { task_options, 0 }, { NULL } };

static const struct stage_input inputs[] = {
    { "corpus", "corpus", false, false },
    { "texts", "task", false, true },
    { NULL }
};

/* Whether any key speaks of examples beside those to learn from. */
static bool other_examples(const struct task_examples *e)
{
    return e->train.labels || e->dev.texts || e->dev.labels || e->test.texts || e->test.labels || e->labels.count;
}

static int check_denoise(const struct task_stage *c, bool texts, struct error *err)
{
    const struct task_examples *e = &c->examples;
    if (texts == (e->train.texts != NULL) || other_examples(e) || e->test_examples)
        return error_set(err, "task: denoise takes 'texts', which names tasks, or 'train', a file of text, and nothing "
                         "else to read; it has no test set");
    return 0;
}

static int check(struct stage_view *v, struct error *err)
{
    const struct stage *s = v->stage;
    const struct task_stage *c = s->config;
    const struct task_examples *e = &c->examples;
    bool corpus = stage_link(s, "corpus") != NULL, texts = stage_link(s, "texts") != NULL;
    if (texts && c->kind != DENOISE)
        return error_set(err, "'texts' of other tasks are for task: denoise");
    if (c->kind == DENOISE && check_denoise(c, texts, err) < 0)
        return -1;
    if (e->balance && c->kind != TASK_CLASSIFY)
        return error_set(err, "balance is for task: classify");
    if ((c->kind == TASK_TRANSLATE) != corpus)
        return error_set(err, corpus ? "a corpus goes with task: translate"
                                     : "task: translate needs a 'corpus', the name of a corpus stage");
    if (!corpus && !texts && !e->train.texts)
        return error_set(err, "'train', a file of examples, is missing");
    if (corpus && (e->train.texts || other_examples(e)))
        return error_set(err, "task: translate takes its examples from the corpus, not from files");
    if ((e->dev.texts && e->dev_examples) || (e->test.texts && e->test_examples))
        return error_set(err, "give a file or a number of examples, not both");
    if (e->labels.count && c->kind == TASK_REGRESS)
        return error_set(err, "task: regress has no labels");
    return task_examples_check(e, err) < 0 ? -1 : facts_have_targets(v, "corpus", err);
}

/* Denoising is a translation of its own kind. */
static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct task_stage *c = v->stage->config;
    const struct task_examples *e = &c->examples;
    if (c->kind == TASK_TRANSLATE)
        facts_derive(out, v, "corpus");
    else
        *out = (struct stage_facts){ .no_dev = !e->dev.texts && !e->dev_examples, .no_test = !e->test.texts && !e->test_examples };
    out->task = c->kind == DENOISE ? TASK_TRANSLATE : (enum task_kind)c->kind;
    out->damaged = c->kind == DENOISE;
}

static void reads(const struct stage *s, struct strings *paths)
{
    const struct task_stage *c = s->config;
    task_examples_paths(&c->examples, paths);
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
    struct corpus_files corpus = { 0 };
    int ret = input_corpus(&corpus, run, "corpus", err);
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
    int ret = c->examples.train.texts ? add_lines(&lines, c->examples.train.texts, err) : 0;
    for (size_t i = 0; i < run->stage->link_count && ret == 0; i++)
        if (stage_link_is(&run->stage->links[i], "texts"))
            ret = add_texts(&lines, run, &run->stage->links[i], err);
    if (ret == 0 && !lines.count)
        ret = error_set(err, "there is no text to denoise");
    if (ret == 0)
        ret = task_examples_divide(run, t, &c->examples, &lines, "txt", err);
    strings_release(&lines);
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
            : c->kind == TASK_TRANSLATE ? take_corpus(run, &t, err) : task_examples_take(run, &t, &c->examples, err);
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
    const char *train = c->examples.train.texts, *test = c->examples.test.texts;
    double bytes = train ? (double)path_bytes(train) : corpus->bytes, tested = (double)c->examples.test_examples;
    cost->seconds = 0;
    cost->bytes = bytes < 0 ? -1 : 2 * bytes;
    cost->train_words = train ? bytes / WORD_BYTES : c->kind == DENOISE ? words_of_texts(run) : corpus->train_words;
    cost->eval_words = test ? (double)path_bytes(test) / WORD_BYTES
                     : train ? fmin(bytes / WORD_BYTES, SENTENCE_WORDS * tested) : corpus->eval_words;
}

const struct stage_kind stage_task = {
    .name = "task", .summary = "examples of a task", .makes = "task", .version = 1,
    .config_size = sizeof(struct task_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .reads = reads, .run = run_task, .estimate = estimate,
};
