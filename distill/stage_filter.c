/* The stage `filter`: pseudo-labelled pairs that are worth learning from.
 *
 * Three passes over the corpus, which keeps its order:
 *
 *   1. the filters and the search for duplicates of corpora/clean.h say which pairs may stay;
 *   2. those get their TER against gold (Freitag 2017: above 0.8 they go) and the cross-entropy of
 *      their source given their target by a model of the other direction;
 *   3. what is left, without the worst share by that cross-entropy, is written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/clean.h"
#include "decode/pair_scorer.h"
#include "distill/corpus_lines.h"
#include "distill/derived_corpus.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/inputs.h"
#include "distill/kinds.h"
#include "eval/metric.h"

struct filter_stage {
    float max_ter, drop_worst, max_reverse;
    struct clean_config clean;
};

#define FIELD(member) offsetof(struct filter_stage, member)
static const struct option stage_options[] = {
    { "max-ter", OPTION_FLOAT, FIELD(max_ter), "0", 0, 10,
      "drop pairs whose target needs more edits a word of gold than this share, such as 0.8; 0: any" },
    { "drop-worst", OPTION_FLOAT, FIELD(drop_worst), "0", 0, 0.99,
      "drop this share of the pairs that are left: those whose source is least likely by reverse-model" },
    { "max-reverse-cross-entropy", OPTION_FLOAT, FIELD(max_reverse), "0", 0, 1e6,
      "drop pairs whose source costs reverse-model more nats a token; 0: any" },
    { 0 }
};
static const struct stage_options tables[] = {
    { stage_options, 0 }, { filter_options, FIELD(clean.filter) }, { dedup_options, FIELD(clean) }, { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "corpus", "corpus", true, false },
    { "model", "model", false, false },
    { "reverse-model", "model", false, false },
    { NULL }
};

static bool wants_reverse(const struct filter_stage *c)
{
    return c->drop_worst > 0 || c->max_reverse > 0;
}

static int no_gold(const char *stage, struct error *err)
{
    return error_set(err, "max-ter: stage '%s' has no gold targets; they come with the labels of a parallel corpus, "
                     "not of monolingual text", stage);
}

static int check(struct stage_view *v, struct error *err)
{
    const struct stage *s = v->stage;
    const struct filter_stage *c = s->config;
    const struct filter_config *f = &c->clean.filter;
    if ((wants_reverse(c) || f->max_dual > 0) && !stage_link(s, "reverse-model"))
        return error_set(err, "drop-worst, max-reverse-cross-entropy and max-dual-cross-entropy need a 'reverse-model', "
                         "the name of a stage that makes a model from target to source");
    if ((f->max_cross_entropy > 0 || f->max_dual > 0) && !stage_link(s, "model"))
        return error_set(err, "max-cross-entropy and max-dual-cross-entropy need a 'model', the name of a stage that "
                         "makes a model from source to target");
    if (c->max_ter > 0 && !facts_of(v, "corpus")->gold) {
        v->key = "max-ter";
        return no_gold(v->stages[stage_link(s, "corpus")->stage].name, err);
    }
    return facts_direction(v, "model", false, err) < 0 ? -1 : facts_direction(v, "reverse-model", true, err);
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    facts_pass(out, v, "corpus");
    out->n_best = 0;
}

struct filtering {
    struct stage_run *run;
    const struct filter_stage *config;
    struct corpus_files corpus, gold;
    struct clean_report cleaned;
    bool *keep;                         /* of each pair */
    float *entropy;                     /* by the reverse model; INFINITY where it gives none */
    size_t keep_room, entropy_room;
    int64_t pairs;
    int64_t dropped_ter, dropped_entropy, dropped_worst, kept;
    double ter;                         /* summed over the pairs that have one */
    int64_t with_ter;
};

/* ---- the first pass ---- */

static char *model_folder(const struct stage_run *run, const char *input, bool wanted)
{
    return wanted && stage_has(run, input) ? stage_input_folder(run, input) : NULL;
}

static int mark_kept(void *arg, const struct cleaned *pair, struct error *err)
{
    struct filtering *f = arg;
    size_t old = f->keep_room;
    (void)err;
    ARRAY_GROW(f->keep, f->keep_room, (size_t)pair->number);
    memset(f->keep + old, 0, (f->keep_room - old) * sizeof *f->keep);
    f->keep[pair->number - 1] = true;
    return 0;
}

static int clean(struct filtering *f, struct error *err)
{
    struct clean_config c = f->config->clean;           /* what it points to stays the stage's */
    const struct clean_sink sink = { mark_kept, f };
    struct pair_scorer scorer = { 0 };
    bool both = c.filter.max_dual > 0;
    char *forward = model_folder(f->run, "model", both || c.filter.max_cross_entropy > 0);
    char *backward = model_folder(f->run, "reverse-model", both);
    c.import.source_lang = f->corpus.source_lang;
    c.import.target_lang = f->corpus.target_lang;
    c.threads = f->run->threads;
    int ret = forward ? pair_scorer_open(&scorer, forward, backward, f->run->threads, err) : 0;
    c.scorer = forward ? &scorer : NULL;
    if (ret == 0)
        ret = clean_run(&f->cleaned, f->corpus.train.source, f->corpus.train.target, &c, &sink, err);
    f->pairs = f->cleaned.read;
    pair_scorer_close(&scorer);
    free(forward);
    free(backward);
    return ret;
}

static bool is_kept(const struct filtering *f, int64_t number)
{
    return (size_t)number <= f->keep_room && f->keep[number - 1];
}

/* ---- the second pass ---- */

#define BLOCK 4096

/* Some pairs, and what judges them. */
struct judging {
    struct filtering *f;
    struct corpus_lines in;
    struct segment_scorer *ter;         /* NULL: not wanted */
    struct pair_scorer reverse;
    int64_t numbers[BLOCK];
    struct strings sources, targets;
};

static int open_gold(struct filtering *f, struct error *err)
{
    if (f->config->max_ter <= 0)
        return 0;
    if (!f->corpus.gold)
        return no_gold(f->run->stages[stage_link(f->run->stage, "corpus")->stage].name, err);
    return corpus_files_read(&f->gold, f->corpus.gold, err);
}

static void judge_ter(struct judging *j, const char *target, const char *gold, int64_t number)
{
    struct text reference = text_of(gold);
    segment_scorer_refs(j->ter, &reference, 1);
    double ter = segment_scorer_score(j->ter, text_of(target)) / 100;
    j->f->ter += ter;
    j->f->with_ter++;
    if ((float)ter > j->f->config->max_ter) {         /* exactly at the limit, which is a float, it stays */
        j->f->keep[number - 1] = false;
        j->f->dropped_ter++;
    }
}

static int judge_reverse(struct judging *j, struct error *err)
{
    size_t n = j->sources.count;
    struct text_pair *pairs = xcalloc(n + 1, sizeof *pairs);
    struct pair_score *scores = xcalloc(n + 1, sizeof *scores);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct text_pair){ text_of(j->sources.items[i]), text_of(j->targets.items[i]) };
    int ret = n ? j->reverse.score(j->reverse.state, scores, pairs, n, err) : 0;
    for (size_t i = 0; i < n && ret == 0; i++) {
        float entropy = isfinite(scores[i].backward) ? scores[i].backward : INFINITY;
        j->f->entropy[j->numbers[i] - 1] = entropy;
        if (j->f->config->max_reverse > 0 && entropy > j->f->config->max_reverse) {
            j->f->keep[j->numbers[i] - 1] = false;
            j->f->dropped_entropy++;
        }
    }
    free(pairs);
    free(scores);
    strings_release(&j->sources);
    strings_release(&j->targets);
    return ret;
}

static int judge_pair(struct judging *j, struct error *err)
{
    struct corpus_lines *in = &j->in;
    int64_t number = in->number;
    if (!is_kept(j->f, number))
        return 0;
    if (j->ter)
        judge_ter(j, in->target.text, in->gold.text, number);
    if (!j->reverse.state || !is_kept(j->f, number))
        return 0;
    j->numbers[j->sources.count] = number;
    strings_add(&j->sources, in->source.text);
    strings_add(&j->targets, in->target.text);
    return j->sources.count == BLOCK ? judge_reverse(j, err) : 0;
}

static int judge_all(struct judging *j, struct error *err)
{
    int more;
    while ((more = corpus_lines_next(&j->in, err)) > 0)
        if (judge_pair(j, err) < 0)
            return -1;
    return more < 0 ? -1 : j->reverse.state ? judge_reverse(j, err) : 0;
}

static int judge(struct filtering *f, struct error *err)
{
    struct judging j = { .f = f };
    struct metric_config config;
    char *reverse = model_folder(f->run, "reverse-model", wants_reverse(f->config));
    int ret = open_gold(f, err);
    metric_config_default(&config);
    if (ret == 0 && f->config->max_ter > 0)
        j.ter = segment_scorer_new(metric_find("ter"), &config);
    if (ret == 0 && reverse) {
        ARRAY_GROW(f->entropy, f->entropy_room, (size_t)f->pairs + 1);
        ret = pair_scorer_open(&j.reverse, NULL, reverse, f->run->threads, err);
    }
    if (ret == 0 && (j.ter || reverse)) {
        ret = corpus_lines_open(&j.in, &f->corpus, j.ter ? f->gold.train.target : NULL, err);
        if (ret == 0)
            ret = judge_all(&j, err);
    }
    if (j.ter)
        segment_scorer_free(j.ter);
    corpus_lines_close(&j.in);
    pair_scorer_close(&j.reverse);
    free(reverse);
    return ret;
}

struct ranked {
    float entropy;
    int64_t number;
};

/* Dearest first; of equals the later one. */
static int dearer(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->entropy != y->entropy)
        return x->entropy > y->entropy ? -1 : 1;
    return (x->number < y->number) - (x->number > y->number);
}

static void drop_worst(struct filtering *f)
{
    struct ranked *order = xcalloc((size_t)f->pairs + 1, sizeof *order);
    size_t count = 0;
    for (int64_t n = 1; n <= f->pairs; n++)
        if (is_kept(f, n))
            order[count++] = (struct ranked){ f->entropy[n - 1], n };
    qsort(order, count, sizeof *order, dearer);
    f->dropped_worst = (int64_t)((double)count * (double)f->config->drop_worst * (1 + 1e-7));      /* a float: 0.7 is a little less */
    for (int64_t i = 0; i < f->dropped_worst; i++)
        f->keep[order[i].number - 1] = false;
    free(order);
}

/* ---- the third pass ---- */

static int write_kept(struct filtering *f, struct derived *out, struct error *err)
{
    struct corpus_lines in = { 0 };
    int more = corpus_lines_open(&in, &f->corpus, NULL, err) < 0 ? -1 : 1;
    while (more > 0 && (more = corpus_lines_next(&in, err)) > 0)
        if (is_kept(f, in.number))
            derived_add(out, in.source.text, in.target.text, in.line, in.weight);
    corpus_lines_close(&in);
    f->kept = out->pairs;
    return more < 0 ? -1 : f->kept ? 0 : error_set(err, "no pair is left of %lld: loosen the filters",
                                                   (long long)f->pairs);
}

/* The path of something in the folder of the stage given as corpus, as seen from ours. */
static char *from_here(const struct stage_run *run, const char *folder, const char *path)
{
    const char *name = run->stages[stage_link(run->stage, "corpus")->stage].name;
    return path ? xasprintf("../%s%s", name, path + strlen(folder)) : NULL;
}

static int write_corpus(struct filtering *f, struct derived *out, const char *folder, struct error *err)
{
    struct corpus_files about = { .gold = from_here(f->run, folder, f->corpus.gold),
                                  .soft = from_here(f->run, folder, f->corpus.soft), .teacher = f->corpus.teacher };
    int ret = derived_open(out, f->run, f->corpus.source_lang, f->corpus.target_lang, f->corpus.weights, err);
    if (ret == 0)
        ret = write_kept(f, out, err);
    if (ret == 0)
        ret = derived_finish(out, &f->corpus, &about, err);
    free(about.gold);
    free(about.soft);
    return ret;
}

static void set_figures(struct filtering *f)
{
    json_t *figures = f->run->figures, *report = clean_report_json(&f->cleaned);
    json_object_set_new(figures, "read", json_integer(f->pairs));
    json_object_set_new(figures, "pairs", json_integer(f->kept));
    json_object_set(figures, "dropped", json_object_get(report, "dropped"));
    json_object_set_new(figures, "dropped_ter", json_integer(f->dropped_ter));
    json_object_set_new(figures, "dropped_reverse_cross_entropy", json_integer(f->dropped_entropy));
    json_object_set_new(figures, "dropped_worst", json_integer(f->dropped_worst));
    if (f->with_ter)
        json_object_set_new(figures, "mean_ter", json_real(f->ter / (double)f->with_ter));
    json_decref(report);
}

static int check_models(const struct filtering *f, struct error *err)
{
    const char *source = f->corpus.source_lang, *target = f->corpus.target_lang;
    return input_direction(f->run, "model", source, target, err) < 0 ? -1
         : input_direction(f->run, "reverse-model", target, source, err);
}

static int run_filter(struct stage_run *run, struct error *err)
{
    struct filtering f = { .run = run, .config = run->stage->config };
    struct derived out = { 0 };
    char *folder = stage_input_folder(run, "corpus");
    int ret = corpus_files_read(&f.corpus, folder, err);
    if (ret == 0)
        ret = check_models(&f, err);
    if (ret == 0 && (clean(&f, err) < 0 || judge(&f, err) < 0))
        ret = -1;
    if (ret == 0 && f.config->drop_worst > 0)
        drop_worst(&f);
    if (ret == 0)
        ret = write_corpus(&f, &out, folder, err);
    if (ret == 0)
        set_figures(&f);
    derived_abort(&out);
    corpus_files_release(&f.corpus);
    corpus_files_release(&f.gold);
    free(f.keep);
    free(f.entropy);
    free(folder);
    return ret;
}

/* Cleaning goes at 40 MB a second and a core; a model takes longer than all else. */
#define PACE 40e6

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct stage_cost *corpus = stage_input_cost(run, "corpus");
    double weights = stage_input_cost(run, "reverse-model")->weights;
    cost->train_words = corpus->train_words;
    cost->eval_words = corpus->eval_words;
    if (corpus->train_words < 0 || corpus->bytes < 0)
        return;
    cost->bytes = corpus->bytes;
    cost->seconds = corpus->bytes / PACE;
    if (wants_reverse(run->stage->config) && weights >= 0)
        cost->seconds += forecast_scoring(corpus->train_words, weights, run->threads);
}

const struct stage_kind stage_filter = {
    .name = "filter", .summary = "filtering pseudo-labels", .makes = "corpus", .version = 1,
    .config_size = sizeof(struct filter_stage), .options = tables, .inputs = inputs, .check = check, .facts = facts,
    .run = run_filter, .estimate = estimate,
};
