/* Courses: each shape says how far the value is on its way from one number to the other. */
#include "base/course.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"

struct course_shape {
    const char *name, *usage;
    bool to;                    /* takes a second value; else that is 0 */
    int extras;                 /* further numbers … */
    bool places;                /* … which may be shares of the training */
    double least;               /* … and are at least this; else, more than this */
    double (*way)(const struct course *c, const struct moment *when);  /* 0: from … 1: to */
};

/* ---- the shapes ---- */

static double stand(const struct course *c, const struct moment *when, int i)
{
    return c->share[i] ? 100 * when->progress : (double)when->update;
}

static double linear(const struct course *c, const struct moment *when)
{
    (void)c;
    return when->progress;
}

static double ramp(const struct course *c, const struct moment *when)
{
    double start = (double)c->at[0], end = (double)c->at[1], now = stand(c, when, 0);
    return now >= end ? 1 : now <= start ? 0 : (now - start) / (end - start);
}

static double cut_off(const struct course *c, const struct moment *when)
{
    return stand(c, when, 0) >= (double)c->at[0];
}

static double exponential(const struct course *c, const struct moment *when)
{
    return 1 - pow((double)c->at[0], -when->progress);
}

static double triggered(const struct course *c, const struct moment *when)
{
    return fmin(1, (double)c->at[0] * when->rises);
}

static const struct course_shape shapes[] = {
    { "linear", "linear FROM TO", true, 0, false, 0, linear },
    { "ramp", "ramp FROM TO START END", true, 2, true, 0, ramp },
    { "cut-off", "cut-off VALUE PLACE", false, 1, true, 0, cut_off },
    { "exponential", "exponential FROM TO BASE", true, 1, false, 1, exponential },
    { "triggered", "triggered FROM TO STEP", true, 1, false, 0, triggered },
};

/* ---- values ---- */

float course_at(const struct course *c, const struct moment *when)
{
    if (!c->shape)
        return c->from;
    double way = c->shape->way(c, when);
    return (float)((1 - way) * (double)c->from + way * (double)c->to);
}

bool course_constant(const struct course *c)
{
    return !c->shape;
}

bool course_watches(const struct course *c)
{
    return c->shape && c->shape->way == triggered;
}

bool course_shares(const struct course *c)
{
    return c->shape && (c->shape->places ? c->share[0] : !course_watches(c));
}

int64_t course_stays(const struct course *c)
{
    return c->shape && c->shape->places && !c->share[0] ? (int64_t)c->at[0] : 0;
}

float course_largest(const struct course *c)
{
    return c->shape && c->to > c->from ? c->to : c->from;
}

/* ---- text ---- */

static const struct course_shape *shape_find(const char *name, struct error *err)
{
    const char *names[ARRAY_COUNT(shapes)];
    for (size_t i = 0; i < ARRAY_COUNT(shapes); i++) {
        names[i] = shapes[i].name;
        if (!strcmp(name, names[i]))
            return &shapes[i];
    }
    const char *near = nearest_name(name, names, ARRAY_COUNT(names));
    error_set(err, "'%s' is neither a number nor the name of a course%s%s%s", name, near ? ", did you mean '" : "",
              near ? near : " (linear, ramp, cut-off, exponential, triggered)", near ? "'?" : "");
    return NULL;
}

static int read_number(float *out, bool *share, const char **text, const char *whole, struct error *err)
{
    char *end;
    *text += strspn(*text, " ");
    *out = strtof(*text, &end);
    *share = end != *text && *end == '%';
    end += *share;
    if (end == *text || (*end && *end != ' ') || !isfinite(*out))
        return error_set(err, "'%s': a number is missing", whole);
    *text = end;
    return 0;
}

static int check_value(float value, double min, double max, const char *whole, struct error *err)
{
    if ((min == 0 && max == 0) || (value >= (float)min && value <= (float)max))
        return 0;
    return error_set(err, "'%s': %g is out of range %g … %g", whole, (double)value, min, max);
}

static int read_value(float *out, const char **text, double min, double max, const char *whole, struct error *err)
{
    bool share;
    if (read_number(out, &share, text, whole, err) < 0)
        return -1;
    return share ? error_set(err, "'%s': only a place in the training may be given in %%", whole)
                 : check_value(*out, min, max, whole, err);
}

static int read_extras(struct course *c, const char **text, const char *whole, struct error *err)
{
    for (int i = 0; i < c->shape->extras; i++) {
        if (read_number(&c->at[i], &c->share[i], text, whole, err) < 0)
            return -1;
        if (c->share[i] && !c->shape->places)
            return error_set(err, "'%s': only a place in the training may be given in %%", whole);
        if (!c->shape->places && (double)c->at[i] <= c->shape->least)      /* it would never move */
            return error_set(err, "'%s': %g is not more than %g", whole, (double)c->at[i], c->shape->least);
        if ((double)c->at[i] < c->shape->least || (c->share[i] && c->at[i] > 100))
            return error_set(err, "'%s': %g is out of range", whole, (double)c->at[i]);
    }
    if (c->shape->extras == 2 && (c->share[0] != c->share[1] || c->at[1] < c->at[0]))
        return error_set(err, "'%s': give two places of one kind, updates or %%, the first one first", whole);
    return 0;
}

static int parse_shape(struct course *c, const char *text, double min, double max, struct error *err)
{
    const char *whole = text;
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, " "), text);
    if (!(c->shape = shape_find(name, err)))
        return -1;
    text += strlen(name);
    if (read_value(&c->from, &text, min, max, whole, err) < 0
        || (c->shape->to && read_value(&c->to, &text, min, max, whole, err) < 0)
        || read_extras(c, &text, whole, err) < 0)
        return error_set(err, "%s; wanted: %s", err->text, c->shape->usage);
    if (text[strspn(text, " ")])
        return error_set(err, "'%s': '%s' is too much; wanted: %s", whole, text + strspn(text, " "), c->shape->usage);
    return 0;
}

int course_parse(struct course *out, const char *text, double min, double max, struct error *err)
{
    struct course c = { 0 };
    char *end;
    text += strspn(text, " ");
    c.from = strtof(text, &end);
    if (end != text && !end[strspn(end, " ")] && isfinite(c.from)) {
        if (check_value(c.from, min, max, text, err) < 0)
            return -1;
    } else if (parse_shape(&c, text, min, max, err) < 0) {
        return -1;
    }
    *out = c;
    return 0;
}

static size_t add_number(char *text, size_t room, float value, const char *before, const char *after)
{
    char number[32];
    bool whole = value == floorf(value) && fabsf(value) < 1e9f;
    snprintf(number, sizeof number, "%.0f", (double)value);
    for (int digits = 1; digits <= 9 && (!whole && (digits == 1 || strtof(number, NULL) != value)); digits++)
        snprintf(number, sizeof number, "%.*g", digits, (double)value);
    return (size_t)snprintf(text, room, "%s%s%s", before, number, after);
}

void course_text(char text[COURSE_TEXT], const struct course *c)
{
    size_t n = 0;
    const char *space = "";
    if (c->shape) {
        n = (size_t)snprintf(text, COURSE_TEXT, "%s", c->shape->name);
        space = " ";
    }
    n += add_number(text + n, COURSE_TEXT - n, c->from, space, "");
    if (c->shape && c->shape->to)
        n += add_number(text + n, COURSE_TEXT - n, c->to, " ", "");
    for (int i = 0; c->shape && i < c->shape->extras; i++)
        n += add_number(text + n, COURSE_TEXT - n, c->at[i], " ", c->share[i] ? "%" : "");
}
