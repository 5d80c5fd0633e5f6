/* coho detokenize: SentencePiece's pieces or ids back to text. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/line_map.h"
#include "tokenize/tokenizer.h"

/* In the order of enum utf8_policy. */
static const char *const utf8_policies[] = { "refuse", "replace", "keep", NULL };

struct detokenize_options {
    char *model, *output;
    bool ids;
    int threads, utf8;
};

#define FIELD(member) offsetof(struct detokenize_options, member)
static const struct option detokenize_options[] = {
    { "model", OPTION_STRING, FIELD(model), NULL, 0, 0, "SentencePiece model",
      .letter = 'm', .required = true },
    { "output", OPTION_STRING, FIELD(output), NULL, 0, 0,
      "file to write; without: standard output", .letter = 'o' },
    { "ids", OPTION_FLAG, FIELD(ids), "false", 0, 0, "read numbers instead of pieces" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "bad-utf8", OPTION_CHOICE, FIELD(utf8), "keep", 0, 0,
      "what to do with bytes that are not UTF-8", utf8_policies },
    { 0 }
};

struct job {
    struct detokenize_options options;
    struct tokenizer *tokenizer;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int read_id(int32_t *id, const char *word, size_t length, int vocab, struct error *err)
{
    int64_t value = 0;
    bool good = length > 0;
    for (size_t i = 0; i < length && good; i++) {
        good = word[i] >= '0' && word[i] <= '9';
        value = value * 10 + (word[i] - '0');
        if (value > INT32_MAX)
            value = INT32_MAX;
    }
    if (!good)
        return error_set(err, "'%.*s' is not an id; without --ids pieces are read",
                         (int)(length < 40 ? length : 40), word);
    if (value >= vocab)
        return error_set(err, "the id %.*s is beyond the vocabulary of %d pieces",
                         (int)(length < 40 ? length : 40), word, vocab);
    *id = (int32_t)value;
    return 0;
}

static int read_ids(struct ids *ids, const char *text, size_t length, int vocab, struct error *err)
{
    for (size_t at = 0, end; at < length; at = end) {
        while (at < length && is_space(text[at]))
            at++;
        for (end = at; end < length && !is_space(text[end]);)
            end++;
        if (at == end)
            break;
        ARRAY_GROW(ids->items, ids->room, ids->count + 1);
        if (read_id(&ids->items[ids->count++], text + at, end - at, vocab, err) < 0)
            return -1;
    }
    return 0;
}

static int detokenize_line(void *arg, struct strbuf *out, const char *text, size_t length,
                           int64_t number, struct error *err)
{
    const struct job *job = arg;
    struct ids ids = { 0 };
    int ret = 0;
    (void)number;
    if (job->options.ids)
        ret = read_ids(&ids, text, length, tokenizer_vocab(job->tokenizer), err);
    if (ret == 0 && job->options.ids)
        tokenizer_decode(job->tokenizer, out, ids.items, ids.count);
    else if (ret == 0)
        tokenizer_decode_pieces(job->tokenizer, out, text, length);
    ids_release(&ids);
    return ret;
}

static int run(struct job *job, const char *const *files, int count, struct error *err)
{
    const struct line_map map = {
        .files = files, .count = (size_t)count, .utf8 = (enum utf8_policy)job->options.utf8,
        .threads = job->options.threads, .output = job->options.output,
        .work = detokenize_line, .arg = job,
    };
    job->tokenizer = tokenizer_load(job->options.model, err);
    return job->tokenizer ? line_map_run(&map, err) : -1;
}

int cmd_detokenize(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = { { NULL, detokenize_options, &job.options }, { 0 } };
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
