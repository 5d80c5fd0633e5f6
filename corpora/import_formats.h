#ifndef CORPORA_IMPORT_FORMATS_H
#define CORPORA_IMPORT_FORMATS_H

#include "corpora/import.h"

extern const struct corpus_format import_pairs;                 /* import_pairs.c */
extern const struct corpus_format import_tsv;                   /* import_table.c */
extern const struct corpus_format import_csv;                   /* import_table.c */
extern const struct corpus_format import_moses;                 /* import_moses.c */
extern const struct corpus_format import_tmx;                   /* import_tmx.c */
extern const struct corpus_format import_xliff;                 /* import_xliff.c */
extern const struct corpus_format import_po;                    /* import_po.c */
extern const struct corpus_format import_mo;                    /* import_mo.c */
extern const struct corpus_format import_wmt;                   /* import_wmt.c */
extern const struct corpus_format import_jsonl;                 /* import_jsonl.c */
extern const struct corpus_format import_libreoffice_help;      /* import_libreoffice_help.c */

#endif
