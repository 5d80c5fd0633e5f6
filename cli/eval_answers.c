/* Classification, regression and tagging as text or JSON. */
#include "cli/eval_answers.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

struct answer_score {
    double score, low, high;            /* NAN: undefined, or no interval */
};

static int score_one(struct answer_score *out, const struct answers_request *r, const struct answer_metric *metric,
                     size_t system, struct error *err)
{
    const struct testset *set = r->set;
    struct answers answers = { 0 };
    const struct answer_lines gold = { set->refs, r->gold_path };
    const struct answer_lines predicted = { set->systems[system].hyps, set->systems[system].name };
    if (answers_read(&answers, metric->kind, gold, predicted, set->n, err) < 0)
        return -1;
    *out = (struct answer_score){ answers_score(metric, &answers), NAN, NAN };
    if (r->samples > 0)
        answers_interval(&out->low, &out->high, metric, &answers, r->samples, r->seed, r->threads);
    answers_release(&answers);
    return 0;
}

static char *signature_of(const struct answers_request *r)
{
    struct strbuf s = { 0 };
    strbuf_printf(&s, "n:%zu|", r->set->n);
    if (r->samples > 0 && r->seed.random)
        strbuf_printf(&s, "bs:%d|seed:none|", r->samples);
    else if (r->samples > 0)
        strbuf_printf(&s, "bs:%d|seed:%llu|", r->samples, (unsigned long long)r->seed.value);
    strbuf_printf(&s, "version:coho-%s", COHO_VERSION);
    return strbuf_detach(&s);
}

/* ---- text ---- */

static void put_text(struct strbuf *out, const struct answers_request *r, const struct answer_score *scores)
{
    char *signature = signature_of(r);
    for (size_t s = 0; s < r->set->systems_count; s++)
        for (size_t m = 0; m < r->count; m++) {
            const struct answer_score *one = &scores[s * r->count + m];
            if (!r->score_only && r->set->systems_count > 1)
                strbuf_printf(out, "%s: ", r->set->systems[s].name);
            if (!r->score_only)
                strbuf_printf(out, "%s|%s = ", r->metrics[m]->name, signature);
            strbuf_printf(out, "%.*f", r->width, one->score);
            if (r->samples > 0)
                strbuf_printf(out, " (95%% CI %.*f to %.*f)", r->width, one->low, r->width, one->high);
            strbuf_putc(out, '\n');
        }
    free(signature);
}

/* ---- JSON ---- */

static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *figures_of(const struct answers_request *r, const struct answer_score *s)
{
    json_t *figures = json_object();
    json_object_set_new(figures, "score", number(s->score));
    if (r->samples > 0) {
        json_object_set_new(figures, "ci_low", number(s->low));
        json_object_set_new(figures, "ci_high", number(s->high));
    }
    return figures;
}

/* The figures in full: a reader rounds them as he likes. */
static void put_json(struct strbuf *out, const struct answers_request *r, const struct answer_score *scores)
{
    json_t *all = json_array();
    char *signature = signature_of(r), *text;
    for (size_t s = 0; s < r->set->systems_count; s++) {
        json_t *system = json_object();
        json_object_set_new(system, "system", json_string(r->set->systems[s].name));
        json_object_set_new(system, "signature", json_string(signature));
        for (size_t m = 0; m < r->count; m++)
            json_object_set_new(system, r->metrics[m]->name, figures_of(r, &scores[s * r->count + m]));
        json_array_append_new(all, system);
    }
    text = json_dumps(all, JSON_INDENT(4));
    strbuf_printf(out, "%s\n", text);
    free(text);
    free(signature);
    json_decref(all);
}

int eval_answers(struct strbuf *out, const struct answers_request *r, struct error *err)
{
    struct answer_score *scores = xcalloc(r->set->systems_count * r->count, sizeof *scores);
    int ret = 0;
    for (size_t s = 0; ret == 0 && s < r->set->systems_count; s++)
        for (size_t m = 0; ret == 0 && m < r->count; m++)
            ret = score_one(&scores[s * r->count + m], r, r->metrics[m], s, err);
    if (ret == 0)
        (r->json && !r->score_only ? put_json : put_text)(out, r, scores);
    free(scores);
    return ret;
}
