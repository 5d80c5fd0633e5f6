/* The stage `select`: of each sentence's n-best list the hypothesis nearest to the gold target
 * (Kim & Rush 2016, sequence-level interpolation), by sentence BLEU or chrF. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/pipeline.h"
#include "decode/nbest.h"
#include "distill/corpus_files.h"
#include "distill/derived_corpus.h"
#include "distill/facts.h"
#include "distill/kinds.h"
#include "eval/metric.h"

struct select_stage {
    int metric;
    bool keep_cut;
};
static const char *const metric_names[] = { "bleu", "chrf", "chrf++", NULL };

#define FIELD(member) offsetof(struct select_stage, member)
static const struct option select_options[] = {
    { "metric", OPTION_CHOICE, FIELD(metric), "bleu", 0, 0,
      "what is nearest to gold is told by this score of a sentence", metric_names },
    { "keep-cut", OPTION_FLAG, FIELD(keep_cut), "false", 0, 0,
      "consider hypotheses that the length limit ended" },
    { 0 }
};
static const struct stage_options tables[] = { { select_options, 0 }, { NULL } };
#undef FIELD

static const struct stage_input inputs[] = {
    { "labels", "corpus", true, false },
    { NULL }
};

static int no_lists(const char *stage, struct error *err)
{
    return error_set(err, "%s holds no n-best lists beside gold targets; 'labels' wants a stage of kind label over a "
                     "parallel corpus", stage);
}

static int check(struct stage_view *v, struct error *err)
{
    const struct stage_facts *labels = facts_of(v, "labels");
    const char *name = v->stages[stage_link(v->stage, "labels")->stage].name;
    v->key = "labels";
    if (!labels->n_best || !labels->gold)
        return no_lists(name, err);
    if (labels->n_best == 1)
        return error_set(err, "'labels': '%s' has one hypothesis a sentence, so there is nothing to select among; give it "
                         "an n-best above 1", name);
    return 0;
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    facts_derive(out, v, "labels");
    out->gold = true;
}

/* A block of sentences: gold, and the candidates of each, which stand together in `texts`. */
#define BLOCK 1000

struct block {
    int64_t line;                       /* of its first sentence, from 1 */
    struct strings sources, references, texts;
    size_t first[BLOCK + 1];            /* sentence i has the texts first[i] … first[i+1]-1 */
    size_t chosen[BLOCK];               /* a place in `texts`; SIZE_MAX: there is none */
    double first_score[BLOCK], best_score[BLOCK];
};

struct selection {
    struct stage_run *run;
    const struct select_stage *config;
    struct corpus_files labels, gold;
    struct lines source, reference;
    struct nbest lists;
    int64_t sentence;                   /* read so far */
    struct segment_scorer **scorers;    /* one a thread */
    struct derived out;
    int64_t kept, dropped, not_first;
    double first_score, best_score;     /* summed over the kept ones */
};

/* ---- reading ---- */

static void *sentences_new(void *arg)
{
    (void)arg;
    return xcalloc(1, sizeof(struct block));
}

static void sentences_empty(struct block *b)
{
    strings_release(&b->sources);
    strings_release(&b->references);
    strings_release(&b->texts);
}

static void sentences_free(void *arg, void *block)
{
    (void)arg;
    sentences_empty(block);
    free(block);
}

/* The list of one sentence: those of its lines that may be chosen. */
static int read_list(struct selection *s, struct block *b, struct error *err)
{
    struct nbest *lists = &s->lists;
    if (lists->more == 0 || lists->line.sentence != s->sentence)
        return error_set(err, "%s has no list for sentence %lld of %s", s->labels.nbest,
                         (long long)s->sentence, s->gold.train.source);
    for (; lists->more > 0 && lists->line.sentence == s->sentence; nbest_next(lists, err)) {
        const struct nbest_line *line = &lists->line;
        if (line->text[strspn(line->text, " \t")] && (!(line->marks & NBEST_CUT) || s->config->keep_cut))
            strings_add(&b->texts, line->text);
    }
    s->sentence++;
    return lists->more < 0 ? -1 : 0;
}

static int read_sentence(struct selection *s, struct block *b, struct error *err)
{
    int source = lines_next(&s->source, err), reference = source < 0 ? -1 : lines_next(&s->reference, err);
    if (source < 0 || reference < 0)
        return -1;
    if (source != reference)
        return error_set(err, "%s and %s differ in length: one ends at line %lld", s->gold.train.source,
                         s->gold.train.target, (long long)s->sentence + 1);
    if (source == 0)
        return 0;
    strings_add(&b->sources, s->source.text);
    strings_add(&b->references, s->reference.text);
    return read_list(s, b, err) < 0 ? -1 : 1;
}

static int read_block(void *arg, void *block, struct error *err)
{
    struct selection *s = arg;
    struct block *b = block;
    int more = 1;
    sentences_empty(b);
    b->line = s->sentence + 1;
    while (b->sources.count < BLOCK && (more = read_sentence(s, b, err)) > 0)
        b->first[b->sources.count] = b->texts.count;
    return more < 0 ? -1 : b->sources.count > 0;
}

/* ---- choosing ---- */

/* Of equally good ones the first, which is the one that the model likes best. */
static void choose(struct block *b, struct segment_scorer *scorer, size_t i)
{
    struct text reference = text_of(b->references.items[i]);
    b->chosen[i] = SIZE_MAX;
    if (b->first[i] == b->first[i + 1])
        return;
    segment_scorer_refs(scorer, &reference, 1);
    for (size_t k = b->first[i]; k < b->first[i + 1]; k++) {
        double score = segment_scorer_score(scorer, text_of(b->texts.items[k]));
        if (k == b->first[i])
            b->first_score[i] = score;
        if (k == b->first[i] || score > b->best_score[i]) {
            b->best_score[i] = score;
            b->chosen[i] = k;
        }
    }
}

static int choose_block(void *arg, void *block, int worker, struct error *err)
{
    struct selection *s = arg;
    struct block *b = block;
    (void)err;
    for (size_t i = 0; i < b->sources.count; i++)
        choose(b, s->scorers[worker], i);
    return 0;
}

static int write_block(void *arg, void *block, struct error *err)
{
    struct selection *s = arg;
    const struct block *b = block;
    (void)err;
    for (size_t i = 0; i < b->sources.count; i++) {
        if (b->chosen[i] == SIZE_MAX) {
            s->dropped++;
            continue;
        }
        s->kept++;
        s->not_first += b->chosen[i] != b->first[i];
        s->first_score += b->first_score[i];
        s->best_score += b->best_score[i];
        derived_add(&s->out, b->sources.items[i], b->texts.items[b->chosen[i]], b->line + (int64_t)i, 1);
    }
    return 0;
}

static void scorers_open(struct selection *s)
{
    struct metric_config config;
    metric_config_default(&config);
    config.bleu.effective_order = true;
    s->scorers = xcalloc((size_t)s->run->threads, sizeof(struct segment_scorer *));
    for (int i = 0; i < s->run->threads; i++)
        s->scorers[i] = segment_scorer_new(metric_find(metric_names[s->config->metric]), &config);
}

static int choose_all(struct selection *s, struct error *err)
{
    const struct pipeline pipeline = {
        .threads = s->run->threads, .arg = s, .block_new = sentences_new, .block_free = sentences_free,
        .read = read_block, .work = choose_block, .write = write_block,
    };
    scorers_open(s);
    if (pipeline_run(&pipeline, err) < 0)
        return -1;
    if (s->lists.more > 0)
        return error_set(err, "%s has a list for sentence %lld, but %s ends before", s->labels.nbest,
                         (long long)s->lists.line.sentence, s->gold.train.source);
    return s->kept ? 0 : error_set(err, "%s holds no hypothesis that could be chosen", s->labels.nbest);
}

/* ---- in and out ---- */

static int open_labels(struct selection *s, struct error *err)
{
    char *folder = stage_input_folder(s->run, "labels");
    int ret = corpus_files_read(&s->labels, folder, err);
    if (ret == 0 && (!s->labels.nbest || !s->labels.gold))
        ret = no_lists(folder, err);
    free(folder);
    return ret < 0 ? -1 : corpus_files_read(&s->gold, s->labels.gold, err);
}

static int open_inputs(struct selection *s, struct error *err)
{
    if (open_labels(s, err) < 0 || lines_open(&s->source, s->gold.train.source, err) < 0
        || lines_open(&s->reference, s->gold.train.target, err) < 0
        || nbest_open(&s->lists, s->labels.nbest, err) < 0)
        return -1;
    return nbest_next(&s->lists, err) < 0 ? -1 : 0;
}

static int describe(struct selection *s, struct error *err)
{
    char *gold = xasprintf("../%s", path_name(s->labels.gold));
    struct corpus_files about = { .gold = gold, .teacher = s->labels.teacher };
    int ret = derived_finish(&s->out, &s->gold, &about, err);
    free(gold);
    return ret;
}

static void set_figures(struct selection *s)
{
    json_t *figures = s->run->figures;
    double kept = (double)s->kept;
    json_object_set_new(figures, "pairs", json_integer(s->kept));
    json_object_set_new(figures, "dropped", json_integer(s->dropped));
    json_object_set_new(figures, "score_of_first", json_real(s->first_score / kept));
    json_object_set_new(figures, "score_of_chosen", json_real(s->best_score / kept));
    json_object_set_new(figures, "share_not_first", json_real((double)s->not_first / kept));
}

static int work(struct selection *s, struct error *err)
{
    if (open_inputs(s, err) < 0
        || derived_open(&s->out, s->run, s->gold.source_lang, s->gold.target_lang, false, err) < 0
        || choose_all(s, err) < 0)
        return -1;
    return describe(s, err);
}

static void selection_release(struct selection *s)
{
    for (int i = 0; s->scorers && i < s->run->threads; i++)
        segment_scorer_free(s->scorers[i]);
    free(s->scorers);
    lines_close(&s->source);
    lines_close(&s->reference);
    nbest_close(&s->lists);
    derived_abort(&s->out);
    corpus_files_release(&s->labels);
    corpus_files_release(&s->gold);
}

static int run_select(struct stage_run *run, struct error *err)
{
    struct selection s = { .run = run, .config = run->stage->config };
    int ret = work(&s, err);
    if (ret == 0)
        set_figures(&s);
    selection_release(&s);
    return ret;
}

/* Measured on one core: 40 MB of n-best lists a second, by sentence BLEU. */
#define PACE 40e6

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct stage_cost *labels = stage_input_cost(run, "labels");
    cost->train_words = labels->train_words;
    cost->eval_words = labels->eval_words;
    if (labels->bytes < 0)
        return;
    cost->seconds = labels->bytes / (PACE * run->threads);
    cost->bytes = labels->bytes / 2;
}

const struct stage_kind stage_select = {
    .name = "select", .summary = "selecting the hypotheses nearest to gold", .makes = "corpus",
    .version = 2, .config_size = sizeof(struct select_stage), .options = tables, .inputs = inputs,
    .check = check, .facts = facts, .run = run_select, .estimate = estimate,
};
