/* coho distill: runs a recipe, stage by stage. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "cli/command.h"
#include "distill/kinds.h"
#include "distill/run.h"

struct distill_command {
    char *output, *stage;
    struct strings set;
    int threads;
    bool dry_run, quiet;
};

#define FIELD(member) offsetof(struct distill_command, member)
static const struct option distill_options[] = {
    { "output", OPTION_STRING, FIELD(output), NULL, 0, 0,
      "folder of the run; else runs/ and the recipe's name", NULL, 'o' },
    { "set", OPTION_LIST, FIELD(set), NULL, 0, 0,
      "variable=value or stage.option=value, in place of what the recipe says" },
    { "stage", OPTION_STRING, FIELD(stage), NULL, 0, 0, "only this stage and what it needs" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "workers; 0: one a core" },
    { "dry-run", OPTION_FLAG, FIELD(dry_run), "false", 0, 0,
      "check the recipe and print what is done and what would run; change nothing", NULL, 'n' },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", 0, 0, "only warnings, errors and the table", NULL, 'q' },
    { 0 }
};
#undef FIELD

static json_t *settings_json(const struct strings *set)
{
    json_t *list = json_array();
    for (size_t i = 0; i < set->count; i++)
        json_array_append_new(list, json_string(set->items[i]));
    return list;
}

/* The text of the recipe's tables, if it has any. */
static int print_tables(const struct run *run, struct error *err)
{
    for (size_t i = 0; i < run->recipe->count; i++) {
        if (strcmp(run->recipe->stages[i].kind->makes, "table"))
            continue;
        char *path = path_join(run->folder, "table.txt"), *text = NULL;
        int ret = file_read(&text, NULL, path, err);
        if (ret == 0)
            fputs(text, stdout);
        free(text);
        free(path);
        if (ret < 0)
            return -1;
    }
    return 0;
}

static int execute(const struct command *self, struct run *run, struct error *err)
{
    int ret;
    interrupt_install();
    signal(SIGPIPE, SIG_IGN);           /* messages may go nowhere: stages save all the same */
    ret = run_execute(run, err);
    if (ret == RUN_STOPPED) {
        log_info("coho %s: stopped; the same command goes on from here", self->name);
        return 1;
    }
    if (ret == 0)
        ret = print_tables(run, err);
    return ret < 0 ? command_fail(self, err) : 0;
}

static int plan(const struct command *self, struct run *run, struct error *err)
{
    if (run_plan(run, err) < 0)
        return command_fail(self, err);
    run_print_plan(run, stdout);
    return 0;
}

static int distill(const struct command *self, const struct distill_command *c, const char *path)
{
    struct error err = { 0 };
    struct recipe recipe = { 0 };
    struct run run = { 0 };
    char *folder;
    int status;

    if (recipe_load(&recipe, path, stage_kinds, &c->set, &err) < 0
        || (c->stage && recipe_narrow(&recipe, c->stage, &err) < 0)) {
        recipe_release(&recipe);
        return command_fail(self, &err);
    }
    folder = c->output ? xstrdup(c->output) : path_join("runs", recipe.name);
    run_open(&run, &recipe, folder, c->threads);
    run.settings = settings_json(&c->set);
    status = c->dry_run ? plan(self, &run, &err) : execute(self, &run, &err);
    run_close(&run);
    recipe_release(&recipe);
    free(folder);
    return status;
}

int cmd_distill(const struct command *self, int argc, char **argv)
{
    struct distill_command c = { 0 };
    const struct option_group groups[] = { { NULL, distill_options, &c }, { NULL } };
    const char **rest = xcalloc((size_t)argc, sizeof *rest);
    int count = 0, status;

    options_default(groups);
    status = command_parse(self, groups, argc, argv, rest, &count);
    if (status < 0 && count != 1)
        status = command_misuse(self, count ? "one recipe at a time; '%s' is one too many"
                                            : "which recipe? give the path of a .yml file%s",
                                count ? rest[1] : "");
    if (status < 0) {
        log_quiet(c.quiet);
        status = distill(self, &c, rest[0]);
    }
    options_release(groups);
    free(rest);
    return status;
}
