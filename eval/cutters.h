#ifndef EVAL_CUTTERS_H
#define EVAL_CUTTERS_H

#include "eval/tokenizers.h"

/* Tokenizers with files of their own, for the table in tokenizers.c. */

/* SentencePiece: the model given, or for sacreBLEU's own models (flores101, which is also spm,
 * flores200, spBLEU-1K) the file in its cache, ~/.sacrebleu/models or $SACREBLEU/models. */
int spm_open(struct cutter_model **model, const char *name, const struct cutter_files *files,
             struct error *err);
void spm_cut(struct tokens *tokens, struct text segment);

/* MeCab, through its C library, which is loaded when it is asked for. */
int mecab_open(struct cutter_model **model, const char *name, const struct cutter_files *files,
               struct error *err);
void mecab_cut(struct tokens *tokens, struct text segment);

#endif
