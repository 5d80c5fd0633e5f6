/* The stage `vocabulary`: a SentencePiece model from a corpus, joint or one a side. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/kinds.h"
#include "distill/task_files.h"
#include "tokenize/train.h"

struct vocabulary_stage {
    bool joint;
    struct vocab_config vocab;
};

#define FIELD(member) offsetof(struct vocabulary_stage, member)
static const struct option vocabulary_options[] = {
    { "joint", OPTION_FLAG, FIELD(joint), "true", 0, 0, "one vocabulary for both sides" },
    { 0 }
};
static const struct stage_options tables[] = {
    { vocabulary_options, 0 }, { vocab_options, FIELD(vocab) }, { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "corpus", "corpus", false, false },
    { "tasks", "task", false, true },
    { NULL }
};

static int check(struct stage_view *v, struct error *err)
{
    const struct stage *s = v->stage;
    const struct vocabulary_stage *c = s->config;
    if (!s->link_count)
        return error_set(err, "stage '%s' (kind vocabulary) needs a 'corpus' or 'tasks' to learn from", s->name);
    if (stage_link(s, "tasks") && !c->joint)
        return error_set(err, "a vocabulary of tasks is joint");
    return 0;
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct vocabulary_stage *c = v->stage->config;
    *out = (struct stage_facts){ .vocabulary = v->stage, .separate = !c->joint };
}

static int train(struct stage_run *run, const char *name, const struct strings *files, struct error *err)
{
    const struct vocabulary_stage *c = run->stage->config;
    char *path = stage_path(run, name);
    int ret = vocab_train(path, (const char *const *)files->items, files->count, &c->vocab, err);
    free(path);
    stage_output(run, name);
    return ret;
}

/* The texts of what the link names, each file once; of a corpus all or one side. */
static int add_texts(struct strings *files, const struct stage_run *run, const struct stage_link *link, int side,
                     struct error *err)
{
    char *folder = stage_link_folder(run, link);
    struct corpus_files corpus = { 0 };
    struct task_files task = { 0 };
    bool is_task = !strcmp(link->input->wants, "task");
    int ret = is_task ? task_files_read(&task, folder, err) : corpus_files_read(&corpus, folder, err);
    const char *texts[2] = { is_task ? task.text[0] : corpus.train.source, is_task ? task.text[1] : corpus.train.target };
    for (int i = 0; i < 2 && ret == 0; i++) {
        bool known = !texts[i] || (side >= 0 && i != side);
        for (size_t k = 0; k < files->count && !known; k++)
            known = !strcmp(files->items[k], texts[i]);
        if (!known)
            strings_add(files, texts[i]);
    }
    task_files_release(&task);
    corpus_files_release(&corpus);
    free(folder);
    return ret;
}

/* side -1: both together. */
static int train_side(struct stage_run *run, const char *name, int side, struct error *err)
{
    struct strings files = { 0 };
    int ret = 0;
    for (size_t i = 0; i < run->stage->link_count && ret == 0; i++)
        ret = add_texts(&files, run, &run->stage->links[i], side, err);
    if (ret == 0)
        ret = train(run, name, &files, err);
    strings_release(&files);
    return ret;
}

static int run_vocabulary(struct stage_run *run, struct error *err)
{
    const struct vocabulary_stage *c = run->stage->config;
    if (c->joint)
        return train_side(run, "joint.spm", -1, err);
    return train_side(run, "source.spm", 0, err) < 0 ? -1 : train_side(run, "target.spm", 1, err);
}

/* Measured on one core: words a second, both sides counted, for a unigram model; a model file holds
 * its pieces beside the rules of normalisation. */
#define PACE 150e3
#define RULES 240e3
#define PIECE 17.0

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct vocabulary_stage *c = run->stage->config;
    double words = 0;
    for (size_t i = 0; i < run->stage->link_count; i++) {
        double more = run->costs[run->stage->links[i].stage].train_words;
        words = words < 0 || more < 0 ? -1 : words + more;
    }
    if (words >= 0)
        cost->seconds = 2 * words / PACE;
    cost->bytes = (RULES + PIECE * c->vocab.size) * (c->joint ? 1 : 2);
}

const struct stage_kind stage_vocabulary = {
    .name = "vocabulary", .summary = "training the vocabulary", .makes = "vocabulary", .version = 1,
    .config_size = sizeof(struct vocabulary_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .run = run_vocabulary, .estimate = estimate,
};
