/* Each format: what comes out of a file, and what is said of a bad one. */
#include "tests/test.h"

#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "corpora/import.h"

/* All pairs as "source|target\n"; NULL after an error. */
static char *import_all(const struct import_config *config, const char *source, const char *target,
                        struct error *err)
{
    struct import *in = import_open(config, source, target, err);
    struct text_pair pair;
    struct strbuf all = { 0 };
    int more = -1;
    while (in && (more = import_next(in, &pair, err)) > 0) {
        strbuf_add(&all, pair.source.bytes, pair.source.length);
        strbuf_puts(&all, pair.target.bytes ? "|" : "");
        if (pair.target.bytes)
            strbuf_add(&all, pair.target.bytes, pair.target.length);
        strbuf_putc(&all, '\n');
    }
    import_close(in);
    if (more == 0)
        return strbuf_detach(&all);
    strbuf_release(&all);
    return NULL;
}

/* Options as "name=value name=value". */
static void configure(struct import_config *config, struct option_group groups[2], const char *options)
{
    char *text = xstrdup(options), *rest = text, *word;
    struct error err = { 0 };
    groups[0] = (struct option_group){ NULL, import_options, config };
    groups[1] = (struct option_group){ NULL, NULL, NULL };
    options_default(groups);
    while ((word = strsep(&rest, " ")) && *word) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (options_set(groups, word, value, &err) < 0)
            fail_msg("%s", err.text);
    }
    free(text);
}

/* Exactly one of `pairs` and `error` (a part of the message) is given; `@` in it is the file. */
struct format_case {
    const char *name, *options, *content, *pairs, *error;
};

static void expect_case(const struct format_case *c)
{
    struct import_config config;
    struct option_group groups[2];
    struct error err = { 0 };
    char path[4096], wanted[9000] = "";
    snprintf(path, sizeof path, "%s", scratch_path(c->name));
    configure(&config, groups, c->options);
    write_text(path, c->content);
    char *all = import_all(&config, path, NULL, &err);
    if (c->pairs) {
        if (!all)
            fail_msg("%s: %s", c->name, err.text);
        assert_string_equal(all, c->pairs);
    } else {
        const char *at = strchr(c->error, '@');
        snprintf(wanted, sizeof wanted, "%.*s%s%s", at ? (int)(at - c->error) : (int)strlen(c->error),
                 c->error, at ? path : "", at ? at + 1 : "");
        if (all)
            fail_msg("%s: no error in %s", c->name, c->content);
        if (!strstr(err.text, wanted))
            fail_msg("'%s' is not in '%s'", wanted, err.text);
    }
    free(all);
    options_release(groups);
}

#define EXPECT_ALL(cases) \
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) \
        expect_case(&(cases)[i])

static void tables(void **state)
{
    static const struct format_case cases[] = {
        { "a.tsv", "", "a\tb\nc d\te\tf\n", "a|b\nc d|e\n" },
        { "a.tsv", "source-field=3 target-field=1", "a\tb\tc\n", "c|a\n" },
        { "a.tsv", "source-field=en target-field=de", "de\tx\ten\nja\t0\tyes\n", "yes|ja\n" },
        { "a.tsv", "", "\"a\tb\"\n", "\"a|b\"\n" },
        { "a.tsv", "", "a\tb\nonly\n", .error = "@:2: column 2 is wanted and the row has 1" },
        { "a.tsv", "source-field=en target-field=2", "a\tb\n", .error = "@:1: no column is called 'en'" },
        { "a.tsv", "", "a\tb\nx\xff\tb\n", .error = "@:2: not UTF-8" },
        { "a.tsv", "side=source", "only\n", "only\n" },
        { "a.csv", "", "a,b\n\"x, \"\"y\"\"\",\"two\nlines\"\n,\n", "a|b\nx, \"y\"|two lines\n|\n" },
        { "a.csv", "separator=;", "a,b;c\n", "a,b|c\n" },
        { "a.csv", "source-field=en target-field=de", "id,en,de\n1,one,eins\n", "one|eins\n" },
        { "a.csv", "", "a,b\n\"open,c\nd,e\n", .error = "@:2: a quotation mark opens a field" },
        { "a.csv", "separator=ab", "a,b\n", .error = "separator 'ab'" },
    };
    EXPECT_ALL(cases);
}

#define TMX(body) "<?xml version=\"1.0\"?>\n<tmx version=\"1.4\"><header srclang=\"en\"/><body>\n" body "</body></tmx>\n"
#define TU(en, de) "<tu><tuv xml:lang=\"en\"><seg>" en "</seg></tuv><tuv xml:lang=\"de-DE\"><seg>" de \
                   "</seg></tuv></tu>\n"
#define EN_DE "source-lang=en target-lang=de"

static void translation_memories(void **state)
{
    static const struct format_case cases[] = {
        { "a.tmx", EN_DE, TMX(TU("One &amp; two", "Eins") TU("B", "C")), "One & two|Eins\nB|C\n" },
        { "a.tmx", "source-lang=de target-lang=en", TMX(TU("One", "Eins")), "Eins|One\n" },
        { "a.tmx", EN_DE, TMX(TU("a <bpt i=\"1\">&lt;b></bpt>bold<ept i=\"1\">&lt;/b></ept> <hi>x</hi>", "b")),
          "a bold x|b\n" },
        { "a.tmx", EN_DE, TMX(TU("two\n   lines", " spaced ")), "two lines|spaced\n" },
        { "a.tmx", EN_DE, TMX("<tu><tuv lang=\"EN_us\"><seg>old</seg></tuv><tuv lang=\"de\"><seg>alt"
                              "</seg></tuv></tu>"), "old|alt\n" },
        { "a.tmx", EN_DE, TMX("<tu><tuv xml:lang=\"en\"><seg>x</seg></tuv></tu>" TU("y", "z")), "y|z\n" },
        { "a.tmx", "source-lang=en side=source", TMX(TU("y", "z")), "y\n" },
        { "a.tmx", "source-lang=en target-lang=fr", TMX(TU("y", "z")),
          .error = "none of the 1 units in '@' has both 'en' and 'fr'; its languages are en, de-DE" },
        { "a.tmx", "", TMX(TU("y", "z")), .error = "Name them with --source-lang" },
        { "a.tmx", EN_DE, "<tmx><body/></tmx>", .error = "holds no translation unit" },
        { "a.tmx", EN_DE, "<tmx>\n<body>\n<tu></body></tmx>", .error = "@:3: not well-formed XML: mismatched tag" },
        { "a.tmx", EN_DE, "<tmx>\n", .error = "@:2: not well-formed XML" },
        { "a.tmx", EN_DE, "", .error = "@:1: not well-formed XML: no element found" },
        { "a.tmx", EN_DE, "<?xml version=\"1.0\" encoding=\"windows-1252\"?><tmx><body>" TU("\x93q\x94", "\xe4")
          "</body></tmx>", "“q”|ä\n" },
    };
    EXPECT_ALL(cases);
}

static void localisation_files(void **state)
{
#define XLIFF1(body) "<xliff version=\"1.2\" xmlns=\"urn:x\"><file source-language=\"en\" target-language=\"de\">" \
                     "<body>" body "</body></file></xliff>"
#define XLIFF2(body) "<xliff version=\"2.0\" srcLang=\"en\" trgLang=\"de\"><file id=\"f\">" body "</file></xliff>"
    static const struct format_case cases[] = {
        { "a.xlf", "", XLIFF1("<group><trans-unit id=\"1\"><source>Open <g id=\"1\">file</g><ph id=\"2\">%s</ph></source>"
                              "<target>Datei öffnen</target><alt-trans><source>no</source><target>nein</target>"
                              "</alt-trans></trans-unit></group>"), "Open file|Datei öffnen\n" },
        { "a.xlf", "", XLIFF1("<trans-unit id=\"1\"><source>a</source></trans-unit><trans-unit id=\"2\">"
                              "<source>b</source><target>c</target></trans-unit>"), "b|c\n" },
        { "a.xlf", "", XLIFF1("<trans-unit><source>a</source><target state=\"new\">b</target></trans-unit>"),
          .error = "none of the 1 units in '@' is translated" },
        { "a.xlf", "unfinished=true", XLIFF1("<trans-unit><source>a</source><target state=\"new\">b</target>"
                                             "</trans-unit>"), "a|b\n" },
        { "a.xlf", "target-lang=fr", XLIFF1("<trans-unit><source>a</source><target>b</target></trans-unit>"),
          .error = "none of the 1 units" },
        { "a.xliff", "", XLIFF2("<unit id=\"1\"><segment><source>One <pc id=\"1\">two</pc></source><target>Eins</target>"
                                "</segment><ignorable><source> </source></ignorable><segment><source>B</source>"
                                "<target>C</target></segment></unit>"), "One two|Eins\nB|C\n" },
        { "a.xlf", "", "<xliff></xliff>", .error = "holds no translation unit" },
        { "a.xlf", "", "<xliff>\n\n&bad;</xliff>", .error = "@:3: not well-formed XML" },
    };
    EXPECT_ALL(cases);
}

#define HEADER(charset) "msgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=" charset "\\n\"\n\n"

static void gettext_sources(void **state)
{
    static const struct format_case cases[] = {
        { "a.po", "", HEADER("UTF-8") "#: x.c\nmsgid \"Open\"\nmsgstr \"Öffnen\"\n\nmsgid \"\"\n\"two \"\n\"parts\\n\"\n"
          "msgstr \"zwei\\t\\\"Teile\\\"\\n\"\n", "Open|Öffnen\ntwo parts|zwei \"Teile\"\n" },
        { "a.po", "", HEADER("UTF-8") "#, fuzzy\nmsgid \"a\"\nmsgstr \"b\"\n\n#~ msgid \"old\"\n#~ msgstr \"alt\"\n"
          "msgid \"c\"\nmsgstr \"d\"\n", "c|d\n" },
        { "a.po", "unfinished=true", HEADER("UTF-8") "#, c-format, fuzzy\nmsgid \"a\"\nmsgstr \"b\"\n", "a|b\n" },
        { "a.po", "", HEADER("UTF-8") "msgid \"one\"\nmsgid_plural \"many\"\nmsgstr[0] \"eins\"\nmsgstr[1] \"zwei\"\n"
          "msgstr[2] \"viele\"\n", "one|eins\nmany|viele\n" },
        { "a.po", "", HEADER("UTF-8") "msgctxt \"menu\"\nmsgid \"a\"\nmsgstr \"b\"\nmsgctxt \"x\"\nmsgid \"a\"\n"
          "msgstr \"c\"\nmsgid \"untold\"\nmsgstr \"\"\n", "a|b\na|c\n" },
        { "a.po", "", HEADER("ISO-8859-1") "msgid \"a\"\nmsgstr \"\xe4\"\n", "a|ä\n" },
        { "a.po", "", HEADER("ASCII") "msgid \"a\"\nmsgstr \"ä\"\n", "a|ä\n" },
        { "a.po", "", HEADER("CHARSET") "msgid \"a\"\nmsgstr \"ä\"\n", "a|ä\n" },
        { "a.po", "", HEADER("UTF-8") "msgid \"a\"\nmsgstr \"\\344\\xe4\"\n", .error = "@:5: the text is not in the encoding" },
        { "a.po", "bad-utf8=replace", HEADER("UTF-8") "msgid \"a\"\nmsgstr \"\xe4\"\n", "a|\uFFFD\n" },
        { "a.po", "", HEADER("KLINGON-1"), .error = "@:1: the encoding 'KLINGON-1' is not known" },
        { "a.po", "", "msgid \"a\"\nmsgstr \"b\nmsgid \"c\"\n", .error = "@:2: a quotation mark is missing" },
        { "a.po", "", "msgid a\n", .error = "@:1: a text in quotation marks is missing" },
        { "a.po", "", "\"alone\"\n", .error = "@:1: a text stands outside of any entry" },
        { "a.po", "", "# x\nhello\n", .error = "@:2: neither a comment, nor msgid" },
    };
    EXPECT_ALL(cases);
}

static void test_sets(void **state)
{
#define DATASET "<dataset id=\"t\"><doc id=\"d1\" origlang=\"en\"><src lang=\"en\"><p><seg id=\"1\">One &amp; two</seg></p>" \
    "<p><seg id=\"2\">B</seg></p></src><ref lang=\"de\" translator=\"A\"><p><seg id=\"1\">Eins</seg></p><p><seg id=\"2\">C" \
    "</seg></p></ref><ref lang=\"de\" translator=\"B\"><p><seg id=\"1\">Ein</seg></p></ref><hyp><seg id=\"1\">no</seg>" \
    "</hyp></doc><doc id=\"d2\"><src lang=\"en\"><seg id=\"1\">D</seg></src><ref lang=\"de\"><seg id=\"1\">E</seg></ref>" \
    "</doc></dataset>"
    static const struct format_case cases[] = {
        { "a.xml", "", DATASET, "One & two|Eins\nB|C\nD|E\n" },
        { "a.xml", "target-lang=fr", DATASET, .error = "holds no segment of the reference" },
        { "a.xml", "", "<doc id=\"a\">\n<src>\n<seg id=\"1\">x</seg></src><ref><seg id=\"2\">y</seg></ref></doc>",
          .error = "@:3: this segment's document and number are not in the references" },
        { "a.xml", "", "", .error = "holds no segment of the source" },
    };
    EXPECT_ALL(cases);

    struct import_config config;
    struct option_group groups[2];
    char source[4096], target[4096];
    configure(&config, groups, "");
    snprintf(source, sizeof source, "%s", scratch_path("src.sgm"));
    snprintf(target, sizeof target, "%s", scratch_path("ref.sgm"));
    write_text(source, "<srcset setid=\"n\" srclang=\"any\">\n<DOC docid=\"a\">\n<p>\n<seg id=\"1\">R&D < 3</seg>\n"
                       "<seg id=\"2\"> B </seg>\n</p></DOC></srcset>");
    write_text(target, "<refset setid=\"n\" trglang=\"de\"><doc docid=\"a\"><seg id=\"2\">zwei</seg><seg id=\"1\">eins</seg>"
                       "</doc></refset>");
    char *all = import_all(&config, source, target, NULL);
    assert_string_equal(all, "R&D < 3|eins\nB|zwei\n");
    free(all);
    options_release(groups);
}

static void json_lines(void **state)
{
    static const struct format_case cases[] = {
        { "a.jsonl", "", "{\"source\": \"a\", \"target\": \"b\\nc\"}\n\n{\"src\": \"d\", \"tgt\": \"e\"}\n", "a|b c\nd|e\n" },
        { "a.jsonl", "source-lang=en target-lang=de", "{\"translation\": {\"de\": \"ja\", \"en\": \"yes\"}}\n", "yes|ja\n" },
        { "a.jsonl", "source-lang=en target-lang=de", "{\"de\": \"ja\", \"en\": \"yes\"}\n", "yes|ja\n" },
        { "a.jsonl", "source-field=t.x target-field=y.z", "{\"t\": {\"x\": \"1\"}, \"y.z\": \"2\"}\n", "1|2\n" },
        { "a.jsonl", "", "{\"source\": \"a\", \"target\": \"b\"}\n{\"source\": \"a\"}\n",
          .error = "@:2: no text for the target in the object; name the member with --target-field" },
        { "a.jsonl", "source-field=q", "{\"source\": \"a\"}\n", .error = "@:1: no text at 'q'" },
        { "a.jsonl", "", "{\"source\": \n", .error = "@:1: not a JSON object" },
        { "a.jsonl", "", "[1]\n", .error = "@:1: not a JSON object: it is an array" },
    };
    EXPECT_ALL(cases);
}

static void one_language_alone(void **state)
{
    static const struct format_case cases[] = {
        { "a.txt", "", "one\ntwo\n", "one\ntwo\n" },
        { "a", "side=target", "one\n", "\n" },
        { "a.tsv", "side=target", "a\tb\n", "b\n" },
        { "a.jsonl", "side=source", "{\"source\": \"x\"}\n", "x\n" },
        { "a", "format=libreoffice-help", "x", .error = "takes two inputs" },
    };
    EXPECT_ALL(cases);
}

static void moses_corpora(void **state)
{
    struct import_config config;
    struct option_group groups[2];
    struct error err = { 0 };
    char stem[4000], path[4096];
    configure(&config, groups, "format=moses source-lang=en target-lang=de");
    snprintf(stem, sizeof stem, "%s", scratch_path("corpus"));
    snprintf(path, sizeof path, "%s.en", stem);
    write_text(path, "it &apos;s &amp; A &#124; B\n");
    assert_null(import_all(&config, stem, NULL, &err));
    assert_non_null(strstr(err.text, "corpus.de"));
    snprintf(path, sizeof path, "%s.de.gz", stem);
    gzFile packed = gzopen(path, "wb");
    gzputs(packed, "x &lt; &#93; &eacute;\n");
    gzclose(packed);
    char *all = import_all(&config, stem, NULL, &err);
    assert_string_equal(all, "it 's & A | B|x < ] &eacute;\n");
    free(all);
    options_release(groups);
}

/* ---- MO files, made here ---- */

static void put32(struct strbuf *out, uint32_t value, bool swapped)
{
    value = swapped ? __builtin_bswap32(value) : value;
    strbuf_add(out, &value, sizeof value);
}

/* Texts in pairs; lengths as given, since they may hold zero bytes. */
struct mo_text { const char *bytes; uint32_t length; };

static void make_mo(struct strbuf *out, const struct mo_text (*texts)[2], uint32_t count, bool swapped)
{
    uint32_t at = 28 + 16 * count;
    put32(out, 0x950412DE, swapped);
    put32(out, 0, swapped);
    put32(out, count, swapped);
    put32(out, 28, swapped);
    put32(out, 28 + 8 * count, swapped);
    put32(out, 0, swapped);
    put32(out, 0, swapped);
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < count; i++) {
            put32(out, texts[i][side].length, swapped);
            put32(out, at, swapped);
            at += texts[i][side].length + 1;
        }
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < count; i++) {
            strbuf_add(out, texts[i][side].bytes, texts[i][side].length);
            strbuf_putc(out, '\0');
        }
}

#define MO_TEXT(s) { s, sizeof(s) - 1 }
static const struct mo_text messages[][2] = {
    { MO_TEXT(""), MO_TEXT("Content-Type: text/plain; charset=ISO-8859-1\n") },
    { MO_TEXT("menu\004Open"), MO_TEXT("\xd6" "ffnen") },
    { MO_TEXT("one\0many"), MO_TEXT("eins\0zwei\0viele") },
};

static void compiled_catalogues(void **state)
{
    struct import_config config;
    struct option_group groups[2];
    struct error err = { 0 };
    char path[4096];
    configure(&config, groups, "");
    snprintf(path, sizeof path, "%s", scratch_path("a.mo"));
    for (int swapped = 0; swapped < 2; swapped++) {
        struct strbuf mo = { 0 };
        make_mo(&mo, messages, 3, swapped);
        assert_int_equal(file_write(path, mo.text, mo.length, NULL), 0);
        char *all = import_all(&config, path, NULL, &err);
        if (!all)
            fail_msg("%s", err.text);
        assert_string_equal(all, "Open|Öffnen\none|eins\nmany|viele\n");
        free(all);
        for (size_t cut = 0; cut + 1 < mo.length; cut++) {      /* the last zero byte is not missed */
            assert_int_equal(file_write(path, mo.text, cut, NULL), 0);
            assert_null(import_all(&config, path, NULL, &err));
            assert_non_null(strstr(err.text, path));
        }
        strbuf_release(&mo);
    }
    options_release(groups);
}

static void names_tell_the_format_and_packings_are_passed_over(void **state)
{
    struct import_config config;
    struct option_group groups[2];
    char path[4096];
    configure(&config, groups, EN_DE);
    snprintf(path, sizeof path, "%s", scratch_path("memory.TMX.gz"));
    gzFile packed = gzopen(path, "wb");
    gzputs(packed, TMX(TU("One", "Eins")));
    gzclose(packed);
    char *all = import_all(&config, path, NULL, NULL);
    assert_string_equal(all, "One|Eins\n");
    free(all);
    struct error err = { 0 };
    assert_null(import_open(&config, scratch_path("text"), path, &err));
    assert_non_null(strstr(err.text, "memory.TMX.gz' is of the format tmx by its name, which holds both sides"));
    assert_false(import_is_text(&config, scratch_path("text"), path));
    options_release(groups);
    configure(&config, groups, "format=pairs");
    assert_true(import_is_text(&config, scratch_path("text"), path));
    options_release(groups);
    configure(&config, groups, "format=tmx");
    assert_null(import_open(&config, path, path, &err));
    assert_non_null(strstr(err.text, "takes one input"));
    options_release(groups);
}

static void a_large_memory_goes_through_in_small_blocks(void **state)
{
    struct import_config config;
    struct option_group groups[2];
    struct error err = { 0 };
    struct text_pair pair;
    char path[4096];
    int64_t count = 0;
    int more;
    configure(&config, groups, EN_DE);
    snprintf(path, sizeof path, "%s", scratch_path("large.tmx"));
    FILE *f = fopen(path, "w");
    fputs("<tmx><body>\n", f);
    for (int i = 0; i < 20000; i++)
        fprintf(f, TU("Sentence number %d", "Satz Nummer %d"), i, i);
    fputs("</body></tmx>\n", f);
    fclose(f);
    struct import *in = import_open(&config, path, NULL, &err);
    assert_non_null(in);
    while ((more = import_next(in, &pair, &err)) > 0) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "Satz Nummer %d", (int)count++);
        assert_int_equal(pair.target.length, strlen(wanted));
        assert_memory_equal(pair.target.bytes, wanted, strlen(wanted));
    }
    assert_int_equal(more, 0);
    assert_int_equal(count, 20000);
    import_close(in);
    options_release(groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(translation_memories),
        cmocka_unit_test(localisation_files),
        cmocka_unit_test(gettext_sources),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(one_language_alone),
        cmocka_unit_test(moses_corpora),
        cmocka_unit_test(compiled_catalogues),
        cmocka_unit_test(names_tell_the_format_and_packings_are_passed_over),
        cmocka_unit_test(a_large_memory_goes_through_in_small_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
