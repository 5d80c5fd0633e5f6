#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/option.h"

/* One subcommand: `coho NAME …`.  run gets the words from NAME on and returns the exit status:
 * 0 done, 1 failed, 2 wrong usage.  groups() lists its option tables, for --help, the man pages,
 * the shell completions and docs/options.md. */
struct command {
    const char *name;
    const char *summary;                /* one line */
    const char *usage;                  /* "[OPTIONS] REF [REF …]" */
    int (*run)(const struct command *self, int argc, char **argv);
};

/* `coho --help-markdown` gives this word to each command in turn, which makes docs/options.md. */
#define HELP_MARKDOWN "--help-markdown"

/* Parses argv with the groups.  Returns -1 when the command shall go on, or the exit status to
 * return at once: 0 after --help, 2 after printing what is wrong. */
int command_parse(const struct command *self, const struct option_group *groups,
                  int argc, char **argv, const char **rest, int *rest_count);

/* Prints "coho NAME: text" on standard error; returns 1, the status of a failure. */
int command_fail(const struct command *self, const struct error *err);

/* Prints a usage error; returns 2. */
int command_misuse(const struct command *self, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A command of several steps, `coho NAME STEP …`: its help, what it says of a step that it does not
 * know, and the options of all for docs/options.md.  `rows` are structures of `size` bytes that begin
 * with a command_step, up to one without a name; run gets the words from the step's name on. */
struct command_step {
    const char *name, *usage, *summary;
};

struct command_steps {
    const void *rows;
    size_t size;
    int (*run)(const void *row, int argc, char **argv);
    void (*more)(FILE *out);            /* further help, or NULL */
};

int command_steps(const struct command *self, const struct command_steps *steps, int argc, char **argv);

/* cmd_NAME of every row of cli/commands.h. */
#define COMMAND(id, usage, summary) \
    int cmd_##id(const struct command *self, int argc, char **argv);
#include "cli/commands.h"
#undef COMMAND

#endif
