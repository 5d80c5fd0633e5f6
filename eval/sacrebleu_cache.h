#ifndef EVAL_SACREBLEU_CACHE_H
#define EVAL_SACREBLEU_CACHE_H

#include "base/strbuf.h"

struct error;

/* What sacreBLEU has fetched on this machine, in $SACREBLEU or ~/.sacrebleu.  coho fetches nothing. */

/* The path of a file in its folder of models; the caller's. */
char *sacrebleu_model(const char *file);

/* Adds the reference files of a test set such as wmt17 or wmt14/full and a pair such as en-de, as
 * sacreBLEU 2 names them: <cache>/wmt17/wmt17.en-de.ref, or ref-0, ref-1 … of a set with several.  An
 * error where there is none, or where letters or names tell several apart (ref-A, ref-C), of which
 * sacreBLEU's own table chooses. */
int sacrebleu_references(struct strings *out, const char *set, const char *pair, struct error *err);

#endif
