/* The stage `label`: a model's beam outputs become the targets of a corpus (Kim & Rush 2016,
 * sequence-level distillation).
 *
 * The corpus is translated part by part; a part appears whole in parts/ or not at all, so an
 * interrupted stage goes on after the last one.  In the end the parts become the n-best lists,
 * and the best hypotheses, without empty ones and those that the length limit ended, the corpus. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/translate.h"
#include "distill/corpus_files.h"
#include "distill/forecast.h"
#include "distill/kinds.h"
#include "distill/nbest.h"
#include "distill/stamp.h"
#include "seq2seq/model.h"

#define PART_LINES 2000
#define NBEST_FILE "nbest.tsv"

struct label_stage {
    bool keep_cut;
    struct search_config search;
};

#define FIELD(member) offsetof(struct label_stage, member)
static const struct option label_options[] = {
    { "keep-cut", OPTION_FLAG, FIELD(keep_cut), "false", 0, 0,
      "keep hypotheses that the length limit ended; they are mostly loops" },
    { 0 }
};
static const struct stage_options tables[] = {
    { label_options, 0 }, { search_options, FIELD(search) }, { NULL }
};
#undef FIELD

static const struct stage_input inputs[] = {
    { "model", "model", true, false },
    { "corpus", "corpus", true, false },
    { NULL }
};

static int check(const struct stage *s, struct error *err)
{
    const struct label_stage *c = s->config;
    return search_check(&c->search, err);
}

struct labelling {
    struct stage_run *run;
    const struct label_stage *config;
    struct corpus_files corpus;
    struct model *model;
    struct decoder *decoder;
    int64_t lines;              /* of the corpus, so far */
    int64_t empty, cut, kept;
    struct progress progress;
};

/* ---- parts ---- */

static char *part_path(const struct labelling *l, int64_t first)
{
    return xasprintf("%s/parts/%012lld.tsv", l->run->folder, (long long)first);
}

static int write_part(const char *path, const struct translation *out, int64_t first, size_t count,
                      struct error *err)
{
    struct outfile file = { 0 };
    if (outfile_open(&file, path, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        nbest_write(file.stream, &out[i], first + (int64_t)i);
    return outfile_commit(&file, err);
}

static int translate_part(struct labelling *l, const char *path, const struct strings *part,
                          int64_t first, struct error *err)
{
    struct translation *out = xcalloc(part->count, sizeof *out);
    int ret;
    decoder_name_input(l->decoder, l->corpus.train.source, first + 1);
    ret = decoder_text(l->decoder, out, (const char *const *)part->items, part->count, err);
    if (ret == 0) {
        ret = write_part(path, out, first, part->count, err);
        translations_release(out, part->count);
    }
    free(out);
    return ret;
}

/* The next lines of the corpus; 0 at its end. */
static int read_part(struct strings *part, struct lines *in, struct error *err)
{
    int more = 1;
    strings_release(part);
    while (part->count < PART_LINES && (more = lines_next(in, err)) > 0)
        strings_add(part, in->text);
    return more < 0 ? -1 : part->count > 0;
}

static int label_part(struct labelling *l, const struct strings *part, struct error *err)
{
    char *path = part_path(l, l->lines);
    int ret = file_exists(path) ? 0 : translate_part(l, path, part, l->lines, err);
    l->lines += (int64_t)part->count;
    progress_add(&l->progress, (int64_t)part->count);
    free(path);
    return ret;
}

static int label_parts(struct labelling *l, struct error *err)
{
    char *folder = stage_path(l->run, "parts");
    struct lines in = { 0 };
    struct strings part = { 0 };
    int ret = dir_make(folder, err) < 0 || lines_open(&in, l->corpus.train.source, err) < 0 ? -1 : 0;
    progress_start(&l->progress, "labelling", "lines", l->corpus.train.pairs);
    while (ret == 0 && (ret = read_part(&part, &in, err)) > 0)
        ret = interrupt_requested() ? STAGE_STOPPED : label_part(l, &part, err);
    progress_end(&l->progress);
    lines_close(&in);
    strings_release(&part);
    free(folder);
    return ret;
}

/* ---- from parts to a corpus ---- */

static int append_file(FILE *out, const char *path, struct error *err)
{
    char *text;
    size_t length;
    if (file_read(&text, &length, path, err) < 0)
        return -1;
    fwrite(text, 1, length, out);
    free(text);
    return 0;
}

static int join_parts(struct labelling *l, const char *path, struct error *err)
{
    struct outfile out = { 0 };
    int ret = outfile_open(&out, path, err);
    for (int64_t first = 0; first < l->lines && ret == 0; first += PART_LINES) {
        char *part = part_path(l, first);
        ret = append_file(out.stream, part, err);
        free(part);
    }
    if (ret == 0)
        return outfile_commit(&out, err);
    outfile_abort(&out);
    return -1;
}

/* What the best hypotheses and their sources are copied to, and from. */
struct copying {
    struct lines in;
    struct nbest lists;
    struct outfile source, target;
};

static void copy_one(struct labelling *l, struct copying *c)
{
    const struct nbest_line *line = &c->lists.line;
    bool empty = !line->text[strspn(line->text, " \t")], cut = line->cut && !l->config->keep_cut;
    l->empty += empty;
    l->cut += cut && !empty;
    if (empty || cut)
        return;
    l->kept++;
    fprintf(c->source.stream, "%s\n", c->in.text);
    fprintf(c->target.stream, "%s\n", line->text);
}

/* Lists and sources go side by side: every sentence has a list, in order. */
static int copy_all(struct labelling *l, struct copying *c, struct error *err)
{
    int64_t expected = 0;
    int more, source;
    while ((more = nbest_next(&c->lists, err)) > 0) {
        if (c->lists.line.sentence == expected - 1)
            continue;                           /* not the best one */
        if (c->lists.line.sentence != expected++)
            return error_set(err, "%s:%lld: sentence %lld is missing", c->lists.in.path,
                             (long long)c->lists.in.number, (long long)expected - 1);
        if ((source = lines_next(&c->in, err)) <= 0)
            return source < 0 ? -1 : error_set(err, "%s holds more sentences than %s",
                                               c->lists.in.path, c->in.path);
        copy_one(l, c);
    }
    if (more == 0 && expected != l->lines)
        return error_set(err, "%s holds %lld sentences instead of %lld", c->lists.in.path,
                         (long long)expected, (long long)l->lines);
    return more;
}

static int write_corpus(struct labelling *l, const char *nbest, const char *source_name,
                        const char *target_name, struct error *err)
{
    char *source = stage_path(l->run, source_name), *target = stage_path(l->run, target_name);
    struct copying c = { 0 };
    int ret = -1;
    if (outfile_open(&c.source, source, err) == 0 && outfile_open(&c.target, target, err) == 0
        && lines_open(&c.in, l->corpus.train.source, err) == 0 && nbest_open(&c.lists, nbest, err) == 0
        && copy_all(l, &c, err) == 0)
        ret = outfile_commit(&c.source, err) < 0 || outfile_commit(&c.target, err) < 0 ? -1 : 0;
    if (ret == 0 && l->kept == 0)
        ret = error_set(err, "every hypothesis was empty or cut at the length limit; the model has "
                        "not learnt enough to label with");
    nbest_close(&c.lists);
    lines_close(&c.in);
    outfile_abort(&c.source);
    outfile_abort(&c.target);
    free(source);
    free(target);
    return ret;
}

static json_t *describe_teacher(const struct labelling *l)
{
    const struct stage_link *link = stage_link(l->run->stage, "model");
    char text[HASH_TEXT];
    hash_text(text, model_fingerprint(l->model));
    return json_pack("{s:s, s:s, s:s, s:i, s:O}", "stage", l->run->stages[link->stage].name,
                     "fingerprint", text, "labelled_with", "beam search", "beam", l->config->search.beam,
                     "lineage", l->model->lineage);
}

static char *sibling_or_null(const char *path)
{
    return path ? corpus_sibling(path) : NULL;
}

static struct corpus_set sibling_set(const struct corpus_set *set)
{
    return (struct corpus_set){ sibling_or_null(set->source), sibling_or_null(set->target),
                                set->pairs, set->source_words, set->target_words };
}

/* The labelled corpus: its own training set, the other sets of the gold one. */
static int describe(struct labelling *l, char *source_name, char *target_name, struct error *err)
{
    const struct stage_link *link = stage_link(l->run->stage, "corpus");
    struct corpus_files files = {
        .source_lang = xstrdup(l->corpus.source_lang), .target_lang = xstrdup(l->corpus.target_lang),
        .train = { source_name, target_name, 0, 0, 0 },
        .dev = sibling_set(&l->corpus.dev), .test = sibling_set(&l->corpus.test),
        .gold = xasprintf("../%s", l->run->stages[link->stage].name), .nbest = xstrdup(NBEST_FILE),
        .teacher = describe_teacher(l),
    };
    int ret = corpus_set_count(&files.train, l->run->folder, err);
    if (ret == 0)
        ret = corpus_files_write(&files, l->run->folder, err);
    corpus_files_release(&files);
    return ret;
}

static int finish(struct labelling *l, struct error *err)
{
    char *nbest = stage_path(l->run, NBEST_FILE), *parts = stage_path(l->run, "parts");
    char *source = xasprintf("train.%s", l->corpus.source_lang);
    char *target = xasprintf("train.%s", l->corpus.target_lang);
    int ret = -1;
    stage_output(l->run, NBEST_FILE);
    stage_output(l->run, source);
    stage_output(l->run, target);
    stage_output(l->run, CORPUS_FILE);
    if (join_parts(l, nbest, err) == 0 && write_corpus(l, nbest, source, target, err) == 0
        && describe(l, source, target, err) == 0)       /* takes the names */
        ret = dir_remove(parts, err);
    free(nbest);
    free(parts);
    return ret;
}

static void set_figures(struct labelling *l)
{
    const struct decode_stats *stats = decoder_stats(l->decoder);
    json_t *figures = l->run->figures;
    json_object_set_new(figures, "pairs", json_integer(l->kept));
    json_object_set_new(figures, "dropped_empty", json_integer(l->empty));
    json_object_set_new(figures, "dropped_cut", json_integer(l->cut));
    json_object_set_new(figures, "decode_seconds", json_real(stats->seconds));
    if (stats->seconds > 0)
        json_object_set_new(figures, "words_per_s",
                            json_real((double)stats->source_words / stats->seconds));
}

static int open_inputs(struct labelling *l, struct error *err)
{
    char *corpus = stage_input_folder(l->run, "corpus"), *model = stage_input_folder(l->run, "model");
    int ret = -1;
    if (corpus_files_read(&l->corpus, corpus, err) == 0
        && (l->model = model_load_decoder(model, PRODUCTS_STORED, err))) {
        struct translator translator = translator_of_model(l->model);
        l->decoder = decoder_new(&translator, &l->config->search, l->run->threads, err);
        ret = l->decoder ? 0 : -1;
    }
    free(corpus);
    free(model);
    return ret;
}

static int run_label(struct stage_run *run, struct error *err)
{
    struct labelling l = { .run = run, .config = run->stage->config };
    int ret = open_inputs(&l, err);
    if (ret == 0)
        ret = label_parts(&l, err);
    if (ret == 0)
        ret = finish(&l, err);
    if (ret == 0)
        set_figures(&l);
    if (l.decoder)
        decoder_free(l.decoder);
    model_free(l.model);
    corpus_files_release(&l.corpus);
    return ret;
}

/* Source words over the pace at which this stage, or one like it, went before. */
static void estimate(const struct stage_run *run, struct stage_cost *cost)
{
    const struct label_stage *c = run->stage->config;
    const struct stage_cost *corpus = stage_input_cost(run, "corpus");
    double weights = stage_input_cost(run, "model")->weights;
    double pace = manifest_figure(run->previous, "words_per_s");
    cost->train_words = corpus->train_words;
    cost->eval_words = corpus->eval_words;
    if (cost->train_words >= 0 && pace > 0)
        cost->seconds = cost->train_words / pace;
    else if (cost->train_words >= 0 && weights >= 0)
        cost->seconds = forecast_decoding(cost->train_words, weights, c->search.beam, run->threads);
    if (corpus->bytes >= 0)     /* parts and lists stand side by side for a moment */
        cost->bytes = corpus->bytes * (1 + c->search.n_best);
}

const struct stage_kind stage_label = {
    .name = "label", .summary = "labelling the corpus with a model's outputs", .makes = "corpus",
    .version = 1, .config_size = sizeof(struct label_stage), .options = tables, .inputs = inputs,
    .check = check, .run = run_label, .estimate = estimate,
};
