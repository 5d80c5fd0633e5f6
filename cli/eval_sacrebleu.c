/* What sacreBLEU's command line takes beside the options of the tables: names cut short, and options
 * about its own test sets, which coho does not have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/eval.h"

static const char of_test_sets[] =
    "is about sacreBLEU's own test sets, which coho does not fetch; let it do so once, "
    "`sacrebleu -t wmt17 -l en-de --echo ref >ref`, then `coho eval -t wmt17 -l en-de -i HYP`";
static const char of_parts[] =
    "needs the annotations of sacreBLEU's test sets; take the wanted lines out of references and "
    "translations alike (sed -n, grep after paste) and score those";

static const struct {
    const char *name, *message;
} elsewhere[] = {
    { "--download", of_test_sets }, { "--echo", of_test_sets }, { "--list", of_test_sets },
    { "--citation", of_test_sets }, { "--cite", of_test_sets },
    { "-ol", of_parts }, { "--origlang", of_parts }, { "--subset", of_parts },
    { "-d", of_parts }, { "--detail", of_parts },
};

static bool is_option(const char *word, const char *name)
{
    size_t length = strlen(name);
    return !strncmp(word, name, length) && (word[length] == '\0' || word[length] == '=');
}

int eval_other_options(const struct command *self, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V")) {
            printf("coho %s %s\n", self->name, METRIC_VERSION);
            return 0;
        }
        for (size_t k = 0; k < ARRAY_COUNT(elsewhere); k++)
            if (is_option(argv[i], elsewhere[k].name))
                return command_misuse(self, "%s %s", elsewhere[k].name, elsewhere[k].message);
    }
    return -1;
}

/* ---- names cut short ---- */

static char *in_full(const struct option_group *groups, const char *word)
{
    size_t length = strcspn(word, "=");
    char *name = length > 2 && !strncmp(word, "--", 2) ? xstrndup(word + 2, length - 2) : NULL;
    const char *full = name && !options_find(groups, name, NULL) ? options_complete(groups, name) : NULL;
    free(name);
    return full ? xasprintf("--%s%s", full, word + length) : xstrdup(word);
}

char **eval_words(const struct option_group *groups, int argc, char **argv)
{
    char **words = xcalloc((size_t)argc + 1, sizeof *words);
    bool ended = false;
    words[0] = xstrdup("");             /* no word of the user's */
    for (int i = 1; i < argc; i++) {
        ended = ended || !strcmp(argv[i], "--");
        words[i] = ended ? xstrdup(argv[i]) : in_full(groups, argv[i]);
    }
    return words;
}

void eval_words_free(char **words)
{
    for (char **w = words; *w; w++)
        free(*w);
    free(words);
}
