/* coho shortlist: learns which target pieces a source piece may become, or lists what was learnt. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "cli/command.h"
#include "cli/decoding.h"
#include "corpora/store.h"
#include "decode/lexicon.h"
#include "decode/shortlist.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

struct shortlist_options {
    char *source, *target, *store, *vocab, *target_vocab, *output, *list;
    struct shortlist_prune prune;
    int threads;
    bool quiet;
};

#define FIELD(member) offsetof(struct shortlist_options, member)
static const struct option shortlist_options[] = {
    { "source", OPTION_STRING, FIELD(source), NULL, .letter = 's',
      .help = "source text to learn from, a sentence a line (plain, gzip, zstd)" },
    { "target", OPTION_STRING, FIELD(target), NULL, .letter = 't',
      .help = "its translation, line by line" },
    { "store", OPTION_STRING, FIELD(store), NULL,
      .help = "a store of ids to learn from, in place of text (coho corpus store)" },
    { "vocab", OPTION_STRING, FIELD(vocab), NULL, .letter = 'v', .required = true,
      .help = "the models' SentencePiece model of both sides, or of the source" },
    { "target-vocab", OPTION_STRING, FIELD(target_vocab), NULL,
      .help = "SentencePiece model of the target side, when it is another" },
    { "output", OPTION_STRING, FIELD(output), NULL, .letter = 'o', .help = "shortlist to write" },
    { "list", OPTION_STRING, FIELD(list), NULL, .letter = 'l',
      .help = "print this shortlist's rows, of the source pieces named or of all, and do nothing else" },
    { "best", OPTION_INT, FIELD(prune.best), "100", 1, 100000,
      .help = "translations kept of each source piece" },
    { "min-probability", OPTION_FLOAT, FIELD(prune.min_p), "0.0001", 0, 1,
      .help = "keep translations of at least this probability" },
    { "frequent", OPTION_INT, FIELD(prune.frequent), "1000", 0, 1000000,
      .help = "most frequent target pieces kept, for every sentence" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};

struct job {
    struct shortlist_options options;
    struct lexicon_config config;
    struct tokenizer *source, *target;
    int threads;
};

/* ---- list ---- */

static void print_row(const struct job *job, const struct shortlist *l, int32_t piece)
{
    const float *p;
    int count;
    const int32_t *target = shortlist_row(l, piece, &p, &count);
    for (int i = 0; i < count; i++)
        printf("%s\t%s\t%.6f\n", tokenizer_piece(job->source, piece),
               tokenizer_piece(job->target, target[i]), (double)p[i]);
}

static int print_rows(const struct job *job, const struct shortlist *l, const char *const *pieces,
                      int count, struct error *err)
{
    for (int32_t s = 0; !count && s < shortlist_source_pieces(l); s++)
        print_row(job, l, s);
    for (int i = 0; i < count; i++) {
        int32_t id = tokenizer_id(job->source, pieces[i]);
        if (id == tokenizer_unk(job->source))
            return error_set(err, "the source vocabulary has no piece '%s'; a word's first piece "
                             "begins with ▁", pieces[i]);
        print_row(job, l, id);
    }
    if (fflush(stdout) || ferror(stdout))
        return error_set(err, "cannot write the list: %s", strerror(errno));
    return 0;
}

static int list(const struct job *job, const char *const *pieces, int count, struct error *err)
{
    struct shortlist *l = shortlist_open(job->options.list, err);
    int ret = -1;
    if (l && shortlist_check(l, job->source, job->target, err) == 0)
        ret = print_rows(job, l, pieces, count, err);
    shortlist_close(l);
    return ret;
}

/* ---- build ---- */

/* The text as ids in a file without a name, gone when it is closed. */
static struct store *encode(const struct job *job, struct error *err)
{
    const struct shortlist_options *o = &job->options;
    char *path = xasprintf("%s.partial-%ld.store", o->output, (long)getpid());
    struct store *s = NULL;
    if (store_build(path, o->source, o->target, job->source, job->target, job->threads, err) == 0)
        s = store_open(path, false, err);
    unlink(path);
    free(path);
    return s;
}

static int check_store(const struct job *job, const struct store *s, struct error *err)
{
    if (store_source_vocab(s) == tokenizer_fingerprint(job->source)
        && store_target_vocab(s) == tokenizer_fingerprint(job->target))
        return 0;
    return error_set(err, "store '%s' was built with other vocabularies than --vocab's",
                     store_path(s));
}

static void report(const struct job *job, const struct lexicon *x, double seconds)
{
    for (int i = 0; i < x->iterations; i++)
        log_info("model %d, pass %d: %.4f bits a target piece",
                 i < job->config.iterations ? 1 : 2,
                 i < job->config.iterations ? i + 1 : i - job->config.iterations + 1, x->bits[i]);
    if (x->passed_over)
        log_info("%s pairs passed over: empty on a side, or longer than --longest",
                 grouped(x->passed_over));
    log_info("%s pairs in %.1f s: wrote %s", grouped(x->pairs), seconds, job->options.output);
}

static int build(const struct job *job, struct error *err)
{
    const struct shortlist_options *o = &job->options;
    double start = clock_seconds();
    struct store *s = o->store ? store_open(o->store, true, err) : encode(job, err);
    struct pool *pool = pool_new(job->threads);
    struct lexicon x = { 0 };
    int ret = -1;
    if (s && check_store(job, s, err) == 0
        && lexicon_train(&x, s, tokenizer_vocab(job->source), tokenizer_vocab(job->target),
                         &job->config, pool, err) == 0
        && shortlist_write(o->output, &x, store_fingerprint(s), job->source, job->target, &o->prune,
                           err) == 0) {
        report(job, &x, clock_seconds() - start);
        ret = 0;
    }
    lexicon_release(&x);
    pool_free(pool);
    store_close(s);
    return ret;
}

/* ---- the command ---- */

static int check_usage(const struct command *self, const struct shortlist_options *o, int words)
{
    bool text = o->source && o->target;
    if (o->list)
        return o->output ? command_misuse(self, "--list prints a shortlist and writes none") : 0;
    if (words)
        return command_misuse(self, "pieces are named for --list alone");
    if (!o->output)
        return command_misuse(self, "say where to write the shortlist with -o FILE");
    if (o->store ? o->source || o->target : !text)
        return command_misuse(self, "learn from --source and --target, or from --store");
    return 0;
}

static int run(struct job *job, const char *const *pieces, int count, struct error *err)
{
    const struct shortlist_options *o = &job->options;
    job->threads = o->threads ? o->threads : cpu_count();
    if (files_differ(o->output, o->source, err) < 0 || files_differ(o->output, o->target, err) < 0
        || files_differ(o->output, o->store, err) < 0 || vocabularies_open(&job->source, &job->target, o->vocab, o->target_vocab, err) < 0)
        return -1;
    return o->list ? list(job, pieces, count, err) : build(job, err);
}

int cmd_shortlist(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, shortlist_options, &job.options }, { "alignment", lexicon_options, &job.config }, { 0 }
    };
    const char **rest = xmalloc((size_t)argc * sizeof *rest);
    int count;

    options_default(groups);
    int status = command_parse(self, groups, argc, argv, rest, &count);
    if (status < 0 && (status = check_usage(self, &job.options, count)) == 0) {
        log_quiet(job.options.quiet);
        interrupt_install();
        status = run(&job, rest, count, &err) < 0 ? command_fail(self, &err) : 0;
    }
    vocabularies_free(job.source, job.target);
    options_release(groups);
    free(rest);
    return status;
}
