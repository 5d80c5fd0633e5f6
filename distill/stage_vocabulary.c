/* The stage `vocabulary`: a SentencePiece model from a corpus, joint or one a side. */
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "distill/corpus_files.h"
#include "distill/kinds.h"
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
    { "corpus", "corpus", true, false },
    { NULL }
};

static int train(struct stage_run *run, const char *name, const char *const *files, size_t count,
                 struct error *err)
{
    const struct vocabulary_stage *c = run->stage->config;
    char *path = stage_path(run, name);
    int ret = vocab_train(path, files, count, &c->vocab, err);
    free(path);
    stage_output(run, name);
    return ret;
}

static int run_vocabulary(struct stage_run *run, struct error *err)
{
    const struct vocabulary_stage *c = run->stage->config;
    char *folder = stage_input_folder(run, "corpus");
    struct corpus_files corpus = { 0 };
    int ret = corpus_files_read(&corpus, folder, err);
    const char *const texts[] = { corpus.train.source, corpus.train.target };

    if (ret == 0 && c->joint)
        ret = train(run, "joint.spm", texts, 2, err);
    else if (ret == 0)
        ret = train(run, "source.spm", texts, 1, err) < 0
            || train(run, "target.spm", texts + 1, 1, err) < 0 ? -1 : 0;
    corpus_files_release(&corpus);
    free(folder);
    return ret;
}

/* Measured on one core: words a second, both sides counted, for a unigram model; a model file holds
 * its pieces beside the rules of normalisation. */
#define PACE 150e3
#define RULES 240e3
#define PIECE 17.0

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct vocabulary_stage *c = run->stage->config;
    double words = stage_input_cost(run, "corpus")->train_words;
    if (words >= 0)
        cost->seconds = 2 * words / PACE;
    cost->bytes = (RULES + PIECE * c->vocab.size) * (c->joint ? 1 : 2);
}

const struct stage_kind stage_vocabulary = {
    .name = "vocabulary", .summary = "training the vocabulary", .makes = "vocabulary", .version = 1,
    .config_size = sizeof(struct vocabulary_stage), .options = tables, .inputs = inputs,
    .run = run_vocabulary, .estimate = estimate,
};
