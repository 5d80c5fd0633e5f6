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
#include "corpora/pairs.h"
#include "decode/alignment.h"
#include "decode/models.h"
#include "decode/score.h"
#include "seq2seq/model.h"

struct translate_options {
    struct strings models;
    struct ensemble_config ensemble;
    char *input, *output, *prefix;
    int threads, utf8, align;
    bool scores, per_token, attention, json, stream, quiet;
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
    { "per-token", OPTION_FLAG, FIELD(per_token), "false",
      .help = "a tab and each piece's log-probability behind each translation, that of </s> last" },
    { "align", OPTION_CHOICE, FIELD(align), "none", .choices = align_names,
      .help = "a tab and links source-target behind each translation, from the model's attention" },
    { "attention", OPTION_FLAG, FIELD(attention), "false",
      .help = "with --json: each piece's attention to the source's pieces and its </s>" },
    { "json", OPTION_FLAG, FIELD(json), "false",
      .help = "a JSON object a line, with all hypotheses, pieces and log-probabilities" },
    { "prefix", OPTION_STRING, FIELD(prefix), NULL,
      .help = "file whose lines the translations begin with, line by line" },
    { "stream", OPTION_FLAG, FIELD(stream), "false",
      .help = "give each line out as soon as it is ready, while others are still to come" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
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
    struct strbuf links;
};

/* ---- one line's output ---- */

/* The links of a hypothesis; "" unless asked for. */
static const char *links(struct job *job, const struct translation *t, int i)
{
    strbuf_reset(&job->links);
    if (job->options.align)
        alignment_append(&job->links, (enum align)job->options.align, &t->best[i], t->source,
                         job->translator.source, job->translator.target);
    return job->links.length ? job->links.text : "";
}

static void print_moses(struct job *job, FILE *out, const struct translation *t, int64_t number)
{
    for (int i = 0; i < t->count; i++)
        fprintf(out, "%lld ||| %s ||| F0= %.6g ||| %.6g%s%s\n", (long long)(number - 1), t->text[i],
                t->best[i].logp, t->best[i].score, job->options.align ? " ||| " : "",
                links(job, t, i));
}

static json_t *json_hypothesis(struct job *job, const struct translation *t, int i)
{
    const struct hypothesis *h = &t->best[i];
    json_t *object = json_pack("{s:s, s:o, s:o, s:b, s:o, s:o}", "text", t->text[i],
                               "score", json_finite(h->score), "logp", json_finite(h->logp),
                               "cut", h->cut, "pieces", json_pieces(job->translator.target, h),
                               "token_logp", json_token_logp(h));
    if (job->options.align)
        json_object_set_new(object, "alignment", json_string(links(job, t, i)));
    if (job->options.attention)
        json_object_set_new(object, "attention", json_attention(h));
    return object;
}

static void print_best(struct job *job, FILE *out, const struct translation *t)
{
    const struct hypothesis *h = &t->best[0];
    if (job->options.scores)
        fprintf(out, "%.6g\t%.6g\t", h->score, h->logp);
    fputs(t->text[0], out);
    for (int i = 0; job->options.per_token && i <= h->count; i++)
        fprintf(out, "%c%.6f", i ? ' ' : '\t', (double)h->token_logp[i]);
    if (job->options.align)
        fprintf(out, "\t%s", links(job, t, 0));
    fputc('\n', out);
}

static void print_json(struct job *job, const struct translation *t, int64_t number)
{
    json_t *hypotheses = json_array();
    for (int i = 0; i < t->count; i++)
        json_array_append_new(hypotheses, json_hypothesis(job, t, i));
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
        print_moses(job, out, t, number);
    else
        print_best(job, out, t);
    if (job->options.stream)
        fflush(out);
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

static void warn_of_bytes(const struct lines *in)
{
    if (in->replaced)
        log_warning("%s lines were not UTF-8; their bad bytes became U+FFFD", grouped(in->replaced));
}

static int translate_prefixed(struct job *job, struct decoder *decoder, struct error *err)
{
    struct pairs in = { 0 };
    if (pairs_open(&in, job->options.input, job->options.prefix, err) < 0)
        return -1;
    in.source.utf8 = in.target.utf8 = (enum utf8_policy)job->options.utf8;
    int ret = decoder_continue_stream(decoder, &in, print_line, job, err);
    if (ret == 0)
        warn_of_bytes(&in.source);
    pairs_close(&in);
    return ret;
}

static int translate_lines_of(struct job *job, struct decoder *decoder, struct error *err)
{
    struct lines in = { 0 };
    if (lines_open(&in, job->options.input, err) < 0)
        return -1;
    in.utf8 = (enum utf8_policy)job->options.utf8;
    int ret = (job->options.stream ? decoder_live : decoder_stream)(decoder, &in, print_line, job, err);
    if (ret == 0)
        warn_of_bytes(&in);
    lines_close(&in);
    return ret;
}

static int translate(struct job *job, struct decoder *decoder, struct error *err)
{
    progress_start(&job->progress, "translating", "lines", lines_ahead(job->options.input));
    int ret = job->options.prefix ? translate_prefixed(job, decoder, err)
                                  : translate_lines_of(job, decoder, err);
    progress_end(&job->progress);
    return ret;
}

static int run(struct job *job, struct error *err)
{
    struct decoder *decoder = NULL;
    int ret = -1;
    if (models_open_ensemble(&job->models, &job->options.models, &job->options.ensemble, err) < 0)
        return -1;
    job->translator = models_translator(&job->models);
    job->search.unscored = !job->options.scores && !job->options.per_token && !job->options.json
                        && job->search.n_best == 1;
    job->search.watched = job->options.align || job->options.attention;
    decoder = decoder_new(&job->translator, &job->search, job->options.threads, err);
    if (!decoder || files_differ(job->options.output, job->options.input, err) < 0 ||
        files_differ(job->options.output, job->options.prefix, err) < 0 ||
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
    if (job->options.attention && !job->options.json)
        return command_misuse(self, "--attention is a matrix for each translation: give --json with it");
    if (job->options.stream && job->options.prefix)
        return command_misuse(self, "--stream answers lines as they come: it does not go with --prefix");
    if ((job->options.scores || job->options.per_token) && (job->options.json || (job->search.n_best > 1 && !job->search.mbr)))
        return command_misuse(self, "--scores and --per-token are for one translation a line: n-best lists and "
                              "--json hold the scores anyway");
    return 0;
}

int cmd_translate(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, translate_options, &job.options }, { "models", ensemble_options, &job.options.ensemble },
        { "search", search_options, &job.search }, { 0 }
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
    strbuf_release(&job.links);
    models_release(&job.models);
    options_release(groups);
    free(rest);
    return status;
}
