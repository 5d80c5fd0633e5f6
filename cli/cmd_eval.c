/* coho eval: BLEU, chrF and TER of translations, with sacreBLEU's options and output. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/eval.h"
#include "cli/eval_answers.h"
#include "eval/sacrebleu_cache.h"
#include "eval/tokenizers.h"

static const char *const format_names[] = { "auto", "json", "text", "latex", NULL };

enum { BAD_UTF8_REFUSE, BAD_UTF8_REPLACE };
static const char *const bad_utf8_names[] = { "refuse", "replace", NULL };

#define FIELD(member) offsetof(struct eval_options, member)
static const struct option eval_options[] = {
    { "input", OPTION_LIST, FIELD(input), .letter = 'i',
      .help = "translations, a file a system; without: standard input, a tab between systems" },
    { "metrics", OPTION_LIST, FIELD(metrics), "bleu", .letter = 'm',
      .help = "what to compute: bleu, chrf, chrf++, ter; or of labels accuracy, exact_match, f1_macro, "
              "f1_micro, f1_weighted, mcc; of numbers pearson, spearman, mse, mae; of tags span_f1, "
              "span_precision, span_recall", .alias = "metric" },
    { "sentence-level", OPTION_FLAG, FIELD(sentence_level), "false",
      .help = "score every line by itself", .alias = "sl" },
    { "num-refs", OPTION_INT, FIELD(num_refs), "1", 1, 1000,
      "references on each line of REF, a tab between them", .alias = "nr" },
    { "first-column", OPTION_FLAG, FIELD(first_column), "false",
      .help = "of labels, numbers and tags: gold answers stand in REF before the first tab of a line, as in files of "
              "examples" },
    { "test-set", OPTION_STRING, FIELD(test_set), .letter = 't',
      .help = "a test set such as wmt17 that sacreBLEU has fetched, in place of REF; with --language-pair" },
    { "language-pair", OPTION_STRING, FIELD(language_pair), .letter = 'l',
      .help = "as in en-zh; chooses the tokenizer of zh, ja and ko where none is named" },
    { "encoding", OPTION_STRING, FIELD(encoding), "utf-8", .letter = 'e',
      .help = "encoding of all files, as Python or iconv names it; utf-8-sig: without a byte order mark" },
    { "bad-utf8", OPTION_CHOICE, FIELD(bad_utf8), "refuse", .choices = bad_utf8_names,
      .help = "what to do with bytes that are not of the encoding" },
    { "force", OPTION_FLAG, FIELD(force), "false",
      .help = "do not warn of translations that look tokenized" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { 0 }
};

static const struct option test_options[] = {
    { "confidence", OPTION_FLAG, FIELD(confidence), "false",
      .help = "95 % interval of one system, by bootstrap resampling", .alias = "ci" },
    { "confidence-n", OPTION_INT, FIELD(confidence_n), "1000", 1, 10000000,
      "resamples for it; 1: no interval", .alias = "cin" },
    { "paired-bs", OPTION_FLAG, FIELD(paired_bs), "false",
      .help = "test systems against the first by paired bootstrap resampling", .alias = "pbs" },
    { "paired-bs-n", OPTION_INT, FIELD(paired_bs_n), "1000", 1, 10000000,
      "resamples for it", .alias = "pbsn" },
    { "paired-ar", OPTION_FLAG, FIELD(paired_ar), "false",
      .help = "test them by paired approximate randomization", .alias = "par" },
    { "paired-ar-n", OPTION_INT, FIELD(paired_ar_n), "10000", 1, 10000000,
      "trials of it", .alias = "parn" },
    { "paired-jobs", OPTION_INT, FIELD(paired_jobs), "1", 0, 1024,
      "taken for sacreBLEU's sake; --threads says how many threads", .letter = 'j' },
    { 0 }
};

static const struct option output_options[] = {
    { "format", OPTION_CHOICE, FIELD(format), "auto", .choices = format_names, .letter = 'f',
      .help = "how to print; auto: text on a terminal, JSON elsewhere. "
              "SACREBLEU_FORMAT overrides it" },
    { "json", OPTION_FLAG, FIELD(json), "false", .help = "the same as --format json, and one object a line with --sentence-level" },
    { "width", OPTION_INT, FIELD(width), "-1", -1, 100,
      "decimals of a score; -1: 1, or 4 for metrics of labels, numbers and tags", .letter = 'w' },
    { "score-only", OPTION_FLAG, FIELD(score_only), "false", .letter = 'b',
      .help = "print the bare score" },
    { "short", OPTION_FLAG, FIELD(short_keys), "false",
      .help = "abbreviate signatures", .alias = "sh" },
    { "no-color", OPTION_FLAG, FIELD(no_color), "false",
      .help = "taken for sacreBLEU's sake; nothing is coloured", .alias = "nc" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};

static bool paired(const struct eval_job *job)
{
    return eval_is_paired(&job->options);
}

static const struct option page_options[] = {
    { "html", OPTION_STRING, FIELD(html),
      .help = "a page as well: scores by length and by the frequency of words, and the sentences in which systems "
              "differ most from the first one, word by word" },
    { "source", OPTION_STRING, FIELD(source), .help = "what was translated, shown there; UTF-8" },
    { "training", OPTION_STRING, FIELD(training),
      .help = "target side of the training text, whose words' frequencies are those of the page; without: those of "
              "the references" },
    { "examples", OPTION_INT, FIELD(examples), "20", 0, 10000, "sentences shown on either side of a comparison" },
    { 0 }
};

/* ---- usage ---- */

static size_t metrics_known(void)
{
    size_t count = 0;
    while (metric_row((int)count))
        count++;
    return count;
}

static int unknown_metric(const struct eval_job *job, const char *name)
{
    const char *known[REPORT_METRICS_MAX + ANSWER_METRICS_MAX], *near;
    struct strbuf all = { 0 };
    size_t count = 0;
    int ret;

    for (const struct metric *m; (m = metric_row((int)count)); )
        known[count++] = metric_name(m);
    for (const struct answer_metric *m; (m = answer_metric_row((int)(count - metrics_known()))); )
        known[count++] = m->name;
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&all, "%s%s", i ? ", " : "", known[i]);
    near = nearest_name(name, known, count);
    ret = command_misuse(job->self, "unknown metric '%s'%s%s%s; there are %s", name,
                         near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "",
                         all.text);
    strbuf_release(&all);
    return ret;
}

static bool contains(const struct strings *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->items[i], name))
            return true;
    return false;
}

/* Rows in the order of their tables; 0, or the exit status. */
static int pick_metrics(struct eval_job *job)
{
    const struct strings *names = &job->options.metrics;
    const struct answer_metric *a;
    const struct metric *m;
    for (size_t i = 0; i < names->count; i++)
        if (!metric_find(names->items[i]) && !answer_metric_find(names->items[i]))
            return unknown_metric(job, names->items[i]);
    for (int i = 0; (m = metric_row(i)); i++)
        if (contains(names, metric_name(m)))
            job->metrics[job->metrics_count++] = m;
    for (int i = 0; (a = answer_metric_row(i)); i++)
        if (contains(names, a->name))
            job->answer_metrics[job->answer_metrics_count++] = a;
    if (job->metrics_count && job->answer_metrics_count)
        return command_misuse(job->self, "metrics of translations and of %s do not go together",
                              job->answer_metrics[0]->name);
    if (job->options.width < 0)
        job->options.width = job->answer_metrics_count ? 4 : 1;
    return 0;
}

static const char *named_twice(const struct strings *names)
{
    for (size_t i = 0; i < names->count; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(names->items[i], names->items[k]))
                return names->items[i];
    return NULL;
}

/* How many of the inputs are standard input. */
static int stdin_count(const struct strings *input, const char *const *refs, int refs_count)
{
    int count = input->count == 0;
    for (size_t i = 0; i < input->count; i++)
        count += !strcmp(input->items[i], "-");
    for (int i = 0; i < refs_count; i++)
        count += !strcmp(refs[i], "-");
    return count;
}

static bool wants_chrf(const struct eval_job *job)
{
    return contains(&job->options.metrics, "chrf") || contains(&job->options.metrics, "chrf++");
}

/* 0, or the exit status. */
static int check_usage(const struct eval_job *job, const char *const *refs, int refs_count)
{
    const struct eval_options *o = &job->options;
    const char *twice = named_twice(&o->input);

    if (o->test_set && (refs_count || o->num_refs > 1 || !o->language_pair))
        return command_misuse(job->self, "--test-set takes --language-pair, and stands in place of references");
    if (refs_count == 0 && !o->test_set)
        return command_misuse(job->self, "a file of references is missing; it goes before -i");
    if (twice)
        return command_misuse(job->self, "'%s' is given twice to --input", twice);
    if (stdin_count(&o->input, refs, refs_count) > 1)
        return command_misuse(job->self, "standard input can be read only once; name the "
                              "translations with -i");
    if (o->num_refs > 1 && refs_count > 1)
        return command_misuse(job->self, "--num-refs goes with a single file of references");
    if (o->sentence_level && job->metrics_count > 1)
        return command_misuse(job->self, "--sentence-level computes one metric at a time");
    if (o->sentence_level && o->input.count > 1)
        return command_misuse(job->self, "--sentence-level scores one system at a time");
    if (o->sentence_level && (o->confidence || paired(job)))
        return command_misuse(job->self, "--sentence-level goes without significance tests");
    if (job->answer_metrics_count && (o->sentence_level || paired(job) || refs_count > 1 || o->num_refs > 1))
        return command_misuse(job->self, "%s takes one file of gold answers and neither --sentence-level nor "
                              "paired tests", job->answer_metrics[0]->name);
    if (o->first_column && !job->answer_metrics_count)
        return command_misuse(job->self, "--first-column goes with metrics of labels, numbers or tags");
    if (o->html && (o->sentence_level || job->answer_metrics_count))
        return command_misuse(job->self, "--html shows translations, and goes without --sentence-level");
    if (!o->html && (o->source || o->training))
        return command_misuse(job->self, "--source and --training are for the page; name it with --html");
    if (o->language_pair && !strchr(o->language_pair, '-'))
        return command_misuse(job->self, "--language-pair takes both languages, as in en-%s", o->language_pair);
    if (wants_chrf(job) && job->config.chrf.char_order + job->config.chrf.word_order == 0)
        return command_misuse(job->self, "--chrf-char-order and --chrf-word-order cannot both be 0");
    if (o->paired_ar && o->paired_bs)
        return command_misuse(job->self, "--paired-ar and --paired-bs exclude each other");
    if (o->confidence && o->input.count > 1 && !job->answer_metrics_count)
        return command_misuse(job->self, "--confidence is for one system; --paired-bs gives intervals of several");
    if (paired(job) && o->input.count == 1)
        return command_misuse(job->self, "a paired test needs two systems or more after --input");
    return 0;
}

/* sacreBLEU skips the baseline when a pattern such as *.txt names it once more. */
static void drop_baseline_again(struct strings *input)
{
    size_t kept = 1;
    for (size_t i = 1; i < input->count; i++) {
        if (strcmp(input->items[i], input->items[0])) {
            input->items[kept++] = input->items[i];
            continue;
        }
        log_info("%s is the baseline already", input->items[i]);
        free(input->items[i]);
    }
    if (input->count)
        input->count = kept;
}

static bool given(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], option, strlen(option)))
            return true;
    return false;
}

/* The tokenizer that sacreBLEU takes for the target language. */
static void pick_tokenizer(struct eval_job *job)
{
    static const char *const by_language[][2] = {
        { "zh", "zh" }, { "ja", "ja-mecab" }, { "ko", "ko-mecab" },
    };
    const char *pair = job->options.language_pair, *target = pair ? strchr(pair, '-') : NULL;
    for (size_t i = 0; target && i < ARRAY_COUNT(by_language); i++)
        for (int t = 0; !strcmp(target + 1, by_language[i][0]) && cutter_names[t]; t++)
            if (!strcmp(cutter_names[t], by_language[i][1]))
                job->config.bleu.tokenize = t;
}

static void pick_format(struct eval_job *job)
{
    struct eval_options *o = &job->options;
    const char *wanted = getenv("SACREBLEU_FORMAT");
    for (int f = FORMAT_JSON; wanted && format_names[f]; f++)
        if (!strcasecmp(wanted, format_names[f]))
            o->format = f;
    if (o->json)
        o->format = FORMAT_JSON;
    if (o->format == FORMAT_AUTO)
        o->format = isatty(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_JSON;
}

static int write_answers(struct strbuf *out, const struct eval_job *job, struct error *err)
{
    const struct eval_options *o = &job->options;
    return eval_answers(out, &(struct answers_request){
        .set = &job->set, .gold_path = job->gold_path, .metrics = job->answer_metrics, .count = job->answer_metrics_count,
        .samples = o->confidence ? o->confidence_n : 0, .seed = job->seed, .threads = o->threads,
        .width = o->width, .score_only = o->score_only, .json = o->format == FORMAT_JSON,
    }, err);
}

static int print_scores(const struct eval_job *job, struct error *err)
{
    struct strbuf out = { 0 };
    if (job->answer_metrics_count) {
        if (write_answers(&out, job, err) < 0) {
            strbuf_release(&out);
            return -1;
        }
    } else if (eval_scores(&out, job, err) < 0) {
        strbuf_release(&out);
        return -1;
    }
    fwrite(out.text, 1, out.length, stdout);
    strbuf_release(&out);
    if (fflush(stdout) || ferror(stdout))
        return error_set(err, "cannot write to standard output: %s", strerror(errno));
    return 0;
}

/* ---- the command ---- */

static bool is_utf8(const char *encoding)
{
    return !encoding || !strcasecmp(encoding, "utf-8") || !strcasecmp(encoding, "utf8");
}

/* The page must not replace what is read. */
static int check_page(const struct eval_options *o, const char *const *refs, int refs_count, struct error *err)
{
    const char *others[] = { o->source, o->training };
    if (files_differ_all(o->html, others, ARRAY_COUNT(others), err) < 0 ||
        files_differ_all(o->html, refs, (size_t)refs_count, err) < 0)
        return -1;
    return files_differ_all(o->html, (const char *const *)o->input.items, o->input.count, err);
}

static int evaluate(struct eval_job *job, const char *const *refs, int refs_count, struct error *err)
{
    const struct eval_options *o = &job->options;
    struct encoding encoding = { is_utf8(o->encoding) ? NULL : o->encoding,
                                 o->bad_utf8 == BAD_UTF8_REPLACE ? UTF8_REPLACE : UTF8_REFUSE };

    if (check_page(o, refs, refs_count, err) < 0)
        return -1;
    job->gold_path = strcmp(refs[0], "-") ? refs[0] : "standard input";
    if (testset_load(&job->set, refs, (size_t)refs_count, o->first_column ? 2 : o->num_refs, o->input.items,
                     o->input.count, encoding, o->threads, err) < 0)
        return -1;
    if (o->sentence_level && job->set.systems_count > 1)
        return error_set(err, "--sentence-level scores one system at a time, but standard input "
                         "has %zu columns divided by tabs", job->set.systems_count);
    if (paired(job) && job->set.systems_count < 2)
        return error_set(err, "a paired test needs two systems or more; standard input has one column");
    if (o->confidence && job->set.systems_count > 1 && !job->answer_metrics_count)
        return error_set(err, "--confidence is for one system, but standard input has %zu columns "
                         "divided by tabs", job->set.systems_count);
    if (job->answer_metrics_count)
        return print_scores(job, err);
    if (job->metrics[0] == metric_find("bleu") && metric_config_open(&job->config, err) < 0)
        return -1;
    if (job->metrics[0] == metric_find("bleu") && !o->force)
        testset_warn_of_tokens(&job->set);
    return print_scores(job, err);
}

/* With the references of sacreBLEU's test set. */
static int evaluate_test_set(struct eval_job *job, struct error *err)
{
    struct strings refs = { 0 };
    int ret = sacrebleu_references(&refs, job->options.test_set, job->options.language_pair, err);
    if (ret == 0)
        ret = evaluate(job, (const char *const *)refs.items, (int)refs.count, err);
    strings_release(&refs);
    return ret;
}

int cmd_eval(const struct command *self, int argc, char **argv)
{
    struct eval_job job = { .self = self };
    const struct option_group groups[] = {
        { NULL, eval_options, &job.options },
        { "BLEU", bleu_options, &job.config.bleu },
        { "chrF", chrf_options, &job.config.chrf },
        { "TER", ter_options, &job.config.ter },
        { "significance", test_options, &job.options },
        { "output", output_options, &job.options },
        { "page", page_options, &job.options },
        { NULL, NULL, NULL },
    };
    const char **refs = xcalloc((size_t)argc, sizeof *refs);
    char **words = eval_words(groups, argc, argv);
    struct error err;
    int refs_count, status;

    options_default(groups);
    status = eval_other_options(self, argc, words);
    if (status < 0)
        status = command_parse(self, groups, argc, words, refs, &refs_count);
    if (status >= 0)
        goto done;
    log_quiet(job.options.quiet);
    if (paired(&job))
        drop_baseline_again(&job.options.input);
    if ((status = pick_metrics(&job)) || (status = check_usage(&job, refs, refs_count)))
        goto done;
    job.options.confidence = job.options.confidence && job.options.confidence_n > 1;
    if (seed_from_environment(&job.seed, &err) < 0) {
        status = command_fail(self, &err);
        goto done;
    }
    pick_format(&job);
    if (!given(argc, words, "--tok") && !given(argc, words, "-tok"))
        pick_tokenizer(&job);
    job.config.bleu.effective_order |= job.options.sentence_level;
    int ret = job.options.test_set ? evaluate_test_set(&job, &err) : evaluate(&job, refs, refs_count, &err);
    status = ret < 0 ? command_fail(self, &err) : 0;
done:
    metric_config_close(&job.config);
    testset_release(&job.set);
    options_release(groups);
    eval_words_free(words);
    free(refs);
    return status;
}
