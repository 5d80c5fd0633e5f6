/* coho gap: what a student does not do as its teacher does. */
#include <stdlib.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "distill/gap.h"
#include "seq2seq/model.h"

struct gap_options {
    char *teacher, *student, *source, *reference, *train_source, *train_target, *distilled, *distilled_source;
    int64_t lines;
    struct gap_config config;
    bool json, quiet;
};

#define FIELD(member) offsetof(struct gap_options, member)
static const struct option gap_options[] = {
    { "teacher", OPTION_STRING, FIELD(teacher), .required = true, .help = "model folder of the teacher" },
    { "student", OPTION_STRING, FIELD(student), .required = true, .help = "model folder of the student" },
    { "source", OPTION_STRING, FIELD(source), NULL, .letter = 's', .required = true,
      .help = "test set: source text (plain, gzip, zstd, xz)" },
    { "target", OPTION_STRING, FIELD(reference), NULL, .letter = 't', .required = true,
      .help = "its reference translation, line by line" },
    { "lines", OPTION_LONG, FIELD(lines), "0", 0, 1e12, "only the first lines of it; 0: all" },
    { "train-target", OPTION_STRING, FIELD(train_target), NULL,
      .help = "target text of training: tells how often pieces were seen" },
    { "train-source", OPTION_STRING, FIELD(train_source), NULL,
      .help = "its source text, for --distilled" },
    { "distilled", OPTION_STRING, FIELD(distilled), NULL,
      .help = "the teacher's output for the same text: complexity and faithfulness of that corpus" },
    { "distilled-source", OPTION_STRING, FIELD(distilled_source), NULL,
      .help = "its source text, where it leaves lines out; else --train-source" },
    { "samples", OPTION_INT, FIELD(config.samples), "1000", 10, 1000000, "of the paired bootstrap" },
    { "threads", OPTION_INT, FIELD(config.threads), "0", 0, 1024, "threads; 0: one a core" },
    { "json", OPTION_FLAG, FIELD(json), "false", .help = "all of it as JSON" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};
#undef FIELD

struct job {
    struct gap_options options;
    struct search_config search;
    struct model *teacher, *student;
    struct strings sources, references;
};

static int read_test_set(struct job *j, struct error *err)
{
    const struct gap_options *o = &j->options;
    if (lines_read(&j->sources, o->source, o->lines, err) < 0
        || lines_read(&j->references, o->reference, o->lines, err) < 0)
        return -1;
    if (j->sources.count == j->references.count)
        return 0;
    return error_set(err, "'%s' has %zu lines but '%s' has %zu; they must be aligned line by line", o->source,
                     j->sources.count, o->reference, j->references.count);
}

static json_t *measure(struct job *j, struct error *err)
{
    const struct gap_options *o = &j->options;
    struct gap_config config = o->config;
    const struct gap_texts texts = {
        (const char *const *)j->sources.items, (const char *const *)j->references.items, j->sources.count,
        o->train_target,
    };
    config.search = j->search;
    json_t *gap = gap_measure(j->teacher, j->student, &texts, &config, err);
    if (!gap || !o->distilled)
        return gap;
    json_t *corpora = gap_corpora(j->student, o->train_source, o->train_target,
                                  o->distilled_source ? o->distilled_source : o->train_source, o->distilled,
                                  config.threads, err);
    if (corpora)
        json_object_set_new(gap, "corpora", corpora);
    else
        json_decref(gap);
    return corpora ? gap : NULL;
}

static int run(struct job *j, struct error *err)
{
    const struct gap_options *o = &j->options;
    if (o->distilled && (!o->train_source || !o->train_target))
        return error_set(err, "--distilled needs --train-source and --train-target");
    if (search_check(&j->search, err) < 0 || read_test_set(j, err) < 0
        || !(j->teacher = model_load(o->teacher, err)) || !(j->student = model_load(o->student, err)))
        return -1;
    json_t *gap = measure(j, err);
    if (!gap)
        return -1;
    if (o->json) {
        json_dumpf(gap, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
        putchar('\n');
    } else {
        gap_print(gap, stdout);
    }
    json_decref(gap);
    return 0;
}

int cmd_gap(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, gap_options, &job.options }, { "search", search_options, &job.search }, { 0 }
    };
    const char **rest = xmalloc((size_t)argc * sizeof *rest);
    int rest_count, status;

    options_default(groups);
    status = command_parse(self, groups, argc, argv, rest, &rest_count);
    if (status < 0 && rest_count)
        status = command_misuse(self, "unexpected '%s': give the models with --teacher and --student", rest[0]);
    if (status < 0) {
        log_quiet(job.options.quiet);
        interrupt_install();
        status = run(&job, &err) < 0 ? command_fail(self, &err) : 0;
    }
    model_free(job.teacher);
    model_free(job.student);
    strings_release(&job.sources);
    strings_release(&job.references);
    options_release(groups);
    free(rest);
    return status;
}
