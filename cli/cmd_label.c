/* coho label: a model's outputs for a whole corpus, as a job that may be killed, resumed, shared. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/ranks.h"
#include "cli/command.h"
#include "cli/decoding.h"
#include "decode/label.h"
#include "decode/models.h"
#include "decode/nbest.h"
#include "seq2seq/model.h"
#include "seq2seq/teacher.h"

struct label_command {
    struct strings models, inputs;
    struct ensemble_config ensemble;
    char *target, *output, *shard;
    int threads;
    float temperature;
    bool check, quiet;
};

#define FIELD(member) offsetof(struct label_command, member)
static const struct option command_options[] = {
    { "model", OPTION_LIST, FIELD(models), .letter = 'm',
      .help = "model folder; several label as one ensemble" },
    { "input", OPTION_LIST, FIELD(inputs), .letter = 'i',
      .help = "text to label, a sentence a line (plain, gzip, zstd, xz); several files are read as one" },
    { "target", OPTION_STRING, FIELD(target), NULL, .letter = 't',
      .help = "translations of all that text, to be scored, and given soft targets, instead of a search" },
    { "output", OPTION_STRING, FIELD(output), NULL, .letter = 'o', .required = true,
      .help = "folder of the labels; what a job has left there is gone on with" },
    { "shard", OPTION_STRING, FIELD(shard), NULL, .help = "I/N: do the I-th of N shares of the work only, I from 1" },
    { "soft-temperature", OPTION_FLOAT, FIELD(temperature), "1", 0.01, 100,
      "divides the teacher's logits before soft targets are taken" },
    { "check", OPTION_FLAG, FIELD(check), "false",
      .help = "label nothing: prove that the folder's labels are whole and belong to the input as it is now" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};

struct session {
    struct label_command command;
    struct label_config label;
    struct search_config search;
    struct models models;
    struct translator translator;
    struct teacher *teacher;
    struct label_job job;
    json_t *described;
};

/* What labels, for manifests: a model's folder is for people, its fingerprint for comparing. */
static json_t *describe(const struct session *s)
{
    const struct label_command *c = &s->command;
    json_t *all = json_array();
    for (int i = 0; i < s->models.count; i++) {
        char text[HASH_TEXT];
        hash_text(text, model_fingerprint(s->models.items[i]));
        json_t *one = json_pack("{s:s, s:s}", "model", c->models.items[i], "fingerprint", text);
        if (s->models.weights)
            json_object_set_new(one, "weight", json_real((double)s->models.weights[i]));
        json_array_append_new(all, one);
    }
    return json_pack("{s:o, s:s, s:s, s:f}", "models", all,
                     "products", products_names[c->ensemble.products],
                     "average", average_names[c->ensemble.average],
                     "temperature", (double)c->temperature);
}

/* Soft targets and scores of given translations come from the models as a teacher of whole sentences. */
static int open_teacher(struct session *s, struct error *err)
{
    const struct label_command *c = &s->command;
    struct teacher_config config = { (enum average)c->ensemble.average, c->temperature, s->models.weights };
    if (!s->label.soft && !c->target)
        return 0;
    s->teacher = teacher_new(models_list(&s->models), s->models.count, &config, err);
    return s->teacher ? 0 : -1;
}

static int open_models(struct session *s, struct error *err)
{
    const struct label_command *c = &s->command;
    if (models_open_ensemble(&s->models, &c->models, &c->ensemble, err) < 0 || open_teacher(s, err) < 0)
        return -1;
    s->translator = models_translator(&s->models);
    s->described = describe(s);
    s->job.translator = &s->translator;
    s->job.teacher = s->teacher;
    s->job.models = s->described;
    return 0;
}

static void tell_marks(const struct label_report *r)
{
    for (int i = 0; i < NBEST_MARKS; i++)
        if (r->marks[i])
            log_info("  %s lines are marked %c (%s)", grouped(r->marks[i]), nbest_letters[i], nbest_names[i]);
}

static void tell(const struct session *s, const struct label_report *r)
{
    const char *folder = s->command.output;
    if (!r->joined) {
        log_info("%s of %s shards labelled; %s are left to others, the last of whom joins them",
                 grouped(r->labelled), grouped(r->shards), grouped(r->waiting));
        return;
    }
    log_info("%s: %s lines, %s hypotheses, in as many lines of '" LABEL_BEST "' as the input has", folder,
             grouped(r->lines), grouped(r->hypotheses));
    tell_marks(r);
    if (!s->command.check && r->labelled && r->seconds > 0)
        log_info("  %s of %s shards labelled now; %.1f lines/s, %s words/s", grouped(r->labelled), grouped(r->shards),
                 (double)r->lines / r->seconds, grouped((int64_t)((double)r->source_words / r->seconds)));
}

static int run(struct session *s, struct error *err)
{
    struct label_report report;
    int ret;
    if (s->command.check) {
        ret = label_verify(s->command.output, &report, err);
    } else {
        ret = open_models(s, err);
        if (ret == 0)
            ret = label_run(&s->job, &report, err);
    }
    if (ret == LABEL_STOPPED)
        return error_set(err, "stopped by a signal; the same command goes on where it was");
    if (ret == 0)
        tell(s, &report);
    return ret;
}

/* "2/5", from 1; and within that this process's part among those started together. */
static int read_share(struct session *s)
{
    struct ranks ranks = ranks_told();
    int share = 1, shares = 1, end = 0;
    const char *text = s->command.shard;
    if (text && (sscanf(text, "%d/%d%n", &share, &shares, &end) != 2 || text[end] || share < 1 || share > shares
                 || shares > 1000000))
        return -1;
    s->job.share = (share - 1) * ranks.count + ranks.rank;
    s->job.shares = shares * ranks.count;
    return 0;
}

static int check_usage(const struct command *self, struct session *s, const char *const *rest, int rest_count)
{
    const struct label_command *c = &s->command;
    struct error err;
    if (rest_count)
        return command_misuse(self, "unexpected '%s': give the text with --input", rest[0]);
    if (c->check)
        return 0;
    if (!c->models.count || !c->inputs.count)
        return command_misuse(self, "--%s is missing", c->models.count ? "input" : "model");
    if (read_share(s) < 0)
        return command_misuse(self, "--shard '%s' is not of the form I/N, I from 1 to N", c->shard);
    if (c->target && s->search.n_best > 1)
        return command_misuse(self, "--n-best is for searches: --target gives the translations");
    if (label_check_options(&s->job, &err) < 0)
        return command_misuse(self, "%s", err.text);
    return 0;
}

int cmd_label(const struct command *self, int argc, char **argv)
{
    struct session s = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, command_options, &s.command }, { "models", ensemble_options, &s.command.ensemble },
        { "labels", label_options, &s.label }, { "search", search_options, &s.search }, { 0 }
    };
    const char **rest = xcalloc((size_t)argc + 1, sizeof *rest);
    int rest_count;
    options_default(groups);
    int status = command_parse(self, groups, argc, argv, rest, &rest_count);
    s.job = (struct label_job){
        .inputs = &s.command.inputs, .target = s.command.target, .folder = s.command.output, .config = &s.label,
        .search = &s.search, .threads = s.command.threads, .shares = 1,
    };
    if (status < 0)
        status = check_usage(self, &s, rest, rest_count) ? 2 : -1;
    if (status < 0) {
        log_quiet(s.command.quiet);
        interrupt_install();
        signal(SIGPIPE, SIG_IGN);       /* messages may go nowhere: the labels go on */
        status = run(&s, &err) < 0 ? command_fail(self, &err) : 0;
    }
    teacher_free(s.teacher);
    models_release(&s.models);
    json_decref(s.described);
    options_release(groups);
    free(rest);
    return status;
}
