/* Option tables: every way in (command line, text, JSON) ends in set_text or set_json for one
 * row, so ranges and messages are the same everywhere. */
#include "base/option.h"

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/table.h"

#define EACH_GROUP(g, groups) const struct option_group *g = (groups); g->options; g++
#define EACH_OPTION(o, g) const struct option *o = (g)->options; o->name; o++

static void *field_of(const struct option *o, void *target)
{
    return (char *)target + o->offset;
}

/* ---- ranges ---- */

static bool has_range(const struct option *o)
{
    return o->min != 0 || o->max != 0;
}

/* The shortest text that reads back as the same number; 0.1f says 0.1. */
static void number_text(char *text, size_t room, double value)
{
    if (value == floor(value) && fabs(value) < 1e15) {
        snprintf(text, room, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, room, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

/* "1 … 64", "at least 1" where the upper bound is as good as none. */
static void range_text(char *text, size_t room, const struct option *o)
{
    char low[32], high[32];
    number_text(low, sizeof low, o->min);
    number_text(high, sizeof high, o->max);
    if (o->max >= INT_MAX)
        snprintf(text, room, "at least %s", low);
    else
        snprintf(text, room, "%s … %s", low, high);
}

static int out_of_range(const struct option *o, const char *value, struct error *err)
{
    char range[80];
    range_text(range, sizeof range, o);
    return error_set(err, "option --%s: %s is out of range %s", o->name, value, range);
}

/* A bound such as 0.1 in the table is a double; a float of the same text is compared as such. */
static int check_range(const struct option *o, double value, const char *text, struct error *err)
{
    double min = o->min, max = o->max;
    if (!has_range(o))
        return 0;
    if (o->kind == OPTION_FLOAT) {
        min = (float)min;
        max = (float)max;
    }
    return value < min || value > max ? out_of_range(o, text, err) : 0;
}

/* ---- from text ---- */

static int not_a(const struct option *o, const char *value, const char *what, struct error *err)
{
    return error_set(err, "option --%s: '%s' is not %s", o->name, value, what);
}

static int parse_long(int64_t *out, const struct option *o, const char *text, struct error *err)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || *end || strchr(" \t\n", *text))
        return not_a(o, text, "a whole number", err);
    if (errno == ERANGE || (o->kind == OPTION_INT && (*out < INT_MIN || *out > INT_MAX)))
        return has_range(o) ? out_of_range(o, text, err)
                            : error_set(err, "option --%s: %s is too large", o->name, text);
    return check_range(o, (double)*out, text, err);
}

static int parse_float(float *out, const struct option *o, const char *text, struct error *err)
{
    char *end;
    *out = strtof(text, &end);
    if (end == text || *end || strchr(" \t\n", *text) || isnan(*out))
        return not_a(o, text, "a number", err);
    if (isinf(*out))
        return has_range(o) ? out_of_range(o, text, err)
                            : error_set(err, "option --%s: %s is too large", o->name, text);
    return check_range(o, *out, text, err);
}

/* "300M", "1.5G", "4096"; a B or iB behind the letter is welcome. */
static int parse_size(int64_t *out, const struct option *o, const char *text, struct error *err)
{
    static const char letters[] = "KMGT";
    const char *letter;
    char *end;
    double value = strtod(text, &end);
    bool good = end != text && strspn(text, "0123456789.") == (size_t)(end - text);

    if (good && *end && (letter = strchr(letters, *end >= 'a' ? *end - 'a' + 'A' : *end))) {
        value = ldexp(value, 10 * (int)(letter - letters + 1));
        end++;
        end += *end == 'i';
        end += *end == 'B';
    }
    if (!good || *end)
        return not_a(o, text, "a size; write it as 4096, 300M or 4G", err);
    if (value >= 0x1p63)
        return error_set(err, "option --%s: %s is too large", o->name, text);
    *out = (int64_t)value;
    return check_range(o, value, text, err);
}

static int parse_flag(bool *out, const struct option *o, const char *text, struct error *err)
{
    bool yes = !strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "1");
    if (!yes && strcmp(text, "false") && strcmp(text, "no") && strcmp(text, "0"))
        return not_a(o, text, "true or false", err);
    *out = yes;
    return 0;
}

static void join_names(struct strbuf *b, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        strbuf_printf(b, "%s%s", i ? ", " : "", names[i]);
}

static int parse_choice(int *out, const struct option *o, const char *text, struct error *err)
{
    struct strbuf names = { 0 };
    for (int i = 0; o->choices[i]; i++)
        if (!strcmp(o->choices[i], text)) {
            *out = i;
            return 0;
        }
    join_names(&names, o->choices);
    error_set(err, "option --%s: '%s' is none of %s", o->name, text, names.text);
    strbuf_release(&names);
    return -1;
}

/* Sets one field from text; a list gets the text as one more value. */
static int set_text(const struct option *o, void *field, const char *text, struct error *err)
{
    int64_t number;

    switch (o->kind) {
    case OPTION_FLAG:
        return parse_flag(field, o, text, err);
    case OPTION_INT:
        if (parse_long(&number, o, text, err) < 0)
            return -1;
        *(int *)field = (int)number;
        return 0;
    case OPTION_LONG:
        if (parse_long(&number, o, text, err) < 0)
            return -1;
        *(int64_t *)field = number;
        return 0;
    case OPTION_SIZE:
        if (parse_size(&number, o, text, err) < 0)
            return -1;
        *(int64_t *)field = number;
        return 0;
    case OPTION_FLOAT: {
        float value;
        if (parse_float(&value, o, text, err) < 0)
            return -1;
        *(float *)field = value;
        return 0;
    }
    case OPTION_STRING: {
        char *copy = xstrdup(text);     /* before the old one goes: it may be the same text */
        free(*(char **)field);
        *(char **)field = copy;
        return 0;
    }
    case OPTION_CHOICE:
        return parse_choice(field, o, text, err);
    case OPTION_LIST:
        strings_add(field, text);
        return 0;
    }
    return -1;
}

/* ---- defaults ---- */

static void clear_field(const struct option *o, void *field)
{
    if (o->kind == OPTION_STRING) {
        free(*(char **)field);
        *(char **)field = NULL;
    } else if (o->kind == OPTION_LIST) {
        strings_release(field);
    }
}

static void zero_field(const struct option *o, void *field)
{
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)field = false; break;
    case OPTION_INT: case OPTION_CHOICE: *(int *)field = 0; break;
    case OPTION_LONG: case OPTION_SIZE: *(int64_t *)field = 0; break;
    case OPTION_FLOAT: *(float *)field = 0; break;
    case OPTION_STRING: *(char **)field = NULL; break;
    case OPTION_LIST: *(struct strings *)field = (struct strings){ 0 }; break;
    }
}

/* A default may lie outside the range ("0": off); a default that does not parse is our mistake. */
static void set_default(const struct option *o, void *field)
{
    struct option free_of_range = *o;
    struct error err;

    zero_field(o, field);
    free_of_range.min = free_of_range.max = 0;
    if (o->fallback && set_text(&free_of_range, field, o->fallback, &err) < 0) {
        fprintf(stderr, "coho: a default is wrong: %s\n", err.text);
        abort();
    }
}

void options_default(const struct option_group *groups)
{
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            set_default(o, field_of(o, g->target));
}

void options_release(const struct option_group *groups)
{
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            clear_field(o, field_of(o, g->target));
}

/* ---- names ---- */

const struct option *options_find(const struct option_group *groups, const char *name,
                                  void **target)
{
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            if (!strcmp(o->name, name) || (o->alias && !strcmp(o->alias, name))) {
                if (target)
                    *target = g->target;
                return o;
            }
    return NULL;
}

static const struct option *find_letter(const struct option_group *groups, char letter, void **target)
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

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

#define LONGEST_NAME 64

/* Insertions, deletions, changes and swaps of neighbours (optimal string alignment). */
static size_t edit_distance(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b), cost[3][LONGEST_NAME];     /* row i is cost[i % 3] */

    if (m >= LONGEST_NAME || n >= LONGEST_NAME)
        return SIZE_MAX;
    for (size_t i = 0; i <= m; i++) {
        size_t *row = cost[i % 3], *above = cost[(i + 2) % 3], *two_above = cost[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            if (i == 0) {
                row[j] = j;
                continue;
            }
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]
                && two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return cost[m % 3][n];
}

/* Near is a third of the letters, at least one; or a name that goes on where `name` stops. */
const char *nearest_name(const char *name, const char *const *known, size_t count)
{
    const char *best = NULL;
    size_t length = strlen(name), best_distance = length / 3 > 1 ? length / 3 : 1;

    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(name, known[i]);
        if (distance <= best_distance && (!best || distance < best_distance)) {
            best = known[i];
            best_distance = distance;
        }
    }
    for (size_t i = 0; !best && length >= 3 && i < count; i++)
        if (!strncmp(name, known[i], length))
            best = known[i];
    return best;
}

static const char *nearest_option(const struct option_group *groups, const char *name, bool flags_only)
{
    const char **known = NULL;
    const char *near;
    size_t count = 0, room = 0;

    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g)) {
            if (flags_only && o->kind != OPTION_FLAG)
                continue;
            known = array_grow(known, &room, count + 1, sizeof *known);
            known[count++] = o->name;
        }
    near = nearest_name(name, known, count);
    free(known);
    return near;
}

static int unknown(const struct option_group *groups, const char *kind, const char *dashes,
                   const char *name, struct error *err)
{
    bool negated = *dashes && !strncmp(name, "no-", 3);
    const char *near = nearest_option(groups, name, false), *no = "";
    if (!near && negated) {
        near = nearest_option(groups, name + 3, true);
        no = "no-";
    }
    if (near)
        return error_set(err, "unknown %s '%s%s', did you mean '%s%s%s'?", kind, dashes, name,
                         dashes, no, near);
    return error_set(err, "unknown %s '%s%s'", kind, dashes, name);
}

/* ---- the command line ---- */

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

static int read_list(struct command_line *line, const struct option *o, void *field,
                     const char *value, bool first)
{
    if (first)
        strings_release(field);
    if (value)
        return set_text(o, field, value, line->err);
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
    void *field = field_of(o, target);
    bool first = note_named(line, o);

    if (o->kind == OPTION_LIST)
        return read_list(line, o, field, value, first);
    if (o->kind == OPTION_FLAG && !value) {
        *(bool *)field = true;
        return 0;
    }
    if (!value && next_value(line, o, &value) < 0)
        return -1;
    return set_text(o, field, value, line->err);
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
    } else if (!strncmp(name, "no-", 3) && !value && (o = options_find(line->groups, name + 3, &target))
               && o->kind == OPTION_FLAG) {
        note_named(line, o);
        *(bool *)field_of(o, target) = false;
        ret = 0;
    } else {
        ret = unknown(line->groups, "option", "--", name, line->err);
    }
    free(name);
    return ret;
}

/* Long names with one dash, such as sacreBLEU's -tok and -lc. */
static bool is_long_name(const struct command_line *line, const char *word)
{
    char *name = xstrndup(word, strcspn(word, "="));
    bool known = options_find(line->groups, name, NULL) != NULL;
    free(name);
    return known;
}

/* -m value, -mvalue, -m=value; flags one by one. */
static int read_letter(struct command_line *line, const char *word)
{
    void *target = NULL;
    const struct option *o = find_letter(line->groups, word[0], &target);
    const char *value = word[1] == '=' ? word + 2 : word[1] ? word + 1 : NULL;

    if (word[1] && is_long_name(line, word))
        return read_long_option(line, word);
    if (!o || (o->kind == OPTION_FLAG && value))
        return unknown(line->groups, "option", "-", word, line->err);
    return read_option(line, o, target, value);
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
            ret = read_letter(line, word + 1);
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

/* ---- from and to JSON ---- */

int options_set(const struct option_group *groups, const char *name, const char *value,
                struct error *err)
{
    void *target = NULL;
    const struct option *o = options_find(groups, name, &target);
    if (!o)
        return unknown(groups, "option", "", name, err);
    if (o->kind == OPTION_LIST)
        strings_release(field_of(o, target));
    return set_text(o, field_of(o, target), value, err);
}

/* Text for a JSON scalar, as the command line would say it; NULL for what is no scalar. */
static char *scalar_text(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: return xstrdup(json_string_value(value));
    case JSON_INTEGER: return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL: {
        char text[40];
        number_text(text, sizeof text, json_real_value(value));
        return xstrdup(text);
    }
    case JSON_TRUE: return xstrdup("true");
    case JSON_FALSE: return xstrdup("false");
    default: return NULL;
    }
}

static const char *kind_text(enum option_kind kind)
{
    switch (kind) {
    case OPTION_FLAG: return "true or false";
    case OPTION_INT: case OPTION_LONG: return "a whole number";
    case OPTION_FLOAT: return "a number";
    case OPTION_SIZE: return "a size such as 300M";
    case OPTION_LIST: return "a text or a list of texts";
    default: return "a text";
    }
}

static bool fits(enum option_kind kind, const json_t *value)
{
    switch (kind) {
    case OPTION_FLAG: return json_is_boolean(value);
    case OPTION_INT: case OPTION_LONG: return json_is_integer(value);
    case OPTION_FLOAT: return json_is_number(value);
    case OPTION_SIZE: return json_is_number(value) || json_is_string(value);
    case OPTION_CHOICE: return !json_is_object(value) && !json_is_array(value) && !json_is_null(value);
    default: return json_is_string(value) || json_is_number(value);
    }
}

static int wrong_type(const struct option *o, const json_t *value, struct error *err)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    error_set(err, "option --%s: %.80s is not %s", o->name, text ? text : "the value", kind_text(o->kind));
    free(text);
    return -1;
}

static int set_scalar(const struct option *o, void *field, const json_t *value, struct error *err)
{
    char *text = fits(o->kind, value) ? scalar_text(value) : NULL;
    int ret;
    if (!text)
        return wrong_type(o, value, err);
    ret = set_text(o, field, text, err);
    free(text);
    return ret;
}

/* A list may be given as a single value. */
static int set_list(const struct option *o, void *field, const json_t *value, struct error *err)
{
    struct strings fresh = { 0 };
    size_t count = json_is_array(value) ? json_array_size(value) : 1;

    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (set_scalar(o, &fresh, item, err) < 0) {
            strings_release(&fresh);
            return -1;
        }
    }
    strings_release(field);
    *(struct strings *)field = fresh;
    return 0;
}

static int set_json(const struct option *o, void *field, const json_t *value, struct error *err)
{
    if (json_is_null(value) && (o->kind == OPTION_STRING || o->kind == OPTION_LIST)) {
        clear_field(o, field);
        return 0;
    }
    return o->kind == OPTION_LIST ? set_list(o, field, value, err) : set_scalar(o, field, value, err);
}

int options_set_json(const struct option_group *groups, const char *name, const json_t *value,
                     struct error *err)
{
    void *target = NULL;
    const struct option *o = options_find(groups, name, &target);
    if (!o)
        return unknown(groups, "key", "", name, err);
    return set_json(o, field_of(o, target), value, err);
}

int options_from_json(const struct option_group *groups, const json_t *object, struct error *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return error_set(err, "a mapping of options is wanted");
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        if (options_set_json(groups, name, value, err) < 0)
            return -1;
    return 0;
}

/* The float 0.1 as the double 0.1, so that files say what the user said. */
static json_t *float_json(float value)
{
    char text[40];
    for (int digits = 1; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    return json_real(strtod(text, NULL));
}

static json_t *list_json(const struct strings *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static json_t *field_json(const struct option *o, const void *field)
{
    switch (o->kind) {
    case OPTION_FLAG: return json_boolean(*(const bool *)field);
    case OPTION_INT: return json_integer(*(const int *)field);
    case OPTION_LONG: case OPTION_SIZE: return json_integer(*(const int64_t *)field);
    case OPTION_FLOAT: return float_json(*(const float *)field);
    case OPTION_CHOICE: return json_string(o->choices[*(const int *)field]);
    case OPTION_LIST: return list_json(field);
    case OPTION_STRING: break;
    }
    const char *text = *(char *const *)field;
    return text ? json_string(text) : json_null();
}

json_t *options_to_json(const struct option_group *groups)
{
    json_t *object = json_object();
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g))
            json_object_set_new(object, o->name, field_json(o, field_of(o, g->target)));
    return object;
}

/* ---- help ---- */

static const char *value_name(enum option_kind kind)
{
    switch (kind) {
    case OPTION_FLAG: return "";
    case OPTION_INT: case OPTION_LONG: return " N";
    case OPTION_FLOAT: return " X";
    case OPTION_SIZE: return " SIZE";
    case OPTION_CHOICE: return " NAME";
    case OPTION_LIST: return " TEXT …";
    default: return " TEXT";
    }
}

static void add_left(struct strbuf *b, const struct option *o)
{
    bool on = o->kind == OPTION_FLAG && o->fallback && !strcmp(o->fallback, "true");
    if (o->letter)
        strbuf_printf(b, "  -%c, ", o->letter);
    else
        strbuf_puts(b, "      ");
    strbuf_printf(b, "--%s%s%s", on ? "no-" : "", o->name, value_name(o->kind));
    if (o->alias)
        strbuf_printf(b, ", -%s", o->alias);
}

/* " (choices; range; default X)" */
static void add_facts(struct strbuf *b, const struct option *o)
{
    const char *between = " (";
    if (o->kind == OPTION_CHOICE) {
        strbuf_puts(b, between);
        join_names(b, o->choices);
        between = "; ";
    }
    if (has_range(o) && o->kind != OPTION_CHOICE) {
        char range[80];
        range_text(range, sizeof range, o);
        strbuf_printf(b, "%s%s", between, range);
        between = "; ";
    }
    if (o->required) {
        strbuf_printf(b, "%srequired", between);
        between = "; ";
    } else if (o->fallback && *o->fallback && o->kind != OPTION_FLAG) {
        strbuf_printf(b, "%sdefault %s", between, o->fallback);
        between = "; ";
    }
    if (between[0] == ';')
        strbuf_putc(b, ')');
}

#define HELP_WIDTH 100
#define WIDEST_LEFT 32

/* Words of `text` between column `indent` and HELP_WIDTH. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    int column = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        char *word = xstrndup(text, length);
        int width = text_columns(word);
        if (column > indent && column + 1 + width > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        fprintf(out, "%s%s", column > indent ? " " : "", word);
        column += width + (column > indent);
        free(word);
        text += length;
        text += strspn(text, " ");
    }
    putc('\n', out);
}

static void print_option(FILE *out, const struct option *o, int column)
{
    struct strbuf left = { 0 }, right = { 0 };
    int width;

    add_left(&left, o);
    strbuf_puts(&right, o->help);
    add_facts(&right, o);
    width = text_columns(left.text);
    if (width + 2 > column)
        fprintf(out, "%s\n%*s", left.text, column, "");
    else
        fprintf(out, "%s%*s", left.text, column - width, "");
    print_wrapped(out, right.text, column);
    strbuf_release(&left);
    strbuf_release(&right);
}

static int help_column(const struct option_group *groups)
{
    int widest = 0;
    for (EACH_GROUP(g, groups))
        for (EACH_OPTION(o, g)) {
            struct strbuf left = { 0 };
            add_left(&left, o);
            int width = text_columns(left.text);
            if (width > widest && width <= WIDEST_LEFT)
                widest = width;
            strbuf_release(&left);
        }
    return widest + 2;
}

void options_help(FILE *out, const struct option_group *groups)
{
    int column = help_column(groups);
    for (EACH_GROUP(g, groups)) {
        fprintf(out, "%s%s:\n", g == groups ? "" : "\n", g->title ? g->title : "options");
        for (EACH_OPTION(o, g))
            print_option(out, o, column);
    }
}
