/* coho report: the page of a run, made anew from what lies in its folder. */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/command.h"
#include "distill/report.h"

int cmd_report(const struct command *self, int argc, char **argv)
{
    static const struct option none[] = { { 0 } };
    const struct option_group groups[] = { { NULL, none, NULL }, { NULL } };
    const char **rest = xcalloc((size_t)argc, sizeof *rest);
    struct error err = { 0 };
    char *page = NULL;
    int count = 0, status = command_parse(self, groups, argc, argv, rest, &count);

    if (status < 0 && count != 1)
        status = command_misuse(self, "give the folder of one run or model");
    else if (status < 0)
        status = report_write(&page, rest[0], &err) < 0 ? command_fail(self, &err) : 0;
    if (page)
        printf("%s\n", page);
    free(page);
    free(rest);
    return status;
}
