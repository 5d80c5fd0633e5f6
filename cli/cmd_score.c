/* coho score: log-probabilities of translations that exist already. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/decoding.h"
#include "decode/models.h"
#include "seq2seq/model.h"
#include "corpora/pairs.h"
#include "decode/alignment.h"
#include "decode/score.h"

struct score_options {
    struct strings models;
    struct ensemble_config ensemble;
    char *source, *target, *output;
    int threads, utf8, align;
    bool per_token, attention, json, quiet;
};

#define FIELD(member) offsetof(struct score_options, member)
static const struct option score_options[] = {
    { "model", OPTION_LIST, FIELD(models), .letter = 'm', .required = true,
      .help = "model folder; several are averaged as one ensemble" },
    { "source", OPTION_STRING, FIELD(source), NULL, .letter = 's', .required = true,
      .help = "source text (plain, gzip, zstd)" },
    { "target", OPTION_STRING, FIELD(target), NULL, .letter = 't', .required = true,
      .help = "its translation, line by line" },
    { "output", OPTION_STRING, FIELD(output), NULL, .letter = 'o',
      .help = "file to write; without: standard output" },
    { "per-token", OPTION_FLAG, FIELD(per_token), "false",
      .help = "a tab and each token's log-probability behind the sum, that of </s> last" },
    { "align", OPTION_CHOICE, FIELD(align), "none", .choices = align_names,
      .help = "a tab and links source-target behind each line, from the model's attention" },
    { "attention", OPTION_FLAG, FIELD(attention), "false",
      .help = "with --json: each target piece's attention to the source's pieces and its </s>" },
    { "json", OPTION_FLAG, FIELD(json), "false",
      .help = "a JSON object a line, with pieces and their log-probabilities" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "bad-utf8", OPTION_CHOICE, FIELD(utf8), "refuse", .choices = utf8_policy_names,
      .help = "what to do with lines that are not UTF-8" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};
#undef FIELD

/* The part of the search's options that scoring knows. */
#define FIELD(member) offsetof(struct search_config, member)
static const char *const long_names[] = { "truncate", "refuse", NULL };
static const struct option limit_options[] = {
    { "max-source", OPTION_INT, FIELD(max_source), "1000", 1, 1000000,
      "tokens of a line on either side; longer ones are truncated or refused" },
    { "long-lines", OPTION_CHOICE, FIELD(long_lines), "truncate", 0, 0,
      "truncate lines above max-source, telling which, or refuse them", .choices = long_names },
    { "window", OPTION_INT, FIELD(window), "4096", 1, 1000000,
      "pairs read and sorted by length together; output comes a window at a time" },
    { 0 }
};

struct job {
    struct score_options options;
    struct search_config config;
    struct models models;
    struct translator translator;
    struct sink sink;
    struct progress progress;
    double logp;                        /* of all pairs … */
    int64_t tokens;                     /* … and their target tokens, </s> included */
    struct strbuf links;
};

/* ---- one pair's output ---- */

/* The links of a pair; "" unless asked for. */
static const char *links(struct job *job, const struct translation *t)
{
    strbuf_reset(&job->links);
    if (job->options.align)
        alignment_append(&job->links, (enum align)job->options.align, &t->best[0], t->source,
                         job->translator.source, job->translator.target);
    return job->links.length ? job->links.text : "";
}

static void print_text(struct job *job, const struct translation *t)
{
    const struct hypothesis *h = &t->best[0];
    FILE *out = job->sink.stream;
    fprintf(out, "%.6f", h->logp);
    for (int i = 0; job->options.per_token && i <= h->count; i++)
        fprintf(out, "%c%.6f", i ? ' ' : '\t', (double)h->token_logp[i]);
    if (job->options.align)
        fprintf(out, "\t%s", links(job, t));
    fputc('\n', out);
}

static void print_json(struct job *job, const struct translation *t, int64_t number)
{
    const struct hypothesis *h = &t->best[0];
    json_t *line = json_pack("{s:I, s:o, s:i, s:i, s:o, s:o}", "line", (json_int_t)number,
                             "logp", json_finite(h->logp), "tokens", h->count + 1,
                             "cut_tokens", t->cut_tokens,
                             "pieces", json_pieces(job->translator.target, h),
                             "token_logp", json_token_logp(h));
    if (job->options.align)
        json_object_set_new(line, "alignment", json_string(links(job, t)));
    if (job->options.attention)
        json_object_set_new(line, "attention", json_attention(h));
    json_dumpf(line, job->sink.stream, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', job->sink.stream);
    json_decref(line);
}

static int print_pair(void *arg, const struct translation *t, int64_t number, struct error *err)
{
    struct job *job = arg;
    if (job->options.json)
        print_json(job, t, number);
    else
        print_text(job, t);
    job->logp += t->best[0].logp;
    job->tokens += t->best[0].count + 1;
    progress_add(&job->progress, 1);
    return sink_check(&job->sink, err);
}

/* ---- the run ---- */

static void report(const struct job *job, const struct decode_stats *s)
{
    progress_show(true, "%s", "");
    warn_of_limits(s);
    if (job->tokens)
        log_info("%s pairs, %s target tokens in %.1f s: perplexity %.4f a token", grouped(s->lines),
                 grouped(job->tokens), s->seconds, exp(-job->logp / (double)job->tokens));
}

static int score(struct job *job, struct decoder *decoder, struct error *err)
{
    struct pairs in = { 0 };
    if (pairs_open(&in, job->options.source, job->options.target, err) < 0)
        return -1;
    in.source.utf8 = in.target.utf8 = (enum utf8_policy)job->options.utf8;
    progress_start(&job->progress, "scoring", "pairs", lines_ahead(job->options.source));
    int ret = decoder_score_stream(decoder, &in, print_pair, job, err);
    progress_end(&job->progress);
    pairs_close(&in);
    return ret;
}

static int run(struct job *job, struct error *err)
{
    struct decoder *decoder = NULL;
    int ret = -1;
    if (models_open_ensemble(&job->models, &job->options.models, &job->options.ensemble, err) < 0)
        return -1;
    job->translator = models_translator(&job->models);
    job->config.watched = job->options.align || job->options.attention;
    decoder = decoder_new(&job->translator, &job->config, job->options.threads, err);
    if (!decoder || files_differ(job->options.output, job->options.source, err) < 0 ||
        files_differ(job->options.output, job->options.target, err) < 0 ||
        sink_open(&job->sink, job->options.output, err) < 0)
        goto done;
    if (score(job, decoder, err) < 0 || sink_commit(&job->sink, err) < 0)
        goto done;
    report(job, decoder_stats(decoder));
    ret = 0;
done:
    sink_abort(&job->sink);
    decoder_free(decoder);
    return ret;
}

int cmd_score(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, score_options, &job.options }, { "models", ensemble_options, &job.options.ensemble },
        { "limits", limit_options, &job.config }, { 0 }
    };
    const char **rest = xmalloc((size_t)argc * sizeof *rest);
    int rest_count, status;

    options_default((struct option_group[]){ { NULL, search_options, &job.config }, { 0 } });
    job.config.beam = job.config.n_best = 1;
    options_default(groups);
    status = command_parse(self, groups, argc, argv, rest, &rest_count);
    if (status < 0 && rest_count)
        status = command_misuse(self, "unexpected '%s': give the texts with --source and --target",
                                rest[0]);
    if (status < 0 && job.options.attention && !job.options.json)
        status = command_misuse(self, "--attention is a matrix for each pair: give --json with it");
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
