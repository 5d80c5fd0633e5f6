/* coho tokenize: text to SentencePiece's pieces or ids. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/line_map.h"
#include "tokenize/normalize.h"
#include "tokenize/tokenizer.h"

/* In the order of enum utf8_policy. */
static const char *const utf8_policies[] = { "refuse", "replace", "keep", NULL };

struct tokenize_options {
    char *model, *output;
    bool ids, bos, eos;
    int threads, utf8;
    bool sample;
    int nbest;
    float alpha;
    int64_t seed;
};

#define FIELD(member) offsetof(struct tokenize_options, member)
static const struct option tokenize_options[] = {
    { "model", OPTION_STRING, FIELD(model), NULL, 0, 0, "SentencePiece model",
      .letter = 'm', .required = true },
    { "output", OPTION_STRING, FIELD(output), NULL, 0, 0,
      "file to write; without: standard output", .letter = 'o' },
    { "ids", OPTION_FLAG, FIELD(ids), "false", 0, 0, "numbers instead of pieces" },
    { "bos", OPTION_FLAG, FIELD(bos), "false", 0, 0, "put <s> in front of each line" },
    { "eos", OPTION_FLAG, FIELD(eos), "false", 0, 0, "put </s> behind each line" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "bad-utf8", OPTION_CHOICE, FIELD(utf8), "keep", 0, 0,
      "what to do with bytes that are not UTF-8; keep: as spm_encode, which makes them U+FFFD",
      utf8_policies },
    { 0 }
};

static const struct option sample_options[] = {
    { "sample", OPTION_FLAG, FIELD(sample), "false", 0, 0,
      "draw a segmentation instead of taking the best" },
    { "nbest", OPTION_INT, FIELD(nbest), "-1", -1, 512,
      "draw among so many best ones (unigram models); -1: among all" },
    { "alpha", OPTION_FLOAT, FIELD(alpha), "0.1", 0, 100,
      "draw by probability ^ alpha; for BPE models the share of merges left out, 0 … 1" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 9e15, "of the draws" },
    { 0 }
};

struct job {
    struct tokenize_options options;
    struct normalize_config normalize;
    struct tokenizer *tokenizer;
};

/* Much of the time would go into printf. */
static void add_id(struct strbuf *out, int32_t id)
{
    char digits[12], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + id % 10);
    while (id /= 10);
    strbuf_add(out, at, (size_t)(digits + sizeof digits - at));
}

static void add_ids(const struct job *job, struct strbuf *out, const char *text, size_t length,
                    struct rng *rng)
{
    const struct tokenize_options *o = &job->options;
    struct ids ids = { 0 };
    if (o->sample)
        tokenizer_sample(job->tokenizer, &ids, text, length, o->nbest, o->alpha, rng);
    else
        tokenizer_encode(job->tokenizer, &ids, text, length);
    for (size_t i = 0; i < ids.count; i++) {
        if (i)
            strbuf_putc(out, ' ');
        add_id(out, ids.items[i]);
    }
    ids_release(&ids);
}

static void add_pieces(const struct job *job, struct strbuf *out, const char *text, size_t length,
                       struct rng *rng)
{
    const struct tokenize_options *o = &job->options;
    if (o->sample)
        tokenizer_sample_pieces(job->tokenizer, out, text, length, o->nbest, o->alpha, rng);
    else
        tokenizer_encode_pieces(job->tokenizer, out, text, length);
}

static void add_control(const struct job *job, struct strbuf *out, int32_t id)
{
    if (job->options.ids)
        add_id(out, id);
    else
        strbuf_puts(out, tokenizer_piece(job->tokenizer, id));
}

/* Each line draws from a stream of its own, so the threads do not matter. */
static void add_line(const struct job *job, struct strbuf *out, const char *text, size_t length,
                     int64_t number)
{
    struct rng rng;
    size_t start = out->length;
    rng_seed(&rng, (uint64_t)job->options.seed, (uint64_t)number);
    if (job->options.bos) {
        add_control(job, out, tokenizer_bos(job->tokenizer));
        strbuf_putc(out, ' ');
    }
    size_t body = out->length;
    (job->options.ids ? add_ids : add_pieces)(job, out, text, length, &rng);
    if (job->options.eos) {
        if (out->length > body)
            strbuf_putc(out, ' ');
        add_control(job, out, tokenizer_eos(job->tokenizer));
    } else if (out->length == body && body > start) {
        out->length--;          /* the space behind <s> */
    }
}

static int tokenize_line(void *arg, struct strbuf *out, const char *text, size_t length,
                         int64_t number, struct error *err)
{
    const struct job *job = arg;
    struct strbuf normalized = { 0 };
    (void)err;
    if (normalize_wanted(&job->normalize)) {
        normalize_text(&normalized, &job->normalize, text, length);
        text = normalized.text ? normalized.text : "";
        length = normalized.length;
    }
    add_line(job, out, text, length, number);
    strbuf_release(&normalized);
    return 0;
}

static int check(const struct job *job, struct error *err)
{
    const struct tokenize_options *o = &job->options;
    if (o->bos && tokenizer_bos(job->tokenizer) < 0)
        return error_set(err, "'%s' has no piece <s> for --bos", o->model);
    if (o->eos && tokenizer_eos(job->tokenizer) < 0)
        return error_set(err, "'%s' has no piece </s> for --eos", o->model);
    if (o->sample && o->alpha > 1 && !strcmp(tokenizer_type(job->tokenizer), "bpe"))
        return error_set(err, "--alpha %g is no share of merges to leave out: '%s' is a BPE model; "
                         "give 0 … 1", o->alpha, o->model);
    return 0;
}

static int run(struct job *job, const char *const *files, int count, struct error *err)
{
    const struct line_map map = {
        .files = files, .count = (size_t)count, .utf8 = (enum utf8_policy)job->options.utf8,
        .threads = job->options.threads, .output = job->options.output,
        .work = tokenize_line, .arg = job,
    };
    job->tokenizer = tokenizer_load(job->options.model, err);
    if (!job->tokenizer || check(job, err) < 0)
        return -1;
    return line_map_run(&map, err);
}

int cmd_tokenize(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, tokenize_options, &job.options },
        { "sampling (subword regularisation)", sample_options, &job.options },
        { "normalisation before the model's own", normalize_options, &job.normalize },
        { 0 }
    };
    const char **files = xmalloc((size_t)argc * sizeof *files);
    int count, status;

    options_default(groups);
    status = command_parse(self, groups, argc, argv, files, &count);
    if (status < 0) {
        interrupt_install();
        status = run(&job, files, count, &err) < 0 ? command_fail(self, &err) : 0;
    }
    tokenizer_free(job.tokenizer);
    options_release(groups);
    free(files);
    return status;
}
