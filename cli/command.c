/* What every subcommand does the same way: options, help, and how failures are told. */
#include "cli/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int print_markdown(const struct command *self, const struct option_group *groups)
{
    printf("## coho %s\n\n    coho %s %s\n\n%s\n\n", self->name, self->name, self->usage,
           self->summary);
    options_markdown(stdout, groups, "--");
    return 0;
}

int command_parse(const struct command *self, const struct option_group *groups,
                  int argc, char **argv, const char **rest, int *rest_count)
{
    struct error err = { 0 };
    bool help = false;
    if (argc == 2 && !strcmp(argv[1], HELP_MARKDOWN))
        return print_markdown(self, groups);
    if (options_parse(groups, argc, argv, rest, rest_count, &help, &err) < 0)
        return command_misuse(self, "%s", err.text);
    if (!help)
        return -1;
    printf("usage: coho %s %s\n\n%s\n\n", self->name, self->usage, self->summary);
    options_help(stdout, groups);
    return 0;
}

int command_fail(const struct command *self, const struct error *err)
{
    fprintf(stderr, "coho %s: %s\n", self->name, err->text);
    return 1;
}

int command_misuse(const struct command *self, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "coho %s: ", self->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; see `coho %s --help`\n", self->name);
    return 2;
}

/* ---- commands of several steps ---- */

/* Row i; NULL after the last. */
static const struct command_step *step_at(const struct command_steps *steps, size_t i)
{
    const struct command_step *row = (const void *)((const char *)steps->rows + i * steps->size);
    return row->name ? row : NULL;
}

static void list_steps(FILE *out, const struct command *self, const struct command_steps *steps)
{
    const struct command_step *row;
    fprintf(out, "usage: coho %s %s\n\n%s\n\n", self->name, self->usage, self->summary);
    for (size_t i = 0; (row = step_at(steps, i)); i++)
        fprintf(out, "  %-10s %s\n", row->name, row->summary);
    if (steps->more)
        steps->more(out);
    fprintf(out, "\n`coho %s STEP --help` tells the options of one step.\n", self->name);
}

static int unknown_step(const struct command *self, const struct command_steps *steps, const char *name)
{
    size_t count = 0;
    while (step_at(steps, count))
        count++;
    const char **known = xcalloc(count, sizeof *known);
    for (size_t i = 0; i < count; i++)
        known[i] = step_at(steps, i)->name;
    const char *near = nearest_name(name, known, count);
    free(known);
    return command_misuse(self, "unknown step '%s'%s%s%s", name, near ? ", did you mean '" : "",
                          near ? near : "", near ? "'?" : "");
}

int command_steps(const struct command *self, const struct command_steps *steps, int argc, char **argv)
{
    const struct command_step *row;
    bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
    bool markdown = argc > 1 && !strcmp(argv[1], HELP_MARKDOWN);
    if (argc < 2 || help) {
        list_steps(help ? stdout : stderr, self, steps);
        return help ? 0 : 2;
    }
    for (size_t i = 0; (row = step_at(steps, i)); i++)
        if (markdown)
            steps->run(row, 2, (char *[]){ NULL, argv[1], NULL });
        else if (!strcmp(row->name, argv[1]))
            return steps->run(row, argc - 1, argv + 1);
    return markdown ? 0 : unknown_step(self, steps, argv[1]);
}
