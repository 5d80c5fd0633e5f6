/* coho train: one model from parallel text. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/team.h"
#include "cli/command.h"
#include "cli/train_files.h"
#include "cli/train_forecast.h"
#include "cli/train_objective.h"
#include "decode/validate.h"
#include "distill/kd.h"
#include "seq2seq/architecture.h"
#include "seq2seq/model.h"
#include "seq2seq/prune.h"
#include "seq2seq/train.h"
#include "seq2seq/train_courses.h"
#include "tokenize/tokenizer.h"
#include "tokenize/vocabularies.h"

struct train_command {
    char *source, *target, *dev_source, *dev_target;
    struct strings also_source, also_target;
    char *vocab, *target_vocab;
    char *output, *start;
    int64_t dev_decode_lines;
    bool dry_run;
};

#define FIELD(member) offsetof(struct train_command, member)
static const struct option command_options[] = {
    { "source", OPTION_STRING, FIELD(source), NULL, 0, 0, "source text, a sentence a line (plain, gz, zst, xz)",
      NULL, 's', true },
    { "target", OPTION_STRING, FIELD(target), NULL, 0, 0, "target text, line by line with the source", NULL,
      't', true },
    { "dev-source", OPTION_STRING, FIELD(dev_source), NULL, 0, 0, "source text for validation" },
    { "dev-target", OPTION_STRING, FIELD(dev_target), NULL, 0, 0, "target text for validation" },
    { "also-source", OPTION_LIST, FIELD(also_source), NULL, 0, 0,
      "source texts of further corpora, of which batches are drawn as mixing-weights or mixing-temperature say" },
    { "also-target", OPTION_LIST, FIELD(also_target), NULL, 0, 0, "their target texts, in the same order" },
    { "vocab", OPTION_STRING, FIELD(vocab), NULL, 0, 0,
      "SentencePiece model of both sides, or of the source; not needed with --start", NULL, 'v' },
    { "target-vocab", OPTION_STRING, FIELD(target_vocab), NULL, 0, 0,
      "SentencePiece model of the target side, when it is another" },
    { "output", OPTION_STRING, FIELD(output), NULL, 0, 0, "folder of the model", NULL, 'o', true },
    { "start", OPTION_STRING, FIELD(start), NULL, 0, 0,
      "a model folder whose weights are the first ones; its shape and vocabularies come with them" },
    { "dry-run", OPTION_FLAG, FIELD(dry_run), "false", 0, 0,
      "tell parameters, memory, work, batches and time, and train nothing" },
    { "dev-decode-lines", OPTION_LONG, FIELD(dev_decode_lines), "0", 0, 1e9,
      "decode only the first lines of the validation text; 0: all" },
    { 0 }
};

/* All that a run holds open. */
struct session {
    const struct command *self;
    struct team *team;
    const struct option_group *groups;
    int argc, rest_count;
    char **argv;
    const char **rest;
    struct train_command command;
    struct model_config model_config;
    struct train_config train_config;
    struct batching_config batching;
    struct mixing_config mixing;
    struct model *model;
    struct train_files files;                   /* of the corpora, that of the command first */
    struct train_objective objective;
};

/* ---- the model ---- */

static json_t *model_options_json(struct model_config *config)
{
    return options_to_json((struct option_group[]){ { NULL, model_options, config }, { 0 } });
}

/* `wanted` is the shape of the model to start from, with the options of the command line read on
 * top of it: what differs was asked for.  Only dropout can change. */
static int start_options(struct session *s, struct model_config wanted, struct error *err)
{
    struct model_config *config = &s->model->config;
    json_t *mine = model_options_json(&wanted), *its = model_options_json(config), *value;
    const char *name;
    int ret = 0;
    json_object_foreach(mine, name, value) {
        json_t *other = json_object_get(its, name);
        if (ret < 0 || !strncmp(name, "dropout", 7) || json_equal(value, other))
            continue;
        char *text = json_dumps(other, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
        ret = error_set(err, "--%s differs from that of '%s', the model to start from (%s); leave it out", name,
                        s->command.start, text);
        free(text);
    }
    json_decref(mine);
    json_decref(its);
    config->dropout = wanted.dropout;
    config->dropout_attention = wanted.dropout_attention;
    config->dropout_ffn = wanted.dropout_ffn;
    return ret;
}

static int start_vocab(const struct session *s, const char *path, const struct tokenizer *of_model,
                       struct error *err)
{
    if (!path)
        return 0;
    struct tokenizer *given = tokenizer_load(path, err);
    if (!given)
        return -1;
    bool same = tokenizer_fingerprint(given) == tokenizer_fingerprint(of_model);
    tokenizer_free(given);
    return same ? 0 : error_set(err, "'%s' is another vocabulary than that of '%s', the model to start from; "
                                "leave it out", path, s->command.start);
}

/* The model to start from brings its shape and its vocabularies. */
static int model_start(struct session *s, struct error *err)
{
    const struct train_command *c = &s->command;
    s->model = model_load(c->start, err);
    if (!s->model)
        return -1;
    s->model_config = s->model->config;
    command_parse(s->self, s->groups, s->argc, s->argv, s->rest, &s->rest_count);
    if (start_options(s, s->model_config, err) < 0 ||
        start_vocab(s, c->vocab, s->model->source_tokenizer, err) < 0)
        return -1;
    return start_vocab(s, c->target_vocab ? c->target_vocab : c->vocab, s->model->target_tokenizer, err);
}

static int model_open(struct session *s, struct error *err)
{
    struct tokenizer *source, *target;
    if (s->command.start)
        return model_start(s, err);
    if (vocabularies_open(&source, &target, s->command.vocab, s->command.target_vocab, err) < 0)
        return -1;
    s->model = model_new(&s->model_config, source, target, s->train_config.seed, err);
    if (!s->model)
        vocabularies_free(source, target);
    return s->model ? 0 : -1;
}

static void session_close(struct session *s)
{
    train_files_close(&s->files);
    train_objective_close(&s->objective);
    model_free(s->model);
}

/* The model whose weights were the first ones, with its own lineage. */
static json_t *start_ancestor(const struct session *s)
{
    char fingerprint[HASH_TEXT];
    hash_text(fingerprint, model_fingerprint(s->model));
    return json_pack("{s:s, s:s, s:O}", "folder", s->command.start, "fingerprint", fingerprint, "lineage",
                     s->model->lineage);
}

static void lineage_write(struct session *s)
{
    const struct option_group training[] = { { NULL, train_options, &s->train_config }, { 0 } };
    json_t *l = json_pack("{s:s, s:o}", "program", "coho " COHO_VERSION, "objective",
                          train_objective_describe(&s->objective));
    train_files_describe(&s->files, l);
    json_object_set_new(l, "seed", json_integer((json_int_t)s->train_config.seed));
    json_object_set_new(l, "training", options_to_json(training));
    if (s->objective.kind->wants_teacher)
        json_object_set_new(l, "teachers", train_objective_teachers(&s->objective));
    if (s->command.start)
        json_object_set_new(l, "start", start_ancestor(s));
    json_decref(s->model->lineage);
    s->model->lineage = l;
}

static int positions_check(const struct session *s, struct error *err)
{
    int limit = model_max_length(s->model);
    if (!limit || s->batching.max_length < limit)
        return 0;
    return error_set(err, "--max-length %d: the model's learned positions end at %d; lower it, or raise "
                     "--max-positions", s->batching.max_length, limit);
}

/* Told before the text is read. */
static int zeros_check(const struct session *s, struct error *err)
{
    int64_t of;
    if (!s->train_config.keep_zeros || model_zeros(s->model, &of))
        return 0;
    return error_set(err, "--keep-zeros: no weight of '%s' is zero; prune it first (coho model prune)", s->command.start);
}

/* With --memory, chooses the sizes of batches and pieces; `plan` NULL: told in the log. */
static int memory_plan(struct session *s, struct train_plan *plan, struct error *err)
{
    struct train_plan mine;
    if (!plan && !s->train_config.memory)
        return 0;
    if (train_plan_make(plan ? plan : &mine, s->model, &s->train_config, &s->batching, err) < 0)
        return -1;
    if (!plan)
        log_info("memory: batches of %d target tokens, pieces of %d, about %lld MB in all", mine.batch_tokens,
                 mine.micro_tokens, (long long)(mine.total >> 20));
    return 0;
}

/* Only once the model is open: with --start, the command line is read again. */
static void list_files(struct session *s)
{
    const struct train_command *c = &s->command;
    s->files = (struct train_files){
        .dev_source = c->dev_source, .dev_target = c->dev_target, .dev_decode_lines = c->dev_decode_lines,
        .folder = c->output, .model = s->model, .config = &s->train_config, .batching = &s->batching,
        .mixing = &s->mixing, .team = s->team,
    };
    strings_add(&s->files.sources, c->source);
    strings_add(&s->files.targets, c->target);
    for (size_t i = 0; i < c->also_source.count; i++) {
        strings_add(&s->files.sources, c->also_source.items[i]);
        strings_add(&s->files.targets, c->also_target.items[i]);
    }
}

static int dry_run(struct session *s, struct error *err)
{
    const struct train_command *c = &s->command;
    struct train_plan plan;
    bool dev = c->dev_source != NULL;
    if (train_check(&s->train_config, c->output, dev, dev, err) < 0 || model_open(s, err) < 0 ||
        positions_check(s, err) < 0 || zeros_check(s, err) < 0 || memory_plan(s, &plan, err) < 0)
        return -1;
    list_files(s);
    return train_forecast(stdout, &s->files.sources, &s->files.targets, s->model, &plan, &s->train_config, &s->batching, err);
}

/* All but the data: nothing is written before every rank has come so far. */
static int prepare(struct session *s, struct error *err)
{
    bool dev = s->command.dev_source != NULL;
    if (train_check(&s->train_config, s->command.output, dev, dev, err) < 0 || model_open(s, err) < 0 ||
        positions_check(s, err) < 0 || zeros_check(s, err) < 0)
        return -1;
    return memory_plan(s, NULL, err);
}

static int train(struct session *s, struct train_report *report, struct error *err)
{
    if (team_agree(s->team, prepare(s, err), err) < 0)
        return -1;
    list_files(s);
    if (team_agree(s->team, train_files_open(&s->files, err), err) < 0)
        return -1;
    int ret = train_objective_open(&s->objective, s->model, s->files.stores[0],
                                   s->files.dev_store ? &s->files.dev : NULL, s->batching.max_length,
                                   s->train_config.threads, err);
    if (team_agree(s->team, ret, err) < 0)
        return -1;
    lineage_write(s);
    const struct train_data data = train_files_data(&s->files);
    log_info("%s, %lld parameters", s->model->config.arch ? "lstm" : "transformer",
             (long long)model_parameters(s->model));
    return train_model(s->model, &s->objective.objective, &data, &s->train_config, s->command.output, report, err);
}

/* The exit status of a training that is over. */
static int tell(const struct session *s, const struct train_report *report)
{
    const char *folder = s->command.output;
    char dev[48] = "";
    if (report->interrupted) {
        log_info("stopped by a signal after update %lld; the same command with --resume goes on",
                 (long long)report->updates);
        return 1;
    }
    kd_self_warn(s->objective.kind->method, s->objective.config, report->updates, report->epochs);
    if (isfinite(report->dev_nll))
        snprintf(dev, sizeof dev, "dev NLL %.4f; ", report->dev_nll);
    log_info("%lld updates, %d epochs in %s (%s): %sthe model is in '%s'", (long long)report->updates,
             report->epochs, clock_text(report->seconds), report->why, dev, folder);
    return 0;
}

static struct train_courses courses_of(const struct session *s)
{
    return (struct train_courses){ .groups = s->groups, .weights = &s->mixing.weights, .config = &s->train_config };
}

static int usage_check(const struct session *s)
{
    const struct train_command *c = &s->command;
    struct error err;
    if (s->rest_count)
        return command_misuse(s->self, "'%s' is no option", s->rest[0]);
    if (!c->dev_source != !c->dev_target)
        return command_misuse(s->self, "--dev-source and --dev-target go together");
    if (!c->vocab && !c->start)
        return command_misuse(s->self, "--vocab is required, or --start, which brings one");
    if (train_start_check(&s->train_config, c->start != NULL, &err) < 0)
        return command_misuse(s->self, "--%s", err.text);
    if (c->also_source.count != c->also_target.count)
        return command_misuse(s->self, "--also-source names %zu texts and --also-target %zu; they go together",
                              c->also_source.count, c->also_target.count);
    if (c->also_source.count && s->objective.soft_path)
        return command_misuse(s->self, "--soft-targets are of one corpus; leave out --also-source");
    if (mixing_check(&s->mixing, c->also_source.count + 1, &err) < 0)
        return command_misuse(s->self, "--%s", err.text);
    const struct train_courses courses = courses_of(s);
    if (train_courses_check(&courses, c->dev_source != NULL, &err) < 0)
        return command_misuse(s->self, "--%s", err.text);
    if (train_objective_check(&s->objective, &err) < 0)
        return command_misuse(s->self, "%s", err.text);
    if (kd_self_check(s->objective.kind->method, s->objective.config, s->train_config.max_updates, &err) < 0)
        return command_misuse(s->self, "--%s", err.text);
    if (validator_knows(s->train_config.metric, &err) < 0)
        return command_misuse(s->self, "%s", err.text);
    return -1;
}

/* Rank 0 speaks for all, unless a rank failed alone. */
static int fail(const struct session *s, struct error *err)
{
    if (team_knows(s->team) && team_rank(s->team))
        return 1;
    if (!team_knows(s->team) && team_rank(s->team))
        error_prefix(err, "rank %d of %d", team_rank(s->team), team_size(s->team));
    command_fail(s->self, err);
    if (!team_knows(s->team))
        team_abort(s->team);
    return 1;
}

static int run(struct session *s)
{
    struct error err = { 0 };
    struct train_report report;
    if (s->command.dry_run && team_rank(s->team))
        return 0;
    if (s->command.dry_run)
        return dry_run(s, &err) < 0 ? command_fail(s->self, &err) : 0;
    interrupt_install();
    const struct train_courses courses = courses_of(s);
    train_courses_warn(&courses);
    signal(SIGPIPE, SIG_IGN);           /* messages may go nowhere: it is saved all the same */
    return train(s, &report, &err) < 0 ? fail(s, &err) : tell(s, &report);
}

/* Every rank reads the same options; one tells what is wrong with them. */
static int read_options(struct session *s)
{
    int kept[2], nowhere = -1;
    bool mute = team_rank(s->team) > 0;
    for (int fd = 1; mute && fd <= 2; fd++) {
        kept[fd - 1] = dup(fd);
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nowhere, fd);
        close(nowhere);
    }
    int status = command_parse(s->self, s->groups, s->argc, s->argv, s->rest, &s->rest_count);
    if (status < 0)
        status = usage_check(s);
    fflush(stdout);
    for (int fd = 1; mute && fd <= 2; fd++) {
        dup2(kept[fd - 1], fd);
        close(kept[fd - 1]);
    }
    log_quiet(mute);
    return status;
}

int cmd_train(const struct command *self, int argc, char **argv)
{
    struct session s = { .self = self, .argc = argc, .argv = argv };
    struct error err = { 0 };
    train_objective_choose(&s.objective, argc, argv);
    const struct option_group groups[] = {
        { "files", command_options, &s.command },
        { "model", model_options, &s.model_config },
        { "loss", train_objective_options, &s.objective },
        train_objective_group(&s.objective),
        { "training", train_options, &s.train_config },
        { "batches", batching_options, &s.batching },
        { "several corpora", mixing_options, &s.mixing },
        { 0 }
    };
    if (team_join(&s.team, &err) < 0)
        return command_fail(self, &err);
    s.rest = xcalloc((size_t)argc + 1, sizeof *s.rest);
    s.groups = groups;
    options_default(groups);
    int status = read_options(&s);
    if (status < 0)
        status = run(&s);
    options_release(groups);
    session_close(&s);
    free(s.rest);
    team_leave(s.team);
    return status;
}
