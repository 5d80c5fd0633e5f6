/* The stage `novelty`: of unlabelled lines those that are new beside a corpus, but not the newest
 * (novel_lines.h).  Their targets, where they have some, go with them. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "corpora/pairs.h"
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "distill/novel_lines.h"
#include "tokenize/vocabularies.h"

static const struct stage_options tables[] = {
    { novel_options, 0 }, { novelty_options, offsetof(struct novel_config, novelty) }, { NULL }
};

static const struct stage_input inputs[] = {
    { "corpus", "corpus", true, false },        /* what is known */
    { "candidates", "corpus", true, false },
    { "vocabulary", "vocabulary", true, false },
    { "foreign", "corpus", false, false },      /* lines of another kind, to measure with */
    { NULL }
};

static int check(struct stage_view *v, struct error *err)
{
    return novel_check(v->stage->config, err);
}

/* The lines are the candidates', all else is the known corpus's. */
static void facts(struct stage_facts *out, const struct stage_view *v)
{
    facts_derive(out, v, "corpus");
    out->gold = true;
    out->no_targets = facts_of(v, "candidates")->no_targets;
}

struct choosing {
    struct stage_run *run;
    struct corpus_files known, candidates, foreign, out;
    struct tokenizer *source, *target;
    struct novel_lines lines;
};

static int open_all(struct choosing *c, struct error *err)
{
    const struct stage_run *run = c->run;
    if (input_corpus(&c->known, run, "corpus", err) < 0 || input_corpus(&c->candidates, run, "candidates", err) < 0 ||
        input_corpus(&c->foreign, run, "foreign", err) < 0 ||
        input_vocabulary(&c->source, &c->target, run, err) < 0)
        return -1;
    const struct stage_link *link = stage_link(run->stage, "candidates");
    corpus_files_derive(&c->out, &c->known, run->stages[link->stage].name);
    c->out.train = (struct corpus_set){ xasprintf("train.%s", c->candidates.source_lang),
                                        xasprintf("train.%s", c->candidates.target_lang), 0, 0, 0 };
    return 0;
}

static int choose(struct choosing *c, struct error *err)
{
    if (stage_has(c->run, "foreign") && !c->known.dev.source)
        return error_set(err, "foreign: those lines are told from the corpus's dev set, and it has none; give it one, or "
                         "leave foreign out");
    const struct novel_job job = { c->source, c->known.train.source, c->candidates.train.source, c->known.dev.source,
                                   c->foreign.train.source };
    return novel_lines(&c->lines, &job, c->run->stage->config, err);
}

static int copy_chosen(struct choosing *c, struct error *err)
{
    struct pairs in = { 0 };
    struct outfile source = { 0 }, target = { 0 };
    char *source_path = stage_path(c->run, c->out.train.source), *target_path = stage_path(c->run, c->out.train.target);
    int ret = -1, more = 1;
    if (pairs_open(&in, c->candidates.train.source, c->candidates.train.target, err) < 0 ||
        outfile_open(&source, source_path, err) < 0 || outfile_open(&target, target_path, err) < 0)
        goto done;
    for (size_t i = 0; i < c->lines.count && (more = pairs_next(&in, err)) > 0; i++)
        if (c->lines.take[i]) {
            fprintf(source.stream, "%s\n", in.source.text);
            fprintf(target.stream, "%s\n", in.target.text);
        }
    if (more > 0)
        ret = outfile_commit(&source, err) < 0 || outfile_commit(&target, err) < 0 ? -1 : 0;
done:
    pairs_close(&in);
    outfile_abort(&source);
    outfile_abort(&target);
    free(source_path);
    free(target_path);
    return ret;
}

static int describe(struct choosing *c, struct error *err)
{
    struct stage_run *run = c->run;
    if (corpus_set_count(&c->out.train, run->folder, err) < 0 || corpus_files_write(&c->out, run->folder, err) < 0)
        return -1;
    stage_output(run, c->out.train.source);
    stage_output(run, c->out.train.target);
    stage_output(run, CORPUS_FILE);
    json_object_set_new(run->figures, "candidates", json_integer((json_int_t)c->lines.count));
    json_object_set_new(run->figures, "pairs", json_integer((json_int_t)c->lines.chosen));
    json_object_set_new(run->figures, "loss", json_real(c->lines.loss));
    if (isfinite(c->lines.auc_shuffled))
        json_object_set_new(run->figures, "auc_shuffled", json_real(c->lines.auc_shuffled));
    if (isfinite(c->lines.auc_foreign))
        json_object_set_new(run->figures, "auc_foreign", json_real(c->lines.auc_foreign));
    return 0;
}

static int run_novelty(struct stage_run *run, struct error *err)
{
    struct choosing c = { .run = run };
    int ret = open_all(&c, err) < 0 || choose(&c, err) < 0 || copy_chosen(&c, err) < 0 || describe(&c, err) < 0 ? -1 : 0;
    vocabularies_free(c.source, c.target);
    novel_lines_release(&c.lines);
    corpus_files_release(&c.known);
    corpus_files_release(&c.candidates);
    corpus_files_release(&c.foreign);
    corpus_files_release(&c.out);
    return ret;
}

/* Measured on one core: 900,000 words a second and epoch with a hidden layer of 128. */
#define PACE (900e3 * 128)

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct novel_config *c = run->stage->config;
    const struct stage_cost *known = stage_input_cost(run, "corpus"), *candidates = stage_input_cost(run, "candidates");
    cost->eval_words = known->eval_words;
    if (candidates->train_words >= 0)
        cost->train_words = candidates->train_words * (double)(c->to - c->from);
    if (candidates->bytes >= 0)
        cost->bytes = candidates->bytes * (double)(c->to - c->from);
    if (known->train_words >= 0)
        cost->seconds = known->train_words * c->novelty.epochs * c->novelty.width / PACE;
}

const struct stage_kind stage_novelty = {
    .name = "novelty", .summary = "choosing new lines", .makes = "corpus", .version = 1,
    .varies = true,
    .config_size = sizeof(struct novel_config), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .run = run_novelty, .estimate = estimate,
};
