#ifndef BASE_OPTION_ROW_H
#define BASE_OPTION_ROW_H

#include "base/option.h"

struct strbuf;

/* One row of an option table and the field that it describes: what option.c, option_line.c and
 * option_help.c share. */

#define EACH_GROUP(g, groups) const struct option_group *g = (groups); g->options; g++
#define EACH_OPTION(o, g) const struct option *o = (g)->options; o->name; o++

void *row_field(const struct option *o, void *target);

void row_default(const struct option *o, void *field);  /* the field's old value is not freed */
void row_clear(const struct option *o, void *field);    /* frees text and lists */

/* Sets the field, checking kind and range; what is wrong is said of the value, and the caller says what it was
 * given for.  A list gets the text as one more value, but a JSON
 * value replaces it. */
int row_set_text(const struct option *o, void *field, const char *text, struct error *err);
int row_set_json(const struct option *o, void *field, const json_t *value, struct error *err);
json_t *row_json(const struct option *o, const void *field);    /* a new reference */

/* "1 … 64", or "at least 1" where the upper bound is as good as none. */
bool row_has_range(const struct option *o);
void row_range(char *text, size_t room, const struct option *o);

void join_names(struct strbuf *b, const char *const *names);    /* "a, b, c" */

/* Describes an unknown name with the nearest known one; returns -1.  kind "option" with dashes
 * "--", kind "key" with dashes "". */
int unknown_option(const struct option_group *groups, const char *kind, const char *dashes,
                   const char *name, struct error *err);

#endif
