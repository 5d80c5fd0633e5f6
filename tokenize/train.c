/* Training runs in a child process.  The library ends its process where a check of its own fails,
 * cannot be interrupted, and keeps what it allocated; a child makes the first an error message,
 * lets Ctrl-C work, and gives the memory back.  The child writes its answer into a temporary file:
 * a struct answer, then the model. */
#include "tokenize/train.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "tokenize/seal.h"
#include "tokenize/sentencepiece.h"

const char *const vocab_types[] = { "unigram", "bpe", "char", "word", NULL };
const char *const vocab_normalizations[] = {
    "nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity", NULL
};
static const char *const utf8_policies[] = { "refuse", "replace", NULL };

#define FIELD(member) offsetof(struct vocab_config, member)
const struct option vocab_options[] = {
    { "size", OPTION_INT, FIELD(size), "8000", 4, 1000000,
      "pieces in the vocabulary, reserved ones included", .letter = 's' },
    { "type", OPTION_CHOICE, FIELD(type), "unigram", 0, 0,
      "kind of model", vocab_types, .letter = 't' },
    { "character-coverage", OPTION_FLOAT, FIELD(character_coverage), "0.9995", 0.98, 1,
      "share of the text's characters that become pieces; the rest is unknown" },
    { "byte-fallback", OPTION_FLAG, FIELD(byte_fallback), "false", 0, 0,
      "spell unknown characters in 256 byte pieces" },
    { "symbols", OPTION_LIST, FIELD(symbols), NULL, 0, 0,
      "user-defined symbols: pieces that are never split or joined" },
    { "controls", OPTION_LIST, FIELD(controls), NULL, 0, 0,
      "control symbols: pieces with an id that text never gives, such as <2de>" },
    { "normalization", OPTION_CHOICE, FIELD(normalization), "nmt_nfkc", 0, 0,
      "rules for characters that the model carries; _cf folds case", vocab_normalizations },
    { "soft-limit", OPTION_FLAG, FIELD(soft_limit), "false", 0, 0,
      "accept fewer pieces than --size where the text has no more" },
    { "unk-id", OPTION_INT, FIELD(unk_id), "0", 0, 1000000, "id of <unk>" },
    { "bos-id", OPTION_INT, FIELD(bos_id), "1", -1, 1000000, "id of <s>; -1 for none" },
    { "eos-id", OPTION_INT, FIELD(eos_id), "2", -1, 1000000, "id of </s>; -1 for none" },
    { "pad-id", OPTION_INT, FIELD(pad_id), "-1", -1, 1000000, "id of <pad>; -1 for none" },
    { "split-digits", OPTION_FLAG, FIELD(split_digits), "false", 0, 0,
      "each digit a piece of its own" },
    { "mix-numbers", OPTION_FLAG, FIELD(mix_numbers), "false", 0, 0,
      "pieces may hold digits and other characters together" },
    { "mix-scripts", OPTION_FLAG, FIELD(mix_scripts), "false", 0, 0,
      "pieces may hold more than one Unicode script" },
    { "cross-words", OPTION_FLAG, FIELD(cross_words), "false", 0, 0,
      "pieces may go beyond a word" },
    { "max-piece-length", OPTION_INT, FIELD(max_piece_length), "16", 1, 512,
      "characters in the longest piece" },
    { "max-line-length", OPTION_INT, FIELD(max_line_length), "4192", 10, 1048576,
      "bytes; longer lines are left out and counted" },
    { "sample-lines", OPTION_LONG, FIELD(sample_lines), "0", 0, 1e12,
      "train on so many lines, drawn at random; 0 for all" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 9e15, "of the drawing of lines" },
    { "train-threads", OPTION_INT, FIELD(threads), "16", 1, 128,
      "threads; the pieces' scores depend on it in their last digits" },
    { "large-corpus", OPTION_FLAG, FIELD(large_corpus), "false", 0, 0,
      "64-bit indices, for unigram models on more than 1.5 GB of text" },
    { "bad-utf8", OPTION_CHOICE, FIELD(utf8), "refuse", 0, 0,
      "what to do with a line that is not UTF-8", utf8_policies },
    { 0 }
};

/* ---- the settings ---- */

static const char *reserved_pieces[] = { "<unk>", "<s>", "</s>", "<pad>" };

static int check_ids(const struct vocab_config *c, struct error *err)
{
    const int ids[] = { c->unk_id, c->bos_id, c->eos_id, c->pad_id };
    for (int i = 0; i < 4; i++) {
        if (ids[i] >= c->size)
            return error_set(err, "the id %d of %s is beyond the vocabulary of %d pieces",
                             ids[i], reserved_pieces[i], c->size);
        for (int j = 0; j < i; j++)
            if (ids[i] >= 0 && ids[i] == ids[j])
                return error_set(err, "%s and %s have the same id %d; give each its own",
                                 reserved_pieces[j], reserved_pieces[i], ids[i]);
    }
    return 0;
}

static bool contains(const struct strings *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list->items[i], text))
            return true;
    return false;
}

static int check_symbols(const struct strings *list, const struct strings *other, const char *option,
                         struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *symbol = list->items[i];
        if (!*symbol || !strcmp(symbol, "<unk>"))
            return error_set(err, "option --%s: '%s' cannot be a symbol", option, symbol);
        if (utf8_valid_prefix(symbol, strlen(symbol)) < strlen(symbol))
            return error_set(err, "option --%s: '%s' is not UTF-8", option, symbol);
        if (contains(list, i, symbol) || contains(other, other->count, symbol))
            return error_set(err, "option --%s: the symbol '%s' is given twice", option, symbol);
    }
    return 0;
}

static int check_config(const struct vocab_config *c, struct error *err)
{
    static const struct strings none;
    if (check_ids(c, err) < 0 || check_symbols(&c->symbols, &none, "symbols", err) < 0)
        return -1;
    return check_symbols(&c->controls, &c->symbols, "controls", err);
}

/* ---- the lines ---- */

/* What the child tells the parent, before the model's bytes. */
struct answer {
    int64_t lines, too_long, reserved;
    bool done;
    struct error err;
};

struct source {
    const struct vocab_config *config;
    const char *const *files;
    size_t count, next_file;
    struct lines in;
    bool open;
    bool waiting;                       /* in.text is a usable line that is not given yet */
    uint64_t bytes;
    struct strbuf *sample;              /* with sample_lines */
    size_t sampled, sample_room, next_sample;
    struct answer *answer;
};

/* The library keeps this character for its own use and leaves out lines that hold it. */
static const char reserved_character[] = "\xe2\x96\x85";

static bool usable(struct source *s)
{
    const struct lines *in = &s->in;
    if (!in->length)
        return false;
    if (in->length > (size_t)s->config->max_line_length)
        return s->answer->too_long++, false;
    if (memmem(in->text, in->length, reserved_character, 3))
        return s->answer->reserved++, false;
    return true;
}

static int open_next(struct source *s, struct error *err)
{
    s->in = (struct lines){ .utf8 = s->config->utf8 ? UTF8_REPLACE : UTF8_REFUSE };
    if (lines_open(&s->in, s->files[s->next_file++], err) < 0)
        return -1;
    s->open = true;
    return 0;
}

/* Puts the next usable line of all files into s->in: 1, 0 the end, -1 an error. */
static int read_line(struct source *s, struct error *err)
{
    for (;;) {
        int more = s->open ? lines_next(&s->in, err) : 0;
        if (more < 0 || (more > 0 && usable(s)))
            return more;
        if (more > 0)
            continue;
        if (s->open)
            lines_close(&s->in);
        s->open = false;
        if (s->next_file == s->count)
            return 0;
        if (open_next(s, err) < 0)
            return -1;
    }
}

static int check_amount(struct source *s, struct error *err)
{
    const uint64_t most = 1500000000;
    bool limited = !strcmp(vocab_types[s->config->type], "unigram") && !s->config->large_corpus;
    s->bytes += s->in.length;
    if (!limited || s->bytes <= most)
        return 0;
    return error_set(err, "more than 1.5 GB of text for a unigram model; train on a part with "
                     "--sample-lines, or give --large-corpus and much memory");
}

/* spm_train's callback. */
static int next_line(void *arg, const char **text, size_t *length)
{
    struct source *s = arg;
    struct error *err = &s->answer->err;
    if (s->sample) {
        if (s->next_sample == s->sampled)
            return 0;
        const struct strbuf *line = &s->sample[s->next_sample++];
        *text = line->text;
        *length = line->length;
        return 1;
    }
    int more = s->waiting ? 1 : read_line(s, err);
    s->waiting = false;
    if (more > 0 && check_amount(s, err) < 0)
        return -1;
    s->answer->lines += more > 0;
    *text = s->in.text;
    *length = s->in.length;
    return more;
}

static void keep(struct strbuf *slot, const struct lines *in)
{
    strbuf_reset(slot);
    strbuf_add(slot, in->text, in->length);
}

/* Each line has the same chance to be among the sample (Vitter 1985, algorithm R). */
static int draw_sample(struct source *s, struct error *err)
{
    size_t wanted = (size_t)s->config->sample_lines;
    struct rng rng;
    int more = 1;
    rng_seed(&rng, (uint64_t)s->config->seed, 0);
    for (uint64_t seen = 0; more > 0; seen++) {
        if (s->sampled < wanted) {
            ARRAY_GROW(s->sample, s->sample_room, s->sampled + 1);
            s->sample[s->sampled] = (struct strbuf){ 0 };
            keep(&s->sample[s->sampled++], &s->in);
        } else {
            uint64_t slot = rng_below(&rng, seen + 1);
            if (slot < wanted)
                keep(&s->sample[slot], &s->in);
        }
        more = read_line(s, err);
    }
    s->answer->lines = (int64_t)s->sampled;
    return more;
}

/* ---- the child ---- */

static int train(struct strbuf *model, struct source *s)
{
    struct error *err = &s->answer->err;
    int more = read_line(s, err);
    if (more < 0)
        return -1;
    if (!more)
        return error_set(err, "no lines to train on in '%s'%s",
                         strcmp(s->files[0], "-") ? s->files[0] : "standard input",
                         s->count > 1 ? " and the other files" :
                         s->answer->too_long ? ": all are longer than --max-line-length" : "");
    s->waiting = true;
    if (s->config->sample_lines && draw_sample(s, err) < 0)
        return -1;
    return spm_train(model, s->config, next_line, s, err);
}

static void leave(void)
{
    _exit(EXIT_FAILURE);
}

/* The library's exit() shall not run the parent's exit handlers, nor its failure messages reach
 * the user as they are. */
static void become_child(FILE *noise)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigaction(SIGINT, &standard, NULL);
    sigaction(SIGTERM, &standard, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    atexit(leave);
    dup2(fileno(noise), STDERR_FILENO);
}

static void child_main(FILE *result, FILE *noise, struct source *s)
{
    struct strbuf model = { 0 };
    become_child(noise);
    s->answer->done = train(&model, s) == 0;
    fwrite(s->answer, sizeof *s->answer, 1, result);
    if (s->answer->done)
        fwrite(model.text, 1, model.length, result);
    _exit(fflush(result) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- the parent ---- */

/* The child's wait status; an interrupt of this process is handed on. */
static int wait_for(pid_t child)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
    bool told = false;
    int status;
    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child)
            return status;
        if (got < 0 && errno != EINTR)
            return -1;
        if (interrupt_requested() && !told)
            told = !kill(child, SIGTERM);
        nanosleep(&pause, NULL);
    }
}

/* The library's last words: "file.cc(77) [!sentences_.empty()] ". */
static int explain_death(int status, FILE *noise, struct error *err)
{
    char line[512] = "";
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM))
        return error_set(err, "interrupted; no model is written");
    rewind(noise);
    if (fgets(line, sizeof line, noise))
        line[strcspn(line, "\n")] = 0;
    if (strstr(line, "empty()"))
        return error_set(err, "the text has too few characters to train a vocabulary on");
    if (WIFSIGNALED(status))
        return error_set(err, "SentencePiece was ended by signal %d (%s)%s%s", WTERMSIG(status),
                         strsignal(WTERMSIG(status)), *line ? ": " : "", line);
    return error_set(err, "SentencePiece cannot train on this text: %s",
                     *line ? line : "it gives no reason");
}

static int read_model(struct strbuf *model, FILE *result, struct error *err)
{
    char block[65536];
    size_t got;
    while ((got = fread(block, 1, sizeof block, result)) > 0)
        strbuf_add(model, block, got);
    return ferror(result) ? error_set(err, "cannot read the trained model back: %s",
                                      strerror(errno)) : 0;
}

static int read_answer(struct answer *answer, struct strbuf *model, FILE *result, struct error *err)
{
    rewind(result);
    if (fread(answer, sizeof *answer, 1, result) != 1)
        return error_set(err, "the training process left no answer; is the disk of temporary files "
                         "full?");
    if (!answer->done)
        return error_set(err, "%s", answer->err.text);
    return read_model(model, result, err);
}

static void report(const struct answer *a, const struct vocab_config *c)
{
    if (a->too_long)
        log_warning("%lld lines longer than %d bytes were left out; --max-line-length raises the "
                    "limit", (long long)a->too_long, c->max_line_length);
    if (a->reserved)
        log_warning("%lld lines with the character U+2585, which SentencePiece reserves, were left "
                    "out", (long long)a->reserved);
}

static int train_in_child(struct strbuf *model, struct source *s, FILE *result, FILE *noise,
                          struct error *err)
{
    fflush(NULL);               /* or both processes would write what is buffered */
    pid_t child = fork();
    if (child < 0)
        return error_set(err, "cannot start a process to train in: %s", strerror(errno));
    if (!child)
        child_main(result, noise, s);
    int status = wait_for(child);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return explain_death(status, noise, err);
    if (read_answer(s->answer, model, result, err) < 0)
        return -1;
    report(s->answer, s->config);
    return 0;
}

static int train_model(struct strbuf *model, const char *const *files, size_t count,
                       const struct vocab_config *config, struct error *err)
{
    struct answer answer = { 0 };
    struct source s = { .config = config, .files = files, .count = count, .answer = &answer };
    FILE *result = tmpfile(), *noise = tmpfile();
    int ret = -1;
    if (result && noise)
        ret = train_in_child(model, &s, result, noise, err);
    else
        error_set(err, "cannot make a temporary file: %s", strerror(errno));
    if (result)
        fclose(result);
    if (noise)
        fclose(noise);
    return ret;
}

int vocab_train(const char *model_path, const char *const *files, size_t count,
                const struct vocab_config *config, struct error *err)
{
    struct outfile out = { 0 };
    struct strbuf model = { 0 };
    int ret = -1;

    if (check_config(config, err) < 0)
        goto done;
    if (!count) {
        error_set(err, "no files to train on");
        goto done;
    }
    if (files_differ_all(model_path, files, count, err) < 0)
        goto done;
    if (outfile_open(&out, model_path, err) < 0)        /* before the long work */
        goto done;
    if (train_model(&model, files, count, config, err) < 0)
        goto done;
    seal_add(&model);
    fwrite(model.text, 1, model.length, out.stream);
    ret = outfile_commit(&out, err);
done:
    outfile_abort(&out);
    strbuf_release(&model);
    return ret;
}
