/* One option: text or JSON into its field, with one set of ranges and messages, and back. */
#include "base/option_row.h"

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/course.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"

void *row_field(const struct option *o, void *target)
{
    return (char *)target + o->offset;
}

/* ---- ranges ---- */

bool row_has_range(const struct option *o)
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

void row_range(char *text, size_t room, const struct option *o)
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
    row_range(range, sizeof range, o);
    return error_set(err, "%s is out of range %s", value, range);
}

/* A default outside the range ("0": off) may also be given, and read back from a file. */
static bool is_default(const struct option *o, double value)
{
    char *end;
    double fallback = o->fallback ? strtod(o->fallback, &end) : 0;
    return o->fallback && end != o->fallback && !*end
        && (fallback == value || (o->kind == OPTION_FLOAT && (float)fallback == value));
}

/* A bound such as 0.1 in the table is a double; a float of the same text is compared as such. */
static int check_range(const struct option *o, double value, const char *text, struct error *err)
{
    double min = o->min, max = o->max;
    if (!row_has_range(o))
        return 0;
    if (o->kind == OPTION_FLOAT) {
        min = (float)min;
        max = (float)max;
    }
    return (value < min || value > max) && !is_default(o, value) ? out_of_range(o, text, err) : 0;
}

/* ---- from text ---- */

static int not_a(const char *value, const char *what, struct error *err)
{
    return error_set(err, "'%s' is not %s", value, what);
}

static int parse_long(int64_t *out, const struct option *o, const char *text, struct error *err)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || *end || strchr(" \t\n", *text))
        return not_a(text, "a whole number", err);
    if (errno == ERANGE || (o->kind == OPTION_INT && (*out < INT_MIN || *out > INT_MAX)))
        return row_has_range(o) ? out_of_range(o, text, err)
                            : error_set(err, "%s is too large", text);
    return check_range(o, (double)*out, text, err);
}

static int parse_float(float *out, const struct option *o, const char *text, struct error *err)
{
    char *end;
    *out = strtof(text, &end);
    if (end == text || *end || strchr(" \t\n", *text) || isnan(*out))
        return not_a(text, "a number", err);
    if (isinf(*out))
        return row_has_range(o) ? out_of_range(o, text, err)
                            : error_set(err, "%s is too large", text);
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
        return not_a(text, "a size; write it as 4096, 300M or 4G", err);
    if (value >= 0x1p63)
        return error_set(err, "%s is too large", text);
    *out = (int64_t)value;
    return check_range(o, value, text, err);
}

static int parse_course(struct course *out, const struct option *o, const char *text, struct error *err)
{
    return course_parse(out, text, o->min, o->max, err);
}

static int parse_flag(bool *out, const char *text, struct error *err)
{
    bool yes = !strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "1");
    if (!yes && strcmp(text, "false") && strcmp(text, "no") && strcmp(text, "0"))
        return not_a(text, "true or false", err);
    *out = yes;
    return 0;
}

void join_names(struct strbuf *b, const char *const *names)
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
    error_set(err, "'%s' is none of %s", text, names.text);
    strbuf_release(&names);
    return -1;
}

int row_set_text(const struct option *o, void *field, const char *text, struct error *err)
{
    int64_t number;

    switch (o->kind) {
    case OPTION_FLAG:
        return parse_flag(field, text, err);
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
    case OPTION_COURSE:
        return parse_course(field, o, text, err);
    }
    return -1;
}

/* ---- defaults ---- */

void row_clear(const struct option *o, void *field)
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
    case OPTION_COURSE: *(struct course *)field = (struct course){ 0 }; break;
    }
}

/* A default may lie outside the range ("0": off); a default that does not parse is our mistake. */
void row_default(const struct option *o, void *field)
{
    struct option free_of_range = *o;
    struct error err;

    zero_field(o, field);
    free_of_range.min = free_of_range.max = 0;
    if (o->fallback && row_set_text(&free_of_range, field, o->fallback, &err) < 0) {
        fprintf(stderr, "coho: the default of %s is wrong: %s\n", o->name, err.text);
        abort();
    }
}

/* ---- from and to JSON ---- */

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
    case OPTION_COURSE: return "a number or a course";
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
    case OPTION_CHOICE:
        return !json_is_object(value) && !json_is_array(value) && !json_is_null(value);
    default: return json_is_string(value) || json_is_number(value);
    }
}

static int wrong_type(const struct option *o, const json_t *value, struct error *err)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    error_set(err, "%.80s is not %s", text ? text : "the value", kind_text(o->kind));
    free(text);
    return -1;
}

static int set_scalar(const struct option *o, void *field, const json_t *value, struct error *err)
{
    char *text = fits(o->kind, value) ? scalar_text(value) : NULL;
    int ret;
    if (!text)
        return wrong_type(o, value, err);
    ret = row_set_text(o, field, text, err);
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

int row_set_json(const struct option *o, void *field, const json_t *value, struct error *err)
{
    if (json_is_null(value) && (o->kind == OPTION_STRING || o->kind == OPTION_LIST)) {
        row_clear(o, field);
        return 0;
    }
    return o->kind == OPTION_LIST ? set_list(o, field, value, err)
                                  : set_scalar(o, field, value, err);
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

static json_t *course_json(const struct course *c)
{
    char text[COURSE_TEXT];
    course_text(text, c);
    return course_constant(c) ? float_json(c->from) : json_string(text);
}

json_t *row_json(const struct option *o, const void *field)
{
    switch (o->kind) {
    case OPTION_FLAG: return json_boolean(*(const bool *)field);
    case OPTION_INT: return json_integer(*(const int *)field);
    case OPTION_LONG: case OPTION_SIZE: return json_integer(*(const int64_t *)field);
    case OPTION_FLOAT: return float_json(*(const float *)field);
    case OPTION_CHOICE: return json_string(o->choices[*(const int *)field]);
    case OPTION_LIST: return list_json(field);
    case OPTION_COURSE: return course_json(field);
    case OPTION_STRING: break;
    }
    const char *text = *(char *const *)field;
    return text ? json_string(text) : json_null();
}
