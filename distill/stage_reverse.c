/* The stage `reverse`: a corpus with its sides changed, for models of the other direction: those that
 * translate back, and those that filter.  No text is copied. */
#include "distill/corpus_files.h"
#include "distill/facts.h"
#include "distill/inputs.h"
#include "distill/kinds.h"

#include <stdlib.h>

static const struct stage_input inputs[] = { { "corpus", "corpus", true, false }, { NULL } };

static int check(struct stage_view *v, struct error *err)
{
    return facts_have_targets(v, "corpus", err);
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct stage_facts *corpus = facts_of(v, "corpus");
    facts_derive(out, v, "corpus");
    out->source_lang = corpus->target_lang;
    out->target_lang = corpus->source_lang;
}

static struct corpus_set reversed(const struct corpus_set *set)
{
    return (struct corpus_set){ set->target ? corpus_sibling(set->target) : NULL,
                                set->source ? corpus_sibling(set->source) : NULL,
                                set->pairs, set->target_words, set->source_words };
}

static void set_free(struct corpus_set *set)
{
    free(set->source);
    free(set->target);
}

static int run_reverse(struct stage_run *run, struct error *err)
{
    struct corpus_files in = { 0 };
    int ret = input_corpus(&in, run, "corpus", err);
    if (ret == 0) {
        struct corpus_files out = { .source_lang = in.target_lang, .target_lang = in.source_lang,
                                    .train = reversed(&in.train), .dev = reversed(&in.dev), .test = reversed(&in.test),
                                    .teacher = in.teacher };
        ret = corpus_files_write(&out, run->folder, err);
        set_free(&out.train);
        set_free(&out.dev);
        set_free(&out.test);
    }
    stage_output(run, CORPUS_FILE);
    corpus_files_release(&in);
    return ret;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct stage_cost *corpus = stage_input_cost(run, "corpus");
    cost->seconds = cost->bytes = 0;
    cost->train_words = corpus->train_words;
    cost->eval_words = corpus->eval_words;
}

const struct stage_kind stage_reverse = {
    .name = "reverse", .summary = "changing the sides of a corpus", .makes = "corpus", .version = 1,
    .inputs = inputs, .check = check, .facts = facts, .run = run_reverse, .estimate = estimate,
};
