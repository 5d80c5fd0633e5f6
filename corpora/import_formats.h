#ifndef CORPORA_IMPORT_FORMATS_H
#define CORPORA_IMPORT_FORMATS_H

#include "corpora/import.h"

extern const struct corpus_format import_pairs;                 /* import_pairs.c */
extern const struct corpus_format import_libreoffice_help;      /* import_libreoffice_help.c */

#endif
