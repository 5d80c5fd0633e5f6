/* The command line: words into fields.  Every way in ends in row_set_text, so ranges and
 * messages are the same as in recipes. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/option_row.h"
#include "base/strbuf.h"

struct command_line {
    const struct option_group *groups;
    int argc, at;
    char **argv;
    /* Lists that were named: the first naming drops the default, the next ones add. */
    const struct option **named;
    size_t named_count, named_room;
    struct error *err;
};

/* Notes that the option was given; true the first time. */
static bool note_named(struct command_line *line, const struct option *o)
{
    for (size_t i = 0; i < line->named_count; i++)
        if (line->named[i] == o)
            return false;
    line->named = array_grow(line->named, &line->named_room, line->named_count + 1,
                             sizeof *line->named);
    line->named[line->named_count++] = o;
    return true;
}

/* A word that a list may take: anything but an option; "-" is standard input, "-1" a number. */
static bool is_value(const char *word)
{
    return word[0] != '-' || word[1] == '\0' || strchr("0123456789.", word[1]);
}

/* The next word, for an option that takes one. */
static int next_value(struct command_line *line, const struct option *o, const char **value)
{
    const char *word = line->at < line->argc ? line->argv[line->at] : NULL;
    if (!word || !strcmp(word, "--"))
        return error_set(line->err, "option --%s needs a value", o->name);
    if (!is_value(word))
        return error_set(line->err, "option --%s needs a value, but '%s' follows; if that is the "
                         "value, write --%s=%s", o->name, word, o->name, word);
    *value = word;
    line->at++;
    return 0;
}

static int set_field(struct command_line *line, const struct option *o, void *field, const char *value)
{
    return row_set_text(o, field, value, line->err) < 0 ? error_prefix(line->err, "option --%s", o->name) : 0;
}

static int read_list(struct command_line *line, const struct option *o, void *field,
                     const char *value, bool first)
{
    if (first)
        strings_release(field);
    if (value)
        return set_field(line, o, field, value);
    if (next_value(line, o, &value) < 0)
        return -1;
    strings_add(field, value);
    while (line->at < line->argc && is_value(line->argv[line->at]))
        strings_add(field, line->argv[line->at++]);
    return 0;
}

/* `value` is what stood behind '=', or NULL. */
static int read_option(struct command_line *line, const struct option *o, void *target,
                       const char *value)
{
    void *field = row_field(o, target);
    bool first = note_named(line, o);

    if (o->kind == OPTION_LIST)
        return read_list(line, o, field, value, first);
    if (o->kind == OPTION_FLAG && !value) {
        *(bool *)field = true;
        return 0;
    }
    if (!value && next_value(line, o, &value) < 0)
        return -1;
    return set_field(line, o, field, value);
}

/* The flag that "no-NAME" turns off. */
static const struct option *find_negated(const struct option_group *groups, const char *name,
                                         void **target)
{
    const struct option *o = strncmp(name, "no-", 3) ? NULL : options_find(groups, name + 3, target);
    return o && o->kind == OPTION_FLAG ? o : NULL;
}

static int read_long_option(struct command_line *line, const char *word)
{
    size_t length = strcspn(word, "=");
    const char *value = word[length] ? word + length + 1 : NULL;
    char *name = xstrndup(word, length);
    void *target = NULL;
    const struct option *o = options_find(line->groups, name, &target);
    int ret;

    if (o) {
        ret = read_option(line, o, target, value);
    } else if (!value && (o = find_negated(line->groups, name, &target))) {
        note_named(line, o);
        *(bool *)row_field(o, target) = false;
        ret = 0;
    } else {
        ret = unknown_option(line->groups, "option", "--", name, line->err);
    }
    free(name);
    return ret;
}

static const struct option *find_letter(const struct option_group *groups, char letter,
                                        void **target)
{
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            if (o->letter && o->letter == letter) {
                if (target)
                    *target = g->target;
                return o;
            }
    return NULL;
}

/* Long names with one dash, such as sacreBLEU's -tok and -lc. */
static bool is_long_name(const struct command_line *line, const char *word)
{
    char *name = xstrndup(word, strcspn(word, "="));
    bool known = options_find(line->groups, name, NULL) != NULL;
    free(name);
    return known;
}

/* Whether letters stand for options: flags, of which the last may be another one with its value. */
static bool is_bundle(const struct command_line *line, const char *word)
{
    const struct option *o = NULL;
    for (; *word; word++)
        if (!(o = find_letter(line->groups, *word, NULL)) || o->kind != OPTION_FLAG)
            break;
    return o;
}

/* -m value, -mvalue, -m=value; -qb is -q -b, and -bw2 is -b -w 2. */
static int read_letters(struct command_line *line, const char *word)
{
    if (word[1] && is_long_name(line, word))
        return read_long_option(line, word);
    if (!is_bundle(line, word))
        return unknown_option(line->groups, "option", "-", word, line->err);
    for (; *word; word++) {
        void *target = NULL;
        const struct option *o = find_letter(line->groups, *word, &target);
        bool flag = o->kind == OPTION_FLAG;
        const char *value = flag || !word[1] ? NULL : word[1] == '=' ? word + 2 : word + 1;
        if (read_option(line, o, target, value) < 0)
            return -1;
        if (!flag)
            break;
    }
    return 0;
}

static int check_required(struct command_line *line)
{
    for (EACH_GROUP(g, line->groups))
        for (EACH_OPTION(o, g))
            if (o->required && note_named(line, o))
                return error_set(line->err, "option --%s is missing: %s", o->name, o->help);
    return 0;
}

static bool is_short_help(const struct command_line *line, const char *word)
{
    return !strcmp(word, "-h") && !find_letter(line->groups, 'h', NULL);
}

static int read_words(struct command_line *line, const char **rest, int *rest_count, bool *help)
{
    bool ended = false;
    while (line->at < line->argc) {
        const char *word = line->argv[line->at++];
        int ret = 0;
        if (ended || word[0] != '-' || !word[1]) {
            rest[(*rest_count)++] = word;
        } else if (!strcmp(word, "--")) {
            ended = true;
        } else if (!strcmp(word, "--help") || is_short_help(line, word)) {
            *help = true;
            return 0;
        } else if (word[1] == '-') {
            ret = read_long_option(line, word + 2);
        } else {
            ret = read_letters(line, word + 1);
        }
        if (ret < 0)
            return -1;
    }
    return check_required(line);
}

int options_parse(const struct option_group *groups, int argc, char **argv,
                  const char **rest, int *rest_count, bool *help, struct error *err)
{
    struct command_line line = { .groups = groups, .argc = argc, .at = 1, .argv = argv, .err = err };
    int ret;

    *rest_count = 0;
    *help = false;
    ret = read_words(&line, rest, rest_count, help);
    free(line.named);
    return ret;
}
