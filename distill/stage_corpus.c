/* The stage `corpus`: raw parallel text to cleaned, line-aligned train, dev and test sets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "corpora/prepare.h"
#include "corpora/stats.h"
#include "distill/corpus_files.h"
#include "distill/corpus_section.h"
#include "distill/facts.h"
#include "distill/forecast.h"
#include "distill/kinds.h"
#include "distill/stamp.h"

struct corpus_stage {
    char *source, *target;
    char *dev_source, *dev_target, *test_source, *test_target;
    struct prepare_config prepare;
};

#define FIELD(member) offsetof(struct corpus_stage, member)
static const struct option corpus_options[] = {
    { "source", OPTION_STRING, FIELD(source), NULL, 0, 0,
      "source text: a file, or a folder where the format says so; or a list of corpora as `sources`" },
    { "target", OPTION_STRING, FIELD(target), NULL, 0, 0,
      "target text, as source; nothing for formats that hold both sides" },
    { "dev-source", OPTION_STRING, FIELD(dev_source), NULL, 0, 0,
      "source text of a dev set that stands apart; else it is split off" },
    { "dev-target", OPTION_STRING, FIELD(dev_target), NULL, 0, 0, "its target text" },
    { "test-source", OPTION_STRING, FIELD(test_source), NULL, 0, 0,
      "source text of a test set that stands apart; else it is split off" },
    { "test-target", OPTION_STRING, FIELD(test_target), NULL, 0, 0, "its target text" },
    { 0 }
};

static const struct stage_options tables[] = {
    { corpus_options, 0 },
    { import_options, FIELD(prepare.clean.import) },
    { filter_options, FIELD(prepare.clean.filter) },
    { edit_options, FIELD(prepare.clean.edit) },
    { dedup_options, FIELD(prepare.clean) },
    { source_list_options, FIELD(prepare.clean) },
    { split_options, FIELD(prepare.split) },
    { NULL }
};
#undef FIELD

static int check(struct stage_view *v, struct error *err)
{
    const struct stage *s = v->stage;
    const struct corpus_stage *c = s->config;
    if (!c->source == !c->prepare.clean.sources)
        return error_set(err, "either source or sources is wanted");
    const struct import_config *import = &c->prepare.clean.import;
    if (import->side == SIDE_TARGET)
        return error_set(err, "side: a corpus has sources; text of the target language alone is labelled by a stage of kind "
                         "label, with `monolingual` and direction: back");
    if (import->side == SIDE_SOURCE && (c->dev_source || c->test_source))
        return error_set(err, "side: source takes text without translations, which has no dev and test sets");
    if (c->source && import->side == SIDE_BOTH && !import_is_paired(import, c->source, c->target))
        return error_set(err, "target is missing beside '%s'; of text without translations say side: source", c->source);
    if (!c->dev_source != !c->dev_target)
        return error_set(err, "dev-source and dev-target go together");
    if (!c->test_source != !c->test_target)
        return error_set(err, "test-source and test-target go together");
    return 0;
}

static bool is_alone(const struct corpus_stage *c)
{
    return c->prepare.clean.import.side == SIDE_SOURCE;
}

/* A set that is split off: a number of pairs or a share of all. */
static bool is_empty(const char *size)
{
    char *end;
    return !size || (strtod(size, &end) <= 0 && end != size);
}

static void facts(struct stage_facts *out, const struct stage_view *v)
{
    const struct corpus_stage *c = v->stage->config;
    const struct prepare_config *p = &c->prepare;
    *out = (struct stage_facts){
        .source_lang = p->clean.import.source_lang, .target_lang = p->clean.import.target_lang,
        .no_dev = is_alone(c) || (!c->dev_source && is_empty(p->split.dev)),
        .no_test = is_alone(c) || (!c->test_source && is_empty(p->split.test)),
        .no_targets = is_alone(c),
    };
}

static void reads(const struct stage *s, struct strings *paths)
{
    const struct corpus_stage *c = s->config;
    const char *const all[] = { c->source, c->target, c->dev_source, c->dev_target,
                                c->test_source, c->test_target };
    struct corpus_sources list = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        if (all[i])
            strings_add(paths, all[i]);
    if (!c->prepare.clean.sources)
        return;
    strings_add(paths, c->prepare.clean.sources);
    if (sources_load(&list, c->prepare.clean.sources, &c->prepare.clean.import, NULL) < 0)
        return;                         /* running the stage tells */
    for (size_t i = 0; i < list.count; i++) {
        strings_add(paths, list.items[i].source);
        if (list.items[i].target)
            strings_add(paths, list.items[i].target);
    }
    sources_release(&list);
}

/* A set that stands apart is taken as it is: only checked for being line-aligned UTF-8. */
static int copy_set(const struct stage_run *run, const char *set, const char *source,
                    const char *target, struct error *err)
{
    const struct corpus_stage *c = run->stage->config;
    const struct clean_config as_is = { .import.bad_utf8 = c->prepare.clean.import.bad_utf8 };
    struct clean_report report;
    char *source_out = xasprintf("%s/%s.%s", run->folder, set, c->prepare.clean.import.source_lang);
    char *target_out = xasprintf("%s/%s.%s", run->folder, set, c->prepare.clean.import.target_lang);
    int ret = corpus_clean(&report, source_out, target_out, source, target, &as_is, err);
    free(source_out);
    free(target_out);
    return ret;
}

/* Names the set's files and counts them, if there are any. */
static int describe_set(struct stage_run *run, struct corpus_set *set, const char *name,
                        struct error *err)
{
    const struct corpus_stage *c = run->stage->config;
    char *source = xasprintf("%s.%s", name, c->prepare.clean.import.source_lang);
    char *target = xasprintf("%s.%s", name, c->prepare.clean.import.target_lang);
    char *path = stage_path(run, source);
    bool there = file_exists(path);
    free(path);
    if (!there) {
        free(source);
        free(target);
        return 0;
    }
    *set = (struct corpus_set){ .source = source, .target = target };
    stage_output(run, source);
    stage_output(run, target);
    return corpus_set_count(set, run->folder, err);
}

static int describe(struct stage_run *run, struct error *err)
{
    const struct corpus_stage *c = run->stage->config;
    struct corpus_files files = {
        .source_lang = xstrdup(c->prepare.clean.import.source_lang), .target_lang = xstrdup(c->prepare.clean.import.target_lang),
    };
    int ret = -1;
    if (describe_set(run, &files.train, "train", err) == 0
        && describe_set(run, &files.dev, "dev", err) == 0
        && describe_set(run, &files.test, "test", err) == 0)
        ret = corpus_files_write(&files, run->folder, err);
    stage_output(run, CORPUS_FILE);
    json_object_set_new(run->figures, "train_source_words", json_integer(files.train.source_words));
    json_object_set_new(run->figures, "train_target_words", json_integer(files.train.target_words));
    corpus_files_release(&files);
    return ret;
}

/* The targets of text that has none. */
static int write_empty(const struct stage_run *run, int64_t lines, struct error *err)
{
    const struct corpus_stage *c = run->stage->config;
    char *path = xasprintf("%s/train.%s", run->folder, c->prepare.clean.import.target_lang);
    int ret = corpus_empty_side(path, lines, err);
    free(path);
    return ret;
}

/* What the training set is made of, for the page of the run. */
static int write_stats(struct stage_run *run, struct error *err)
{
    const struct corpus_stage *c = run->stage->config;
    const struct import_config *import = &c->prepare.clean.import;
    char *source = xasprintf("%s/train.%s", run->folder, import->source_lang);
    char *target = xasprintf("%s/train.%s", run->folder, import->target_lang);
    char *path = stage_path(run, STATS_FILE);
    struct corpus_stats stats;
    int ret = corpus_stats(&stats, source, is_alone(c) ? NULL : target, NULL, err);
    if (ret == 0) {
        json_t *json = corpus_stats_json(&stats);
        ret = json_write(json, path, err);
        json_decref(json);
        stage_output(run, STATS_FILE);
    }
    free(source);
    free(target);
    free(path);
    return ret;
}

static int run_corpus(struct stage_run *run, struct error *err)
{
    const struct corpus_stage *c = run->stage->config;
    struct prepare_config config = c->prepare;          /* strings stay the stage's */
    struct prepare_report report;
    static char none[] = "0";
    json_t *figures;

    if (c->dev_source || is_alone(c))
        config.split.dev = none;
    if (c->test_source || is_alone(c))
        config.split.test = none;
    if (corpus_prepare(&report, run->folder, c->source, c->target, &config, err) < 0
        || (is_alone(c) && write_empty(run, report.sets[SPLIT_TRAIN], err) < 0)
        || (c->dev_source && copy_set(run, "dev", c->dev_source, c->dev_target, err) < 0)
        || (c->test_source && copy_set(run, "test", c->test_source, c->test_target, err) < 0))
        return -1;
    figures = prepare_report_json(&report);
    json_object_update(run->figures, figures);
    json_decref(figures);
    return describe(run, err) < 0 ? -1 : write_stats(run, err);
}

/* ---- what it will take ---- */

/* Measured on one core: 40 MB a second, plain text or pages; pages are three quarters markup. */
#define PACE 40e6
#define TEXT_IN_PAGES 0.25
#define LINE_WORDS 13

/* A set is a file of its own, a number of pairs, or a share of all. */
static double set_words(const char *file, const char *size, double all)
{
    char *end;
    if (file)
        return forecast_words(forecast_text_bytes(file));
    double number = size ? strtod(size, &end) : 0;
    if (size && *end)
        return number / (*end == '%' ? 100 : 1000) * all;
    return number * LINE_WORDS;
}

static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct corpus_stage *c = run->stage->config;
    const struct split_config *split = &c->prepare.split;
    double measured = manifest_figure(stage_own_manifest(run), "train_source_words"), bytes = 0;
    double text = c->prepare.clean.import.format ? TEXT_IN_PAGES : 1;
    struct strings paths = { 0 };
    reads(run->stage, &paths);
    for (size_t i = 0; i < paths.count; i++)
        bytes += forecast_text_bytes(paths.items[i]);
    strings_release(&paths);
    double words = forecast_words(text * forecast_text_bytes(c->source));
    cost->seconds = bytes / PACE;
    cost->bytes = text * bytes;
    cost->train_words = isfinite(measured) ? measured : words;
    cost->eval_words = fmax(set_words(c->dev_source, split->dev, words),
                            set_words(c->test_source, split->test, words));
}

const struct stage_kind stage_corpus = {
    .name = "corpus", .summary = "cleaning and splitting the corpus", .makes = "corpus", .version = 1,
    .config_size = sizeof(struct corpus_stage), .options = tables,
    .check = check, .facts = facts, .reads = reads, .run = run_corpus, .estimate = estimate,
};
