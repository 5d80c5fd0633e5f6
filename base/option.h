#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;

/* Options are declared once, in a table beside the struct that they fill:
 *
 *     #define FIELD(member) offsetof(struct search_config, member)
 *     const struct option search_options[] = {
 *         { "beam", OPTION_INT, FIELD(beam), "4", 1, 64,
 *           "hypotheses kept per sentence; 1 is greedy search" },
 *         { 0 }
 *     };
 *
 * Parsing, range checks, --help, recipe keys, the settings stored with a model and the
 * reference in docs/ all read the table. */
enum option_kind {
    OPTION_FLAG,        /* bool; --name or --no-name */
    OPTION_INT,         /* int */
    OPTION_LONG,        /* int64_t */
    OPTION_FLOAT,       /* float */
    OPTION_STRING,      /* char *, owned by the struct; NULL when the default is NULL */
    OPTION_CHOICE,      /* int, an index into `choices` */
    OPTION_LIST,        /* struct strings; takes one value or more: --name A B, or repeated */
    OPTION_SIZE,        /* int64_t bytes; accepts 300M, 4G … */
    OPTION_COURSE       /* struct course: a number, or how it changes over a training (course.h) */
};

struct option {
    const char *name;           /* kebab-case, without dashes */
    enum option_kind kind;
    size_t offset;
    const char *fallback;       /* the default as text; NULL: none */
    double min, max;            /* inclusive, for numbers; both 0: any */
    const char *help;           /* one line, lower-case, with the unit */
    const char *const *choices; /* OPTION_CHOICE: names, NULL at the end */
    char letter;                /* one-letter form: 'm' for -m */
    bool required;
    const char *alias;          /* a second name: "tok" is taken as -tok and as --tok */
};

/* A table and the struct that it fills.  Subcommands list several; NULL title: "options". */
struct option_group {
    const char *title;
    const struct option *options;
    void *target;
};

/* All functions on groups take an array that ends with { NULL, NULL, NULL }. */
void options_default(const struct option_group *groups);
void options_release(const struct option_group *groups);        /* frees strings and lists */

/* Reads a command line, argv[0] being skipped.  What is no option goes to `rest` (borrowed
 * pointers into argv; room for argc items); "--" ends the options.  An unknown option is an
 * error that names the nearest known one.  --help sets *help and returns 0 at once.
 *
 *     --name VALUE  --name=VALUE  -m VALUE  -mVALUE  --flag  --no-flag  -qb  -qbmVALUE
 *
 * A list takes the words up to the next option, and more when named again; its default goes
 * at the first naming.  A VALUE that starts like an option is written --name=-x; "-" and
 * negative numbers are values.  Call options_default first. */
int options_parse(const struct option_group *groups, int argc, char **argv,
                  const char **rest, int *rest_count, bool *help, struct error *err);

/* Sets one option from text, or from a JSON value (recipes, config.json); errors call it a key. */
int options_set(const struct option_group *groups, const char *name, const char *value,
                struct error *err);
int options_set_json(const struct option_group *groups, const char *name, const json_t *value,
                     struct error *err);

/* Every member of `object` into the struct; an unknown key is an error with the nearest name. */
int options_from_json(const struct option_group *groups, const json_t *object, struct error *err);

/* The values as a new JSON object, in table order; floats are said as the user would. */
json_t *options_to_json(const struct option_group *groups);

const struct option *options_find(const struct option_group *groups, const char *name,
                                  void **target);
/* The name of the one option that begins like this; NULL: there is none, or there are several. */
const char *options_complete(const struct option_group *groups, const char *begin);
void options_help(FILE *out, const struct option_group *groups);

/* The same as Markdown tables; dashes "--" for a command line, "" for the keys of a recipe. */
void options_markdown(FILE *out, const struct option_group *groups, const char *dashes);

/* The known name nearest to `name` by edit distance, or NULL when none is near. */
const char *nearest_name(const char *name, const char *const *known, size_t count);

#endif
