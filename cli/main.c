/* The program's entry: finds the subcommand and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/recipe_markdown.h"

#define COMMAND(id, usage, summary) int cmd_##id(const struct command *, int, char **);
#include "cli/commands.h"
#undef COMMAND

static const struct command commands[] = {
#define COMMAND(id, usage, summary) { #id, summary, usage, cmd_##id },
#include "cli/commands.h"
#undef COMMAND
    { 0 }
};

static void print_help(FILE *out)
{
    fprintf(out, "coho: distils sequence models, from raw parallel text to a small fast student\n\n"
                 "usage: coho COMMAND [OPTIONS] …\n\n");
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  %-12s %s\n", c->name, c->summary);
    fprintf(out, "\n`coho COMMAND --help` tells the options of one command.\n");
}

/* docs/options.md: the options of every command, then what recipes may say. */
static int print_markdown(void)
{
    printf("# Options\n\nMade by `coho " HELP_MARKDOWN " >docs/options.md` from the tables that the "
           "program reads.\n\n");
    for (const struct command *c = commands; c->name; c++)
        c->run(c, 2, (char *[]){ NULL, HELP_MARKDOWN, NULL });
    recipe_markdown(stdout);
    return 0;
}

static int unknown_command(const char *name)
{
    const char *known[ARRAY_COUNT(commands)] = { 0 };
    size_t count = 0;
    for (const struct command *c = commands; c->name; c++)
        known[count++] = c->name;
    const char *near = nearest_name(name, known, count);
    fprintf(stderr, "coho: unknown command '%s'%s%s%s; see `coho --help`\n", name,
            near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return 2;
}

/* A closed standard stream would give its number to the next file opened, which would then
 * receive what is printed.  This way reading and writing fail. */
static void keep_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help") || !strcmp(argv[1], "-h")) {
        print_help(stdout);
        return 0;
    }
    if (!strcmp(argv[1], HELP_MARKDOWN))
        return print_markdown();
    if (!strcmp(argv[1], "--version")) {
        printf("coho %s\n", COHO_VERSION);
        return 0;
    }
    for (const struct command *c = commands; c->name; c++)
        if (!strcmp(c->name, argv[1]))
            return c->run(c, argc - 1, argv + 1);
    return unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
    keep_standard_streams();
    signal(SIGXFSZ, SIG_IGN);           /* a limit on the size of files: told like a full disk */
    int status = run_command(argc, argv);
    if ((fflush(stdout) || ferror(stdout)) && status == 0) {
        fprintf(stderr, "coho: cannot write 'standard output': %s\n", strerror(errno));
        status = 1;
    }
    return status;
}
