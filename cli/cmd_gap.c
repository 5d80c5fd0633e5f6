/* coho gap: what a student does not do as its teacher does. */
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/decoding.h"
#include "decode/models.h"
#include "distill/gap.h"
#include "seq2seq/model.h"

struct gap_command {
    struct strings teacher, student, teacher_weights, student_weights;
    char *source, *reference, *train_source, *train_target, *distilled, *distilled_source, *html;
    int average, threads;
    int64_t lines;
    bool json, quiet;
};

#define FIELD(member) offsetof(struct gap_command, member)
static const struct option command_options[] = {
    { "teacher", OPTION_LIST, FIELD(teacher), .required = true,
      .help = "model folder of the teacher; several speak as one ensemble" },
    { "student", OPTION_LIST, FIELD(student), .required = true, .help = "model folder of the student; or several" },
    { "teacher-weights", OPTION_LIST, FIELD(teacher_weights),
      .help = "of several teachers, one a model; without: equal ones" },
    { "student-weights", OPTION_LIST, FIELD(student_weights), .help = "the same of several students" },
    { "average", OPTION_CHOICE, FIELD(average), "probability", .choices = average_names,
      .help = "what an ensemble averages: probabilities or their logarithms" },
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
    { "html", OPTION_STRING, FIELD(html), .help = "also write all of it, with plots, to this page" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { "json", OPTION_FLAG, FIELD(json), "false", .help = "all of it as JSON" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};
#undef FIELD

struct job {
    struct gap_command options;
    struct gap_config config;
    struct search_config search;
    struct models teacher, student;
    struct strings sources, references;
    struct outfile html;        /* open from the beginning: where it cannot be written is told at once */
};

static struct gap_texts texts_of(const struct job *j)
{
    return (struct gap_texts){ (const char *const *)j->sources.items, (const char *const *)j->references.items,
                               j->sources.count, j->options.train_target };
}

static int read_test_set(struct job *j, struct error *err)
{
    const struct gap_command *o = &j->options;
    if (lines_read(&j->sources, o->source, o->lines, err) < 0
        || lines_read(&j->references, o->reference, o->lines, err) < 0)
        return -1;
    if (j->sources.count != j->references.count)
        return error_set(err, "'%s' has %zu lines but '%s' has %zu; they must be aligned line by line", o->source,
                         j->sources.count, o->reference, j->references.count);
    const struct gap_texts texts = texts_of(j);
    return gap_texts_check(&texts, err) < 0 ? error_prefix(err, "'%s' and '%s'", o->source, o->reference) : 0;
}

static json_t *measure(struct job *j, struct error *err)
{
    const struct gap_command *o = &j->options;
    const struct gap_voice teacher = gap_voice_of(&j->teacher, o->average),
                           student = gap_voice_of(&j->student, o->average);
    const struct gap_texts texts = texts_of(j);
    json_t *corpora = NULL, *gap = NULL;
    if (o->distilled)                   /* what is wrong with them is told before the test set is decoded */
        corpora = gap_corpora(&student.translator, o->train_source, o->train_target,
                              o->distilled_source ? o->distilled_source : o->train_source, o->distilled,
                              o->threads, err);
    if (!o->distilled || corpora)
        gap = gap_measure(&teacher, &student, &texts, &j->search, &j->config, o->threads, err);
    if (gap && corpora)
        json_object_set(gap, "corpora", corpora);
    json_decref(corpora);
    return gap;
}

static int write_page(struct job *j, const json_t *gap, struct error *err)
{
    const struct gap_command *o = &j->options;
    struct strbuf html = { 0 };
    char *title = xasprintf("%s beside %s", o->student.items[0], o->teacher.items[0]);
    gap_page(&html, gap, title, o->source);
    fwrite(html.text, 1, html.length, j->html.stream);
    strbuf_release(&html);
    free(title);
    return outfile_commit(&j->html, err);
}

static int write_all(struct job *j, const json_t *gap, struct error *err)
{
    if (j->options.json) {
        json_dumpf(gap, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
        putchar('\n');
    } else {
        gap_print(gap, stdout);
    }
    return j->options.html ? write_page(j, gap, err) : 0;
}

static int run(struct job *j, struct error *err)
{
    const struct gap_command *o = &j->options;
    enum average average = (enum average)o->average;
    const char *read[] = { o->source, o->reference, o->train_source, o->train_target, o->distilled, o->distilled_source };
    if (files_differ_all(o->html, read, ARRAY_COUNT(read), err) < 0)
        return -1;
    if (o->distilled && (!o->train_source || !o->train_target))
        return error_set(err, "--distilled needs --train-source and --train-target");
    if (gap_search_check(&j->search, err) < 0 || read_test_set(j, err) < 0
        || (o->html && outfile_open(&j->html, o->html, err) < 0)
        || models_open(&j->teacher, &o->teacher, PRODUCTS_STORED, "--teacher-weights", &o->teacher_weights, average,
                       err) < 0
        || models_open(&j->student, &o->student, PRODUCTS_STORED, "--student-weights", &o->student_weights, average,
                       err) < 0)
        return -1;
    json_t *gap = measure(j, err);
    int ret = gap ? write_all(j, gap, err) : -1;
    json_decref(gap);
    return ret;
}

int cmd_gap(const struct command *self, int argc, char **argv)
{
    struct job job = { 0 };
    struct error err = { 0 };
    const struct option_group groups[] = {
        { NULL, command_options, &job.options }, { "bootstrap", gap_options, &job.config },
        { "search", search_options, &job.search }, { 0 }
    };
    const char **rest = xmalloc((size_t)argc * sizeof *rest);
    int rest_count, status;

    options_default(groups);
    status = command_parse(self, groups, argc, argv, rest, &rest_count);
    if (status < 0 && rest_count)
        status = command_misuse(self, "unexpected '%s': give the models with --teacher and --student", rest[0]);
    if (status < 0 && !job.options.distilled && (job.options.train_source || job.options.distilled_source))
        status = command_misuse(self, "--train-source and --distilled-source go with --distilled, which is missing");
    if (status < 0) {
        log_quiet(job.options.quiet);
        interrupt_install();
        status = run(&job, &err) < 0 ? command_fail(self, &err) : 0;
    }
    outfile_abort(&job.html);
    models_release(&job.teacher);
    models_release(&job.student);
    strings_release(&job.sources);
    strings_release(&job.references);
    options_release(groups);
    free(rest);
    return status;
}
