#ifndef DISTILL_RECIPE_TEXT_H
#define DISTILL_RECIPE_TEXT_H

#include <jansson.h>
#include <stdint.h>

#include "base/strbuf.h"

struct error;

/* The recipe file as data: read, overridden from the command line, `like` followed and variables
 * put in; what the stages mean is recipe.c's affair. */
struct recipe_text {
    const char *path;           /* borrowed */
    json_t *root;               /* as in the file; keeps the lines */
    json_t *stages;             /* name → keys, ready to be read */
    json_t *overrides;          /* "stage.key" → the --set text, for messages */
};

int recipe_text_read(struct recipe_text *out, const char *path, const struct strings *set,
                     struct error *err);
void recipe_text_release(struct recipe_text *t);

/* Puts the place of a stage's key (NULL: of the stage) before the message: "r.yml:12: …".
 * Follows `like` to where the key really stands.  Always returns -1. */
int recipe_text_blame(const struct recipe_text *t, const char *stage, const char *key,
                      struct error *err);

/* "r.yml:12" of a stage; the caller's. */
char *recipe_text_place(const struct recipe_text *t, const char *stage, const char *key);

/* ", did you mean 'x'?" for the nearest of the object's keys, or "". */
void recipe_text_hint(char *text, size_t room, const char *name, const json_t *known);

#endif
