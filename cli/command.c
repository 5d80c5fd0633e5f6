/* What every subcommand does the same way: options, help, and how failures are told. */
#include "cli/command.h"

#include <stdarg.h>
#include <string.h>

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
