#ifndef CLI_RECIPE_MARKDOWN_H
#define CLI_RECIPE_MARKDOWN_H

#include <stdio.h>

/* What a recipe may say, as Markdown: the kinds of stages with their inputs and options, and the
 * objectives of training. */
void recipe_markdown(FILE *out);

#endif
