/* The stage `select`: of each sentence's n-best list the hypothesis nearest to the gold target
 * (Kim & Rush 2016, sequence-level interpolation), by sentence BLEU or chrF. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "distill/corpus_files.h"
#include "distill/kinds.h"
#include "distill/nbest.h"
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

struct candidates {
    size_t first, count;        /* places in `texts` */
};

struct selection {
    struct stage_run *run;
    const struct select_stage *config;
    struct corpus_files labels, gold;
    struct strings sources, references, texts;
    struct candidates *lists;   /* one a sentence of the gold corpus */
    size_t *chosen;             /* a place in `texts`, or SIZE_MAX for none */
    double *first_score, *best_score;
    int threads;
};

/* ---- reading ---- */

static int open_inputs(struct selection *s, struct error *err)
{
    char *folder = stage_input_folder(s->run, "labels");
    int ret = corpus_files_read(&s->labels, folder, err);
    if (ret == 0 && (!s->labels.nbest || !s->labels.gold))
        ret = error_set(err, "%s holds no n-best lists; 'labels' wants a stage of kind label", folder);
    if (ret == 0)
        ret = corpus_files_read(&s->gold, s->labels.gold, err);
    free(folder);
    if (ret < 0 || lines_read(&s->sources, s->gold.train.source, 0, err) < 0
        || lines_read(&s->references, s->gold.train.target, 0, err) < 0)
        return -1;
    if (s->sources.count != s->references.count)
        return error_set(err, "%s has %zu lines but %s has %zu", s->gold.train.source,
                         s->sources.count, s->gold.train.target, s->references.count);
    return 0;
}

static int add_candidate(struct selection *s, const struct nbest *lists, struct error *err)
{
    const struct nbest_line *line = &lists->line;
    if (line->sentence < 0 || line->sentence >= (int64_t)s->sources.count)
        return error_set(err, "%s:%lld: there is no sentence %lld in %s", lists->in.path,
                         (long long)lists->in.number, (long long)line->sentence,
                         s->gold.train.source);
    struct candidates *c = &s->lists[line->sentence];
    if (!line->text[strspn(line->text, " \t")] || (line->cut && !s->config->keep_cut))
        return 0;
    if (!c->count)
        c->first = s->texts.count;
    c->count++;
    strings_add(&s->texts, line->text);
    return 0;
}

static int read_lists(struct selection *s, struct error *err)
{
    struct nbest lists;
    int more;
    s->lists = xcalloc(s->sources.count, sizeof *s->lists);
    if (nbest_open(&lists, s->labels.nbest, err) < 0)
        return -1;
    while ((more = nbest_next(&lists, err)) > 0 && (more = add_candidate(s, &lists, err)) == 0)
        ;
    nbest_close(&lists);
    return more;
}

/* ---- choosing ---- */

/* Of equally good ones the first, which is the one that the model likes best. */
static void choose_one(struct selection *s, struct segment_scorer *scorer, size_t i)
{
    const struct candidates *c = &s->lists[i];
    struct text reference = text_of(s->references.items[i]);
    s->chosen[i] = SIZE_MAX;
    if (!c->count)
        return;
    segment_scorer_refs(scorer, &reference, 1);
    for (size_t k = 0; k < c->count; k++) {
        double score = segment_scorer_score(scorer, text_of(s->texts.items[c->first + k]));
        if (k == 0)
            s->first_score[i] = score;
        if (k == 0 || score > s->best_score[i]) {
            s->best_score[i] = score;
            s->chosen[i] = c->first + k;
        }
    }
}

static void choose_share(void *arg, int share)
{
    struct selection *s = arg;
    struct metric_config config;
    metric_config_default(&config);
    config.bleu.effective_order = true;
    struct segment_scorer *scorer = segment_scorer_new(metric_find(metric_names[s->config->metric]), &config);
    for (size_t i = (size_t)share; i < s->sources.count; i += (size_t)s->threads)
        choose_one(s, scorer, i);
    segment_scorer_free(scorer);
}

static void choose(struct selection *s)
{
    struct pool *pool = pool_new(s->threads);
    s->chosen = xcalloc(s->sources.count, sizeof *s->chosen);
    s->first_score = xcalloc(s->sources.count, sizeof *s->first_score);
    s->best_score = xcalloc(s->sources.count, sizeof *s->best_score);
    pool_run(pool, s->threads, choose_share, s);
    pool_free(pool);
}

/* ---- writing ---- */

static int write_side(const struct selection *s, const char *name, bool target, struct error *err)
{
    char *path = stage_path(s->run, name);
    struct outfile out = { 0 };
    int ret = outfile_open(&out, path, err);
    for (size_t i = 0; i < s->sources.count && ret == 0; i++)
        if (s->chosen[i] != SIZE_MAX)
            fprintf(out.stream, "%s\n", target ? s->texts.items[s->chosen[i]] : s->sources.items[i]);
    if (ret == 0)
        ret = outfile_commit(&out, err);
    free(path);
    return ret;
}

static char *sibling_or_null(const char *path)
{
    return path ? corpus_sibling(path) : NULL;
}

static int write_corpus(struct selection *s, struct error *err)
{
    struct corpus_files files = {
        .source_lang = xstrdup(s->gold.source_lang), .target_lang = xstrdup(s->gold.target_lang),
        .train = { .source = xasprintf("train.%s", s->gold.source_lang),
                   .target = xasprintf("train.%s", s->gold.target_lang) },
        .dev = s->gold.dev, .test = s->gold.test, .gold = xasprintf("../%s", path_name(s->labels.gold)),
        .teacher = json_incref(s->labels.teacher),
    };
    int ret = -1;
    files.dev.source = sibling_or_null(s->gold.dev.source);
    files.dev.target = sibling_or_null(s->gold.dev.target);
    files.test.source = sibling_or_null(s->gold.test.source);
    files.test.target = sibling_or_null(s->gold.test.target);
    stage_output(s->run, files.train.source);
    stage_output(s->run, files.train.target);
    stage_output(s->run, CORPUS_FILE);
    if (write_side(s, files.train.source, false, err) == 0
        && write_side(s, files.train.target, true, err) == 0
        && corpus_set_count(&files.train, s->run->folder, err) == 0)
        ret = corpus_files_write(&files, s->run->folder, err);
    corpus_files_release(&files);
    return ret;
}

static void set_figures(struct selection *s)
{
    double first = 0, best = 0;
    int64_t kept = 0, others = 0;
    for (size_t i = 0; i < s->sources.count; i++) {
        if (s->chosen[i] == SIZE_MAX)
            continue;
        kept++;
        first += s->first_score[i];
        best += s->best_score[i];
        others += s->chosen[i] != s->lists[i].first;
    }
    json_object_set_new(s->run->figures, "pairs", json_integer(kept));
    json_object_set_new(s->run->figures, "dropped", json_integer((json_int_t)s->sources.count - kept));
    if (!kept)
        return;
    json_object_set_new(s->run->figures, "score_of_first", json_real(first / (double)kept));
    json_object_set_new(s->run->figures, "score_of_chosen", json_real(best / (double)kept));
    json_object_set_new(s->run->figures, "share_not_first", json_real((double)others / (double)kept));
}

static int run_select(struct stage_run *run, struct error *err)
{
    struct selection s = { .run = run, .config = run->stage->config, .threads = run->threads };
    int ret = open_inputs(&s, err);
    if (ret == 0)
        ret = read_lists(&s, err);
    if (ret == 0) {
        choose(&s);
        set_figures(&s);
        ret = write_corpus(&s, err);
    }
    free(s.lists);
    free(s.chosen);
    free(s.first_score);
    free(s.best_score);
    strings_release(&s.sources);
    strings_release(&s.references);
    strings_release(&s.texts);
    corpus_files_release(&s.labels);
    corpus_files_release(&s.gold);
    return ret;
}

const struct stage_kind stage_select = {
    .name = "select", .summary = "selecting the hypotheses nearest to gold", .makes = "corpus",
    .version = 1, .config_size = sizeof(struct select_stage), .options = tables, .inputs = inputs,
    .run = run_select,
};
