#ifndef CLI_LINEAGE_H
#define CLI_LINEAGE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* A model's lineage.json as a tree for people: what it learnt from, with what objective, and the
 * models that it was taught by, started from or averaged of, each with its own ancestors. */
void lineage_print(FILE *out, const char *name, uint64_t fingerprint, const json_t *lineage);

#endif
