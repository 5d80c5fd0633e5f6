/* coho vocab: trains a SentencePiece model, or lists the pieces of one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "tokenize/tokenizer.h"
#include "tokenize/train.h"

struct command_options {
    char *output, *list;
    bool write_list;
};

#define FIELD(member) offsetof(struct command_options, member)
static const struct option command_options[] = {
    { "output", OPTION_STRING, FIELD(output), NULL, 0, 0, "model to write", .letter = 'o' },
    { "write-list", OPTION_FLAG, FIELD(write_list), "false", 0, 0,
      "also write the pieces and scores beside the model, as NAME.vocab" },
    { "list", OPTION_STRING, FIELD(list), NULL, 0, 0,
      "print the pieces and scores of this model and do nothing else", .letter = 'l' },
    { 0 }
};

static void print_pieces(FILE *out, const struct tokenizer *t)
{
    for (int32_t id = 0; id < tokenizer_vocab(t); id++)
        fprintf(out, "%s\t%g\n", tokenizer_piece(t, id), tokenizer_score(t, id));
}

static int list_model(const char *path, struct error *err)
{
    struct tokenizer *t = tokenizer_load(path, err);
    if (!t)
        return -1;
    print_pieces(stdout, t);
    tokenizer_free(t);
    if (fflush(stdout) || ferror(stdout))
        return error_set(err, "cannot write the list: %s", strerror(errno));
    return 0;
}

/* "spm.model" and "spm" both have their list in "spm.vocab". */
static char *list_path(const char *model)
{
    size_t length = strlen(model), end = strlen(".model");
    if (length > end && !strcmp(model + length - end, ".model"))
        length -= end;
    return xasprintf("%.*s.vocab", (int)length, model);
}

static int write_list(const struct tokenizer *t, const char *model, struct error *err)
{
    struct outfile out = { 0 };
    char *path = list_path(model);
    int ret = outfile_open(&out, path, err);
    if (ret == 0) {
        print_pieces(out.stream, t);
        ret = outfile_commit(&out, err);
    }
    free(path);
    return ret;
}

static int train(const struct command_options *o, const struct vocab_config *config,
                 const char *const *files, int count, struct error *err)
{
    if (vocab_train(o->output, files, (size_t)count, config, err) < 0)
        return -1;
    struct tokenizer *t = tokenizer_load(o->output, err);
    if (!t)
        return -1;
    int ret = o->write_list ? write_list(t, o->output, err) : 0;
    if (ret == 0)
        log_info("wrote %s: %d pieces, %s", o->output, tokenizer_vocab(t), tokenizer_type(t));
    tokenizer_free(t);
    return ret;
}

static int run(const struct command *self, const struct command_options *o,
               const struct vocab_config *config, const char *const *files, int count)
{
    struct error err = { 0 };
    if (o->list && count)
        return command_misuse(self, "--list prints a model and takes no files");
    if (o->list)
        return list_model(o->list, &err) < 0 ? command_fail(self, &err) : 0;
    if (!o->output)
        return command_misuse(self, "say where to write the model with -o MODEL");
    if (!count)
        return command_misuse(self, "give the text files to train on, or - for standard input");
    return train(o, config, files, count, &err) < 0 ? command_fail(self, &err) : 0;
}

int cmd_vocab(const struct command *self, int argc, char **argv)
{
    struct command_options options = { 0 };
    struct vocab_config config = { 0 };
    const struct option_group groups[] = {
        { NULL, command_options, &options },
        { "training", vocab_options, &config },
        { 0 }
    };
    const char **files = xmalloc((size_t)argc * sizeof *files);
    int count;

    options_default(groups);
    int status = command_parse(self, groups, argc, argv, files, &count);
    if (status < 0) {
        interrupt_install();
        status = run(self, &options, &config, files, count);
    }
    options_release(groups);
    free(files);
    return status;
}
