/* Two tables: blocks of Unicode to scripts, languages to scripts. */
#include "corpora/scripts.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "corpora/language_tag.h"

static const struct { int32_t first, last; enum script script; } blocks[] = {
    { 'A', 'Z', SCRIPT_LATIN }, { 'a', 'z', SCRIPT_LATIN }, { 0xAA, 0xAA, SCRIPT_LATIN },
    { 0xBA, 0xBA, SCRIPT_LATIN }, { 0xC0, 0x24F, SCRIPT_LATIN }, { 0x250, 0x2AF, SCRIPT_LATIN },
    { 0x370, 0x3FF, SCRIPT_GREEK }, { 0x400, 0x52F, SCRIPT_CYRILLIC }, { 0x531, 0x58A, SCRIPT_ARMENIAN },
    { 0x591, 0x5F4, SCRIPT_HEBREW }, { 0x600, 0x6FF, SCRIPT_ARABIC }, { 0x700, 0x74F, SCRIPT_SYRIAC },
    { 0x750, 0x77F, SCRIPT_ARABIC }, { 0x780, 0x7BF, SCRIPT_THAANA }, { 0x8A0, 0x8FF, SCRIPT_ARABIC },
    { 0x900, 0x97F, SCRIPT_DEVANAGARI }, { 0x980, 0x9FF, SCRIPT_BENGALI },
    { 0xA00, 0xA7F, SCRIPT_GURMUKHI }, { 0xA80, 0xAFF, SCRIPT_GUJARATI }, { 0xB00, 0xB7F, SCRIPT_ORIYA },
    { 0xB80, 0xBFF, SCRIPT_TAMIL }, { 0xC00, 0xC7F, SCRIPT_TELUGU }, { 0xC80, 0xCFF, SCRIPT_KANNADA },
    { 0xD00, 0xD7F, SCRIPT_MALAYALAM }, { 0xD80, 0xDFF, SCRIPT_SINHALA }, { 0xE00, 0xE7F, SCRIPT_THAI },
    { 0xE80, 0xEFF, SCRIPT_LAO }, { 0xF00, 0xFFF, SCRIPT_TIBETAN }, { 0x1000, 0x109F, SCRIPT_BURMESE },
    { 0x10A0, 0x10FF, SCRIPT_GEORGIAN }, { 0x1100, 0x11FF, SCRIPT_HANGUL },
    { 0x1200, 0x139F, SCRIPT_ETHIOPIC }, { 0x1780, 0x17FF, SCRIPT_KHMER },
    { 0x1800, 0x18AF, SCRIPT_MONGOLIAN }, { 0x1C80, 0x1C8F, SCRIPT_CYRILLIC },
    { 0x1C90, 0x1CBF, SCRIPT_GEORGIAN }, { 0x1E00, 0x1EFF, SCRIPT_LATIN }, { 0x1F00, 0x1FFF, SCRIPT_GREEK },
    { 0x2C60, 0x2C7F, SCRIPT_LATIN }, { 0x2D00, 0x2D2F, SCRIPT_GEORGIAN },
    { 0x2D80, 0x2DDF, SCRIPT_ETHIOPIC }, { 0x2DE0, 0x2DFF, SCRIPT_CYRILLIC }, { 0x3005, 0x3007, SCRIPT_HAN },
    { 0x3041, 0x309F, SCRIPT_HIRAGANA }, { 0x30A0, 0x30FF, SCRIPT_KATAKANA },
    { 0x3130, 0x318F, SCRIPT_HANGUL }, { 0x31F0, 0x31FF, SCRIPT_KATAKANA }, { 0x3400, 0x4DBF, SCRIPT_HAN },
    { 0x4E00, 0x9FFF, SCRIPT_HAN }, { 0xA640, 0xA69F, SCRIPT_CYRILLIC }, { 0xA720, 0xA7FF, SCRIPT_LATIN },
    { 0xA8E0, 0xA8FF, SCRIPT_DEVANAGARI }, { 0xA960, 0xA97F, SCRIPT_HANGUL },
    { 0xA9E0, 0xA9FF, SCRIPT_BURMESE }, { 0xAA60, 0xAA7F, SCRIPT_BURMESE },
    { 0xAB00, 0xAB2F, SCRIPT_ETHIOPIC }, { 0xAC00, 0xD7FF, SCRIPT_HANGUL }, { 0xF900, 0xFAFF, SCRIPT_HAN },
    { 0xFB00, 0xFB06, SCRIPT_LATIN }, { 0xFB13, 0xFB17, SCRIPT_ARMENIAN }, { 0xFB1D, 0xFB4F, SCRIPT_HEBREW },
    { 0xFB50, 0xFDFF, SCRIPT_ARABIC }, { 0xFE70, 0xFEFC, SCRIPT_ARABIC }, { 0xFF21, 0xFF5A, SCRIPT_LATIN },
    { 0xFF66, 0xFF9F, SCRIPT_KATAKANA }, { 0x20000, 0x3FFFF, SCRIPT_HAN },
};

enum script script_of(int32_t c)
{
    size_t low = 0, high = ARRAY_COUNT(blocks);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ARRAY_COUNT(blocks) && c >= blocks[low].first ? blocks[low].script : SCRIPT_OTHER;
}

static const char *const names[SCRIPT_COUNT] = {
    "none", "Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Devanagari", "Bengali",
    "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao",
    "Tibetan", "Burmese", "Georgian", "Hangul", "Ethiopic", "Khmer", "Mongolian", "Han", "Hiragana",
    "Katakana", "Syriac", "Thaana", "other",
};

const char *script_name(enum script s)
{
    return names[s];
}

#define BIT(s) (UINT32_C(1) << SCRIPT_##s)

/* Languages that are not written in Latin letters, or not in them alone. */
static const struct { const char *codes; uint32_t scripts; } languages[] = {
    { " el ell gre ", BIT(GREEK) },
    { " ru rus uk ukr be bel bg bul mk mkd mac ky kir tg tgk ba bak tt tat cv chv ce che os oss ab abk "
      "kv kom udm mhr myv sah tyv bua rue ", BIT(CYRILLIC) },
    { " sr srp kk kaz uz uzb az aze tk tuk mn mon khk crh sh hbs bs bos ",
      BIT(CYRILLIC) | BIT(LATIN) | BIT(MONGOLIAN) },
    { " hy hye arm ", BIT(ARMENIAN) }, { " he heb iw yi yid ", BIT(HEBREW) },
    { " ar ara fa fas per ur urd ps pus ug uig sd snd arz ary apc ckb pnb azb prs ", BIT(ARABIC) },
    { " ku kur kmr ks kas ", BIT(ARABIC) | BIT(LATIN) | BIT(DEVANAGARI) },
    { " hi hin mr mar ne nep npi sa san bho mai kok gom awa ", BIT(DEVANAGARI) },
    { " bn ben as asm ", BIT(BENGALI) }, { " pa pan ", BIT(GURMUKHI) | BIT(ARABIC) },
    { " gu guj ", BIT(GUJARATI) }, { " or ori ory ", BIT(ORIYA) }, { " ta tam ", BIT(TAMIL) },
    { " te tel ", BIT(TELUGU) }, { " kn kan ", BIT(KANNADA) }, { " ml mal ", BIT(MALAYALAM) },
    { " si sin ", BIT(SINHALA) }, { " th tha ", BIT(THAI) }, { " lo lao ", BIT(LAO) },
    { " bo bod tib dz dzo ", BIT(TIBETAN) }, { " my mya bur shn mnw ", BIT(BURMESE) },
    { " ka kat geo ", BIT(GEORGIAN) }, { " ko kor ", BIT(HANGUL) | BIT(HAN) },
    { " am amh ti tir ", BIT(ETHIOPIC) }, { " km khm ", BIT(KHMER) },
    { " zh zho chi cmn yue wuu nan lzh ", BIT(HAN) },
    { " ja jpn ", BIT(HAN) | BIT(HIRAGANA) | BIT(KATAKANA) }, { " dv div ", BIT(THAANA) },
    { " syr arc ", BIT(SYRIAC) },
};

static const struct { const char *tag; uint32_t scripts; } subtags[] = {
    { "latn", BIT(LATIN) }, { "cyrl", BIT(CYRILLIC) }, { "arab", BIT(ARABIC) }, { "deva", BIT(DEVANAGARI) },
    { "hans", BIT(HAN) }, { "hant", BIT(HAN) }, { "hebr", BIT(HEBREW) }, { "grek", BIT(GREEK) },
    { "mong", BIT(MONGOLIAN) }, { "guru", BIT(GURMUKHI) }, { "beng", BIT(BENGALI) },
};

/* The script subtag, the second part with four letters. */
static uint32_t subtag_scripts(const char *tag)
{
    for (const char *part = strpbrk(tag, "-_"); part; part = strpbrk(part + 1, "-_"))
        for (size_t i = 0; i < ARRAY_COUNT(subtags); i++)
            if (!strncasecmp(part + 1, subtags[i].tag, 4))
                return subtags[i].scripts;
    return 0;
}

uint32_t language_scripts(const char *tag)
{
    size_t length = tag ? strcspn(tag, "-_") : 0;
    char code[6] = " ";
    if (!language_told(tag) || length < 2 || length > 3)
        return 0;
    uint32_t named = subtag_scripts(tag);
    if (named)
        return named;
    for (size_t i = 0; i < length; i++) {
        char c = (char)(tag[i] | 0x20);
        if (c < 'a' || c > 'z')
            return 0;
        code[1 + i] = c;
    }
    code[1 + length] = ' ';
    for (size_t i = 0; i < ARRAY_COUNT(languages); i++)
        if (strstr(languages[i].codes, code))
            return languages[i].scripts;
    return BIT(LATIN);
}
