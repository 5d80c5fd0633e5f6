/* The part of docs/options.md about recipes. */
#include "cli/recipe_markdown.h"

#include "base/option.h"
#include "distill/kinds.h"
#include "distill/objectives.h"

static void print_options(FILE *out, const struct option *options)
{
    const struct option_group groups[] = { { NULL, options, NULL }, { NULL } };
    options_markdown(out, groups, "");
}

static void print_inputs(FILE *out, const struct stage_kind *kind)
{
    if (!kind->inputs)
        return;
    fprintf(out, "| input | what the stage named there makes | |\n|---|---|---|\n");
    for (const struct stage_input *i = kind->inputs; i->name; i++)
        fprintf(out, "| `%s` | %s%s | %s |\n", i->name, i->wants,
                i->many ? ", from each of a list or a mapping" : "", i->required ? "required" : "");
    putc('\n', out);
}

static void print_kind(FILE *out, const struct stage_kind *kind)
{
    fprintf(out, "### kind: %s\n\n%s; makes: %s\n\n", kind->name, kind->summary, kind->makes);
    print_inputs(out, kind);
    for (const struct stage_options *o = kind->options; o && o->options; o++)
        print_options(out, o->options);
}

static void print_objective(FILE *out, const struct objective_kind *kind)
{
    fprintf(out, "### objective: %s\n\n%s (%s)%s\n\n", kind->name, kind->summary, kind->source,
            kind->wants_teacher ? "; needs the input `teacher`" : "");
    print_options(out, kind->options);
}

void recipe_markdown(FILE *out)
{
    fprintf(out, "## Recipes\n\nA stage has a `kind`, inputs (names of other stages) and options, all "
                 "of them keys\nof one mapping; see [the cookbook](cookbook.md).\n\n");
    for (const struct stage_kind *const *kind = stage_kinds; *kind; kind++)
        print_kind(out, *kind);
    for (const struct objective_kind *kind = objective_kinds; kind->name; kind++)
        print_objective(out, kind);
}
