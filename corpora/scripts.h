#ifndef CORPORA_SCRIPTS_H
#define CORPORA_SCRIPTS_H

#include <stdint.h>

/* Scripts, as far as languages of corpora are written in them. */
enum script {
    SCRIPT_NONE,                /* no letter, or one of every script */
    SCRIPT_LATIN, SCRIPT_GREEK, SCRIPT_CYRILLIC, SCRIPT_ARMENIAN, SCRIPT_HEBREW, SCRIPT_ARABIC,
    SCRIPT_DEVANAGARI, SCRIPT_BENGALI, SCRIPT_GURMUKHI, SCRIPT_GUJARATI, SCRIPT_ORIYA, SCRIPT_TAMIL,
    SCRIPT_TELUGU, SCRIPT_KANNADA, SCRIPT_MALAYALAM, SCRIPT_SINHALA, SCRIPT_THAI, SCRIPT_LAO,
    SCRIPT_TIBETAN, SCRIPT_BURMESE, SCRIPT_GEORGIAN, SCRIPT_HANGUL, SCRIPT_ETHIOPIC, SCRIPT_KHMER,
    SCRIPT_MONGOLIAN, SCRIPT_HAN, SCRIPT_HIRAGANA, SCRIPT_KATAKANA, SCRIPT_SYRIAC, SCRIPT_THAANA,
    SCRIPT_OTHER, SCRIPT_COUNT
};

enum script script_of(int32_t c);       /* of a letter; by block, so approximate for other signs */
const char *script_name(enum script s);

/* The scripts that a language is written in, bit s for script s; 0 for a name that is no language
 * code ("src").  A tag may name the script: "sr-Latn". */
uint32_t language_scripts(const char *tag);

#endif
