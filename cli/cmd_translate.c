/* coho translate: lines in, translations out, one for one. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/decoding.h"
#include "seq2seq/model.h"

struct translate_options {
    struct strings models, weights;
    char *input, *output;
    int threads, average, products, utf8;
    bool scores, json, quiet;
};

#define FIELD(member) offsetof(struct translate_options, member)
static const struct option translate_options[] = {
    { "model", OPTION_LIST, FIELD(models), .letter = 'm', .required = true,
      .help = "model folder; several are searched as one ensemble" },
    { "input", OPTION_STRING, FIELD(input), "-", .letter = 'i',
      .help = "text to translate (plain, gzip, zstd); -: standard input" },
    { "output", OPTION_STRING, FIELD(output), NULL, .letter = 'o',
      .help = "file to write; without: standard output" },
    { "scores", OPTION_FLAG, FIELD(scores), "false",
      .help = "put the score and the log-probability before each translation, with tabs" },
    { "json", OPTION_FLAG, FIELD(json), "false",
      .help = "a JSON object a line, with all hypotheses, pieces and log-probabilities" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "average", OPTION_CHOICE, FIELD(average), "probability", .choices = average_names,
      .help = "what an ensemble averages: probabilities or their logarithms" },
    { "products", OPTION_CHOICE, FIELD(products), "stored", .choices = products_names,
      .help = "numbers to multiply in: as the model's file has them, or another kind made of them at the start" },
    { "weights", OPTION_LIST, FIELD(weights), NULL,
      .help = "an ensemble's weights, one a model; without: equal ones" },
    { "bad-utf8", OPTION_CHOICE, FIELD(utf8), "refuse", .choices = utf8_policy_names,
      .help = "what to do with lines that are not UTF-8" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};

struct job {
    struct translate_options options;
    struct search_config search;
    struct models models;
    struct translator translator;
    struct sink sink;
    struct progress progress;
};

/* ---- one line's output ---- */

static void print_moses(FILE *out, const struct translation *t, int64_t number)
{
    for (int i = 0; i < t->count; i++)
        fprintf(out, "%lld ||| %s ||| F0= %.6g ||| %.6g\n", (long long)(number - 1), t->text[i],
                t->best[i].logp, t->best[i].score);
}

static json_t *json_hypothesis(const struct job *job, const struct hypothesis *h, const char *text)
{
    return json_pack("{s:s, s:o, s:o, s:b, s:o, s:o}", "text", text, "score", json_finite(h->score),
                     "logp", json_finite(h->logp), "cut", h->cut,
                     "pieces", json_pieces(job->translator.target, h),
                     "token_logp", json_token_logp(h));
}

static void print_json(const struct job *job, const struct translation *t, int64_t number)
{
    json_t *hypotheses = json_array();
    for (int i = 0; i < t->count; i++)
        json_array_append_new(hypotheses, json_hypothesis(job, &t->best[i], t->text[i]));
    json_t *line = json_pack("{s:I, s:i, s:i, s:o}", "line", (json_int_t)number, "source_tokens",
                             t->source_tokens, "cut_tokens", t->cut_tokens, "hypotheses", hypotheses);
    json_dumpf(line, job->sink.stream, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', job->sink.stream);
    json_decref(line);
}

static int print_line(void *arg, const struct translation *t, int64_t number, struct error *err)
{
    struct job *job = arg;
    FILE *out = job->sink.stream;
    if (job->options.json)
        print_json(job, t, number);
    else if (job->search.n_best > 1 && !job->search.mbr)
        print_moses(out, t, number);
    else if (job->options.scores)
        fprintf(out, "%.6g\t%.6g\t%s\n", t->best[0].score, t->best[0].logp, t->text[0]);
    else
        fprintf(out, "%s\n", t->text[0]);
    progress_add(&job->progress, 1);
    return sink_check(&job->sink, err);
}

/* ---- the run ---- */

static void report(const struct decode_stats *s)
{
    progress_show(true, "%s", "");
    warn_of_limits(s);
    log_info("%s lines, %s source words in %.1f s: %s words/s", grouped(s->lines),
             grouped(s->source_words), s->seconds,
             grouped(s->seconds > 0 ? (int64_t)((double)s->source_words / s->seconds) : 0));
}

static int translate(struct job *job, struct decoder *decoder, struct error *err)
{
    struct lines in = { 0 };
    if (lines_open(&in, job->options.input, err) < 0)
        return -1;
    in.utf8 = (enum utf8_policy)job->options.utf8;
    progress_start(&job->progress, "translating", "lines", lines_ahead(job->options.input));
    int ret = decoder_stream(decoder, &in, print_line, job, err);
    progress_end(&job->progress);
    if (ret == 0 && in.replaced)
        log_warning("%s lines were not UTF-8; their bad bytes became U+FFFD", grouped(in.replaced));
    lines_close(&in);
    return ret;
}

static int run(struct job *job, struct error *err)
{
    struct decoder *decoder = NULL;
    int ret = -1;
    if (models_load(&job->models, &job->options.models, &job->options.weights, job->options.average,
                    job->options.products, err) < 0)
        return -1;
    job->translator = models_translator(&job->models);
    job->search.unscored = !job->options.scores && !job->options.json && job->search.n_best == 1;
    decoder = decoder_new(&job->translator, &job->search, job->options.threads, err);
    if (!decoder || files_differ(job->options.output, job->options.input, err) < 0 ||
        sink_open(&job->sink, job->options.output, err) < 0)
        goto done;
    if (job->search.window == 1)        /* somebody waits for each line */
        setvbuf(job->sink.stream, NULL, _IOLBF, 0);
    if (translate(job, decoder, err) < 0 || sink_commit(&job->sink, err) < 0)
        goto done;
    report(decoder_stats(decoder));
    ret = 0;
done:
    sink_abort(&job->sink);
    decoder_free(decoder);
    return ret;
}

static int check_usage(const struct command *self, const struct job *job, const char *const *rest,
                       int rest_count)
{
    struct error err;
    if (rest_count)
        return command_misuse(self, "unexpected '%s': give the text with --input", rest[0]);
    if (search_check(&job->search, &err) < 0)
        return command_misuse(self, "%s", err.text);
    if (job->options.scores && (job->options.json || (job->search.n_best > 1 && !job->search.mbr)))
        return command_misuse(self, "--scores is for one translation a line: n-best lists and "
                              "--json hold the scores anyway");
    return 0;
}

int cmd_translate(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, translate_options, &job.options }, { "search", search_options, &job.search }, { 0 }
    };
    const char **rest = xmalloc((size_t)argc * sizeof *rest);
    int rest_count, status;

    options_default(groups);
    status = command_parse(self, groups, argc, argv, rest, &rest_count);
    if (status < 0)
        status = check_usage(self, &job, rest, rest_count) ? 2 : -1;
    if (status < 0) {
        log_quiet(job.options.quiet);
        interrupt_install();
        status = run(&job, &err) < 0 ? command_fail(self, &err) : 0;
    }
    models_release(&job.models);
    options_release(groups);
    free(rest);
    return status;
}
