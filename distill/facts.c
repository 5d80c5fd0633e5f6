/* What a recipe tells of its stages, and what of it cannot be. */
#include "distill/facts.h"

#include <string.h>

#include "base/error.h"
#include "decode/validate.h"
#include "distill/test_lines.h"
#include "seq2seq/train.h"
#include "seq2seq/train_courses.h"

static const struct stage_facts nothing;

static const struct stage_facts *facts_at(const struct stage_view *v, const struct stage_link *link)
{
    return &v->facts[link->stage];
}

static const char *name_at(const struct stage_view *v, const struct stage_link *link)
{
    return v->stages[link->stage].name;
}

const struct stage_facts *facts_of(const struct stage_view *v, const char *input)
{
    const struct stage_link *link = stage_link(v->stage, input);
    return link ? facts_at(v, link) : &nothing;
}

/* The next stage under `input`, *i being where to look from; NULL: there are no more. */
static const struct stage_link *next_link(struct stage_view *v, const char *input, size_t *i)
{
    while (*i < v->stage->link_count) {
        const struct stage_link *link = &v->stage->links[(*i)++];
        if (stage_link_is(link, input)) {
            v->key = input;
            return link;
        }
    }
    v->key = NULL;
    return NULL;
}

/* ---- filling them ---- */

void facts_pass(struct stage_facts *out, const struct stage_view *v, const char *input)
{
    *out = *facts_of(v, input);
}

void facts_derive(struct stage_facts *out, const struct stage_view *v, const char *input)
{
    const struct stage_facts *from = facts_of(v, input);
    *out = (struct stage_facts){ .source_lang = from->source_lang, .target_lang = from->target_lang,
                                 .no_dev = from->no_dev, .no_test = from->no_test };
}

static bool same_text(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static bool same_languages(const struct stage_facts *a, const struct stage_facts *b)
{
    return same_text(a->source_lang, b->source_lang) && same_text(a->target_lang, b->target_lang);
}

static bool swapped(const struct stage_facts *a, const struct stage_facts *b)
{
    return same_text(a->source_lang, b->target_lang) && same_text(a->target_lang, b->source_lang)
        && !same_text(a->source_lang, a->target_lang);
}

void facts_languages(struct stage_facts *out, const struct stage_view *v)
{
    const struct stage_facts *first = facts_of(v, "corpus");
    bool agree = true;
    for (size_t i = 0; i < v->stage->link_count; i++)
        if (stage_link_is(&v->stage->links[i], "corpus"))
            agree &= same_languages(first, facts_at(v, &v->stage->links[i]));
    out->source_lang = agree ? first->source_lang : NULL;
    out->target_lang = agree ? first->target_lang : NULL;
}

/* ---- vocabularies ---- */

static bool same_options(const struct stage *a, const struct stage *b)
{
    json_t *one = stage_options_json(a), *other = stage_options_json(b);
    bool same = json_equal(one, other);
    json_decref(one);
    json_decref(other);
    return same;
}

/* Two stages of the same options that take from the same stages leave the same. */
static bool same_outcome(const struct stage *a, const struct stage *b)
{
    if (a == b)
        return true;
    bool same = a->kind == b->kind && a->link_count == b->link_count && same_options(a, b);
    for (size_t i = 0; i < a->link_count && same; i++)
        same = a->links[i].stage == b->links[i].stage && a->links[i].input == b->links[i].input;
    return same;
}

int facts_same_vocabulary(struct stage_view *v, const char *input, const struct stage *vocabulary, const char *so,
                          struct error *err)
{
    const struct stage_link *link, *first = NULL;
    for (size_t i = 0; (link = next_link(v, input, &i));) {
        const struct stage *its = facts_at(v, link)->vocabulary;
        if (!its)
            continue;
        if (!vocabulary) {
            vocabulary = its;
            first = link;
        } else if (!same_outcome(its, vocabulary)) {
            return error_set(err, "'%s': the vocabulary of '%s' is '%s', but %s%s%s is '%s'; %s", input,
                             name_at(v, link), its->name, first ? "that of '" : "this one's",
                             first ? name_at(v, first) : "", first ? "'" : "", vocabulary->name, so);
        }
    }
    return 0;
}

/* ---- languages ---- */

int facts_direction(struct stage_view *v, const char *input, bool back, struct error *err)
{
    const struct stage_link *link;
    struct stage_facts corpus = { 0 };
    facts_languages(&corpus, v);
    for (size_t i = 0; (link = next_link(v, input, &i));) {
        const struct stage_facts *model = facts_at(v, link);
        bool same = same_languages(model, &corpus) && !same_text(model->source_lang, model->target_lang);
        if (back ? same : swapped(model, &corpus))
            return error_set(err, "'%s': '%s' translates %s to %s, and the other direction is wanted: the corpus '%s' is "
                             "%s to %s", input, name_at(v, link), model->source_lang, model->target_lang,
                             name_at(v, stage_link(v->stage, "corpus")), corpus.source_lang, corpus.target_lang);
    }
    return 0;
}

/* ---- what corpora have ---- */

int facts_have_set(struct stage_view *v, const char *input, int set, struct error *err)
{
    const struct stage_link *link;
    for (size_t i = 0; (link = next_link(v, input, &i));) {
        const struct stage_facts *f = facts_at(v, link);
        if (set == SET_TEST ? f->no_test : f->no_dev)
            return error_set(err, "'%s': '%s' has no %s set", input, name_at(v, link), test_set_names[set]);
    }
    return 0;
}

int facts_have_targets(struct stage_view *v, const char *input, struct error *err)
{
    const struct stage_link *link;
    for (size_t i = 0; (link = next_link(v, input, &i));)
        if (facts_at(v, link)->no_targets)
            return error_set(err, "'%s': '%s' has no targets; label it first, by a stage of kind label", input,
                             name_at(v, link));
    return 0;
}

/* ---- what models take ---- */

int facts_take(struct stage_view *v, const char *input, int max_length, struct error *err)
{
    const struct stage_link *link;
    for (size_t i = 0; (link = next_link(v, input, &i));) {
        const struct stage_facts *f = facts_at(v, link);
        int limit = f->shaped ? model_config_max_length(&f->config) : 0;
        v->key = NULL;              /* the message's */
        if (limit && max_length >= limit)
            return error_set(err, "max-length %d: the learned positions of '%s' end at %d; lower it", max_length,
                             name_at(v, link), limit);
    }
    return 0;
}

/* ---- tasks ---- */

static bool names_task(const struct stage *s, const char *task)
{
    for (size_t i = 0; i < s->link_count; i++)
        if (stage_link_is(&s->links[i], "tasks") && !strcmp(s->links[i].label, task))
            return true;
    return false;
}

int facts_know_task(struct stage_view *v, const char *input, const char *task, struct error *err)
{
    const struct stage_link *link;
    for (size_t i = 0; (link = next_link(v, input, &i));) {
        const struct stage *knows = facts_at(v, link)->tasks;
        const char *wanted = task ? task : link->label;
        if (knows && !names_task(knows, wanted))
            return error_set(err, "'%s': '%s' does not know task '%s'; its tasks are those of stage '%s'", input,
                             name_at(v, link), wanted, knows->name);
    }
    return 0;
}

int facts_translate(struct stage_view *v, const char *input, struct error *err)
{
    const struct stage_link *link;
    for (size_t i = 0; (link = next_link(v, input, &i));)
        if (facts_at(v, link)->tasks)
            return error_set(err, "'%s': '%s' was made for several tasks; a model that translates and no more is wanted",
                             input, name_at(v, link));
    return 0;
}

/* ---- the stage's own model ---- */

int facts_model_can_be(struct stage_view *v, const struct model_config *config, bool translates, struct error *err)
{
    bool joint = !facts_of(v, "vocabulary")->separate;
    if (config->tied == TIE_ALL && !joint)
        v->key = "tied";
    if (model_config_check(config, joint, err) < 0)
        return -1;
    if (config->decoder_layers || !translates)
        return 0;
    v->key = "decoder-layers";
    return error_set(err, "decoder-layers 0: translation needs a decoder");
}

int facts_training(struct stage_view *v, const struct train_courses *courses, const struct model_config *model,
                   struct error *err)
{
    const struct train_config *train = courses->config;
    bool dev = !facts_of(v, "corpus")->no_dev;
    if (train_ends(train, err) < 0 || train_start_check(train, stage_link(v->stage, "start") != NULL, err) < 0)
        return -1;
    v->key = "metric";
    if (validator_knows(train->metric, err) < 0)
        return -1;
    v->key = NULL;
    if (train_courses_check(courses, dev, err) < 0 || (!dev && facts_train_without_dev(v, train, err) < 0))
        return -1;
    return facts_model_can_be(v, model, true, err);
}

int facts_train_without_dev(struct stage_view *v, const struct train_config *config, struct error *err)
{
    v->key = train_wants_dev(config, false, false);
    return v->key ? error_set(err, "%s needs a dev set, and there is none", v->key) : 0;
}
