#include "tests/test.h"

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/strbuf.h"

struct config {
    bool lower, cache;
    int beam, task;
    int64_t seed, memory;
    float alpha, rate;
    char *model, *suffix;
    struct strings input, metric;
};

static const char *const tasks[] = { "translate", "tag", "classify", NULL };

#define FIELD(member) offsetof(struct config, member)
static const struct option search_options[] = {
    { "beam", OPTION_INT, FIELD(beam), "4", 1, 64, "hypotheses kept per sentence" },
    { "alpha", OPTION_FLOAT, FIELD(alpha), "0.6", 0.1, 2, "length penalty" },
    { "cache", OPTION_FLAG, FIELD(cache), "true", .help = "keep keys and values" },
    { "rate", OPTION_FLOAT, FIELD(rate), "0", 1e-6, 1, "learning rate; 0 chooses" },
    { 0 }
};
static const struct option file_options[] = {
    { "model", OPTION_STRING, FIELD(model), NULL, .help = "model folder", .letter = 'm' },
    { "suffix", OPTION_STRING, FIELD(suffix), "de", .help = "language" },
    { "lower-case", OPTION_FLAG, FIELD(lower), NULL, .help = "ignore case", .letter = 'l', .alias = "lc" },
    { "seed", OPTION_LONG, FIELD(seed), "1", .help = "random seed" },
    { "task", OPTION_CHOICE, FIELD(task), "translate", .help = "what to do", .choices = tasks, .alias = "tk" },
    { "input", OPTION_LIST, FIELD(input), NULL, .help = "files", .letter = 'i' },
    { "metric", OPTION_LIST, FIELD(metric), "bleu", .help = "measures" },
    { "memory", OPTION_SIZE, FIELD(memory), "300M", .help = "bytes to use" },
    { 0 }
};

struct parsed {
    struct config config;
    struct option_group groups[3];
    const char *rest[32];
    int rest_count, status;
    bool help;
    struct error err;
};

/* Parses the words of one line, split at blanks. */
static void parse(struct parsed *p, const char *line)
{
    static char words[1000];
    char *argv[32] = { (char[]){ "coho" } };
    int argc = 1;

    *p = (struct parsed){ .groups = { { "search", search_options, NULL }, { NULL, file_options, NULL } } };
    p->groups[0].target = p->groups[1].target = &p->config;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    options_default(p->groups);
    p->status = options_parse(p->groups, argc, argv, p->rest, &p->rest_count, &p->help, &p->err);
}

static void release(struct parsed *p)
{
    options_release(p->groups);
}

/* Every setting as one line of JSON, without those that have their default. */
static char *settings(struct parsed *p)
{
    struct parsed plain;
    parse(&plain, "");
    json_t *now = options_to_json(p->groups), *before = options_to_json(plain.groups), *value;
    const char *name;
    void *next;
    json_object_foreach_safe(now, next, name, value)
        if (json_equal(value, json_object_get(before, name)))
            json_object_del(now, name);
    char *text = json_dumps(now, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(now);
    json_decref(before);
    release(&plain);
    return text;
}

static void every_form_is_understood(void **state)
{
    static const struct { const char *line, *settings; } cases[] = {
        { "", "{}" },
        { "--beam 8", "{\"beam\":8}" },
        { "--beam=8", "{\"beam\":8}" },
        { "--beam 8 --beam 2", "{\"beam\":2}" },
        { "-m run/teacher", "{\"model\":\"run/teacher\"}" },
        { "-mrun", "{\"model\":\"run\"}" },
        { "-m=run", "{\"model\":\"run\"}" },
        { "--model=", "{\"model\":\"\"}" },
        { "--model=--odd", "{\"model\":\"--odd\"}" },
        { "--model=a=b", "{\"model\":\"a=b\"}" },
        { "-m -", "{\"model\":\"-\"}" },
        { "--seed -7", "{\"seed\":-7}" },
        { "--seed 9000000000", "{\"seed\":9000000000}" },
        { "--no-cache", "{\"cache\":false}" },
        { "--cache", "{}" },
        { "--no-cache --cache", "{}" },
        { "--cache=false", "{\"cache\":false}" },
        { "-l", "{\"lower-case\":true}" },
        { "-lc", "{\"lower-case\":true}" },
        { "--lc", "{\"lower-case\":true}" },
        { "--lower-case --no-lower-case", "{}" },
        { "-lm run", "{\"model\":\"run\",\"lower-case\":true}" },
        { "-lmrun", "{\"model\":\"run\",\"lower-case\":true}" },
        { "-lm=run", "{\"model\":\"run\",\"lower-case\":true}" },
        { "-ll", "{\"lower-case\":true}" },
        { "-tk tag", "{\"task\":\"tag\"}" },
        { "--task=classify", "{\"task\":\"classify\"}" },
        { "--alpha 1", "{\"alpha\":1.0}" },
        { "--alpha .5", "{\"alpha\":0.5}" },
        { "--rate 0", "{}" },
        { "--rate 0.5 --rate 0", "{}" },
        { "--alpha 1e-1", "{\"alpha\":0.1}" },
        { "--memory 4096", "{\"memory\":4096}" },
        { "--memory 4K", "{\"memory\":4096}" },
        { "--memory 4k", "{\"memory\":4096}" },
        { "--memory 1.5G", "{\"memory\":1610612736}" },
        { "--memory 2GiB", "{\"memory\":2147483648}" },
        { "--memory 1TB", "{\"memory\":1099511627776}" },
        { "-i a b c", "{\"input\":[\"a\",\"b\",\"c\"]}" },
        { "-i a --beam 2 -i b", "{\"beam\":2,\"input\":[\"a\",\"b\"]}" },
        { "-i a - b", "{\"input\":[\"a\",\"-\",\"b\"]}" },
        { "--input=a --input=b", "{\"input\":[\"a\",\"b\"]}" },
        { "--metric chrf ter", "{\"metric\":[\"chrf\",\"ter\"]}" },
        { "--metric chrf --metric ter", "{\"metric\":[\"chrf\",\"ter\"]}" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct parsed p;
        parse(&p, cases[i].line);
        if (p.status < 0)
            fail_msg("%s: %s", cases[i].line, p.err.text);
        char *text = settings(&p);
        assert_string_equal(text, cases[i].settings);
        assert_int_equal(p.rest_count, 0);
        free(text);
        release(&p);
    }
}

static void mistakes_are_told(void **state)
{
    static const struct { const char *line, *message; } cases[] = {
        { "--beam 0", "option --beam: 0 is out of range 1 … 64" },
        { "--beam 65", "option --beam: 65 is out of range 1 … 64" },
        { "--beam 99999999999999999999", "option --beam: 99999999999999999999 is out of range 1 … 64" },
        { "--beam 3000000000", "option --beam: 3000000000 is out of range 1 … 64" },
        { "--beam 4x", "option --beam: '4x' is not a whole number" },
        { "--beam 4.0", "option --beam: '4.0' is not a whole number" },
        { "--beam=", "option --beam: '' is not a whole number" },
        { "--beam", "option --beam needs a value" },
        { "--beam --", "option --beam needs a value" },
        { "--beam --cache", "option --beam needs a value, but '--cache' follows; if that is the value, "
                            "write --beam=--cache" },
        { "--alpha 0", "option --alpha: 0 is out of range 0.1 … 2" },
        { "--rate -1", "option --rate: -1 is out of range 1e-06 … 1" },
        { "--alpha nan", "option --alpha: 'nan' is not a number" },
        { "--alpha inf", "option --alpha: inf is out of range 0.1 … 2" },
        { "--alpha x", "option --alpha: 'x' is not a number" },
        { "--seed 9223372036854775808", "option --seed: 9223372036854775808 is too large" },
        { "--memory 4X", "option --memory: '4X' is not a size; write it as 4096, 300M or 4G" },
        { "--memory -4", "option --memory: '-4' is not a size; write it as 4096, 300M or 4G" },
        { "--memory 4Mx", "option --memory: '4Mx' is not a size; write it as 4096, 300M or 4G" },
        { "--memory 99999999T", "option --memory: 99999999T is too large" },
        { "--task sing", "option --task: 'sing' is none of translate, tag, classify" },
        { "--cache=maybe", "option --cache: 'maybe' is not true or false" },
        { "--baem 4", "unknown option '--baem', did you mean '--beam'?" },
        { "--lowercase", "unknown option '--lowercase', did you mean '--lower-case'?" },
        { "--no-cahce", "unknown option '--no-cahce', did you mean '--no-cache'?" },
        { "--no-beam", "unknown option '--no-beam'" },
        { "--mem 3", "unknown option '--mem', did you mean '--memory'?" },
        { "--xyzzy", "unknown option '--xyzzy'" },
        { "-z", "unknown option '-z'" },
        { "-lz", "unknown option '-lz'" },
        { "-l=x", "unknown option '-l=x'" },
        { "-lm", "option --model needs a value" },
        { "-i", "option --input needs a value" },
        { "-i -m x", "option --input needs a value, but '-m' follows; if that is the value, write --input=-m" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct parsed p;
        parse(&p, cases[i].line);
        assert_int_equal(p.status, -1);
        assert_string_equal(p.err.text, cases[i].message);
        release(&p);
    }
}

static void beginning_of_one_name_alone_is_completed(void **state)
{
    struct parsed p;
    parse(&p, "");
    assert_string_equal(options_complete(p.groups, "be"), "beam");
    assert_string_equal(options_complete(p.groups, "mem"), "memory");
    assert_string_equal(options_complete(p.groups, "model"), "model");
    assert_null(options_complete(p.groups, "me"));              /* memory, metric */
    assert_null(options_complete(p.groups, "beams"));
    release(&p);
}

static void words_that_are_no_options_stay_in_order(void **state)
{
    struct parsed p;
    parse(&p, "one --beam 2 two - -- --three -4");
    assert_int_equal(p.status, 0);
    assert_int_equal(p.rest_count, 5);
    static const char *const expected[] = { "one", "two", "-", "--three", "-4" };
    for (int i = 0; i < 5; i++)
        assert_string_equal(p.rest[i], expected[i]);
    assert_int_equal(p.config.beam, 2);
    release(&p);
}

static void help_stops_at_once(void **state)
{
    struct parsed p;
    parse(&p, "--beam 2 --help --nonsense");
    assert_int_equal(p.status, 0);
    assert_true(p.help);
    release(&p);
    parse(&p, "-h");
    assert_true(p.help);
    release(&p);
    parse(&p, "-- --help");
    assert_false(p.help);
    release(&p);
}

static void missing_required_option_is_told(void **state)
{
    static const struct option options[] = {
        { "model", OPTION_STRING, FIELD(model), NULL, .help = "model folder", .required = true }, { 0 }
    };
    struct config config;
    const struct option_group groups[] = { { NULL, options, &config }, { 0 } };
    const char *rest[4];
    int rest_count;
    bool help;
    struct error err;
    char *none[] = { (char[]){ "x" } }, *given[] = { (char[]){ "x" }, (char[]){ "--model=y" } };
    char *asked[] = { (char[]){ "x" }, (char[]){ "--help" } };

    options_default(groups);
    assert_int_equal(options_parse(groups, 1, none, rest, &rest_count, &help, &err), -1);
    assert_string_equal(err.text, "option --model is missing: model folder");
    assert_int_equal(options_parse(groups, 2, asked, rest, &rest_count, &help, &err), 0);
    assert_int_equal(options_parse(groups, 2, given, rest, &rest_count, &help, &err), 0);
    assert_string_equal(config.model, "y");
    options_release(groups);
}

static void json_sets_what_the_command_line_sets(void **state)
{
    static const struct { const char *json, *settings; } cases[] = {
        { "{}", "{}" },
        { "{\"beam\":8,\"cache\":false}", "{\"beam\":8,\"cache\":false}" },
        { "{\"alpha\":1,\"rate\":0.0003}", "{\"alpha\":1.0,\"rate\":0.0003}" },
        { "{\"memory\":\"4K\"}", "{\"memory\":4096}" },
        { "{\"memory\":4096}", "{\"memory\":4096}" },
        { "{\"task\":\"tag\",\"model\":\"m\",\"suffix\":null}", "{\"model\":\"m\",\"suffix\":null,\"task\":\"tag\"}" },
        { "{\"input\":[\"a\",\"b\"],\"metric\":\"chrf\"}", "{\"input\":[\"a\",\"b\"],\"metric\":[\"chrf\"]}" },
        { "{\"metric\":[]}", "{\"metric\":[]}" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct parsed p;
        parse(&p, "");
        json_t *object = json_loads(cases[i].json, 0, NULL);
        if (options_from_json(p.groups, object, &p.err) < 0)
            fail_msg("%s: %s", cases[i].json, p.err.text);
        char *text = settings(&p);
        assert_string_equal(text, cases[i].settings);
        free(text);
        json_decref(object);
        release(&p);
    }
}

static void bad_json_is_told(void **state)
{
    static const struct { const char *json, *message; } cases[] = {
        { "{\"baem\":8}", "unknown key 'baem', did you mean 'beam'?" },
        { "{\"beam\":\"8\"}", "key 'beam': \"8\" is not a whole number" },
        { "{\"beam\":0}", "key 'beam': 0 is out of range 1 … 64" },
        { "{\"beam\":4.5}", "key 'beam': 4.5 is not a whole number" },
        { "{\"cache\":1}", "key 'cache': 1 is not true or false" },
        { "{\"alpha\":[1]}", "key 'alpha': [1] is not a number" },
        { "{\"model\":{\"a\":1}}", "key 'model': {\"a\":1} is not a text" },
        { "{\"input\":[\"a\",[]]}", "key 'input': [] is not a text or a list of texts" },
        { "{\"task\":\"x\"}", "key 'task': 'x' is none of translate, tag, classify" },
        { "[1]", "a mapping of options is wanted" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct parsed p;
        parse(&p, "-i kept");
        json_t *object = json_loads(cases[i].json, 0, NULL);
        assert_int_equal(options_from_json(p.groups, object, &p.err), -1);
        assert_string_equal(p.err.text, cases[i].message);
        assert_int_equal(p.config.input.count, 1);
        json_decref(object);
        release(&p);
    }
}

static void json_of_settings_gives_them_back(void **state)
{
    struct parsed a, b;
    parse(&a, "--beam 7 --alpha 0.3 --no-cache -m x -i a b --memory 5G --task tag --seed -3");
    json_t *object = options_to_json(a.groups);
    parse(&b, "");
    assert_int_equal(options_from_json(b.groups, object, &b.err), 0);
    json_t *again = options_to_json(b.groups);
    assert_true(json_equal(object, again));
    assert_true(json_real_value(json_object_get(object, "alpha")) == 0.3);
    assert_true(a.config.rate == b.config.rate);
    json_decref(object);
    json_decref(again);
    release(&a);
    release(&b);
}

static void one_option_is_set_by_name(void **state)
{
    struct parsed p;
    parse(&p, "");
    assert_int_equal(options_set(p.groups, "beam", "9", &p.err), 0);
    assert_int_equal(p.config.beam, 9);
    assert_int_equal(options_set(p.groups, "metric", "ter", &p.err), 0);
    assert_int_equal(p.config.metric.count, 1);
    assert_string_equal(p.config.metric.items[0], "ter");
    assert_int_equal(options_set(p.groups, "suffix", p.config.suffix, &p.err), 0);
    assert_string_equal(p.config.suffix, "de");
    assert_int_equal(options_set(p.groups, "bean", "9", &p.err), -1);
    assert_string_equal(p.err.text, "unknown option 'bean', did you mean 'beam'?");
    release(&p);
}

static void help_shows_default_range_and_choices(void **state)
{
    struct parsed p;
    char *text = NULL;
    size_t length;
    parse(&p, "");
    FILE *out = open_memstream(&text, &length);
    options_help(out, p.groups);
    fclose(out);
    static const char *const wanted[] = {
        "search:\n", "\noptions:\n",
        "      --beam N           hypotheses kept per sentence (1 … 64; default 4)\n",
        "      --[no-]cache       keep keys and values (default on)\n",
        "  -m, --model TEXT       model folder\n",
        "  -l, --lower-case, -lc  ignore case\n",
        "      --task NAME, -tk   what to do (translate, tag, classify; default translate)\n",
        "  -i, --input TEXT …     files\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        if (!strstr(text, wanted[i]))
            fail_msg("'%s' is not in\n%s", wanted[i], text);
    free(text);
    release(&p);
}

static void long_help_is_wrapped_under_itself(void **state)
{
    static const struct option options[] = {
        { "beam", OPTION_INT, FIELD(beam), "4", 1, 64,
          "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen" },
        { 0 }
    };
    struct config config;
    const struct option_group groups[] = { { NULL, options, &config }, { 0 } };
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    options_help(out, groups);
    fclose(out);
    assert_string_equal(text,
        "options:\n"
        "      --beam N  one two three four five six seven eight nine ten eleven twelve thirteen fourteen\n"
        "                fifteen sixteen (1 … 64; default 4)\n");
    free(text);
}

static void nearest_names_are_near(void **state)
{
    static const char *const known[] = { "train", "translate", "tokenize", "eval", "distill" };
    static const struct { const char *name, *near; } cases[] = {
        { "trian", "train" }, { "trai", "train" }, { "trains", "train" }, { "tokenise", "tokenize" },
        { "evla", "eval" }, { "evall", "eval" }, { "dist", "distill" }, { "zzz", NULL }, { "", NULL },
        { "transalte", "translate" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *near = nearest_name(cases[i].name, known, ARRAY_COUNT(known));
        if (cases[i].near)
            assert_string_equal(near, cases[i].near);
        else
            assert_null(near);
    }
    char endless[500];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(nearest_name(endless, known, ARRAY_COUNT(known)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_understood),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(beginning_of_one_name_alone_is_completed),
        cmocka_unit_test(words_that_are_no_options_stay_in_order),
        cmocka_unit_test(help_stops_at_once),
        cmocka_unit_test(missing_required_option_is_told),
        cmocka_unit_test(json_sets_what_the_command_line_sets),
        cmocka_unit_test(bad_json_is_told),
        cmocka_unit_test(json_of_settings_gives_them_back),
        cmocka_unit_test(one_option_is_set_by_name),
        cmocka_unit_test(help_shows_default_range_and_choices),
        cmocka_unit_test(long_help_is_wrapped_under_itself),
        cmocka_unit_test(nearest_names_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
