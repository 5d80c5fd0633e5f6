#include "tests/test.h"

#include <fcntl.h>
#include <lzma.h>
#include <signal.h>
#include <sys/wait.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/strbuf.h"

/* ---- making files ---- */

static void save(const char *path, const void *bytes, size_t length)
{
    struct error err = { 0 };
    if (file_write(path, bytes, length, &err) < 0)
        fail_msg("%s", err.text);
}

static void pack_gzip(struct strbuf *out, const void *bytes, size_t length)
{
    z_stream z = { 0 };
    size_t room = length + length / 2 + 1000;
    unsigned char *packed = xmalloc(room);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (unsigned)length;
    z.next_out = packed;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    strbuf_add(out, packed, room - z.avail_out);
    deflateEnd(&z);
    free(packed);
}

static void pack_zstd(struct strbuf *out, const void *bytes, size_t length)
{
    size_t room = ZSTD_compressBound(length);
    char *packed = xmalloc(room);
    size_t got = ZSTD_compress(packed, room, bytes, length, 3);
    assert_false(ZSTD_isError(got));
    strbuf_add(out, packed, got);
    free(packed);
}

static void pack_xz(struct strbuf *out, const void *bytes, size_t length)
{
    size_t room = lzma_stream_buffer_bound(length), got = 0;
    uint8_t *packed = xmalloc(room);
    assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, bytes, length, packed, &got,
                                             room), LZMA_OK);
    strbuf_add(out, packed, got);
    free(packed);
}

typedef void packer(struct strbuf *out, const void *bytes, size_t length);
static packer *const packers[] = { strbuf_add, pack_gzip, pack_zstd, pack_xz };
static packer *const compressors[] = { pack_gzip, pack_zstd, pack_xz };

/* ---- reading them back, each line followed by '|' ---- */

static int read_all(struct strbuf *out, struct lines *in, const char *path, struct error *err)
{
    int more;
    strbuf_reset(out);
    if (lines_open(in, path, err) < 0)
        return -1;
    while ((more = lines_next(in, err)) > 0) {
        assert_int_equal(in->text[in->length], 0);
        strbuf_add(out, in->text, in->length);
        strbuf_putc(out, '|');
    }
    lines_close(in);
    return more;
}

static void line_ends_are_taken_off(void **state)
{
    static const struct { const char *text, *lines; } cases[] = {
        { "", "" }, { "\n", "|" }, { "a", "a|" }, { "a\n", "a|" }, { "a\nb", "a|b|" },
        { "a\r\nb\r\n", "a|b|" }, { "\r\n", "|" }, { "\n\n", "||" }, { "a\rb\n", "a\rb|" },
        { "a\r", "a\r|" }, { "a\r\r\n", "a\r|" }, { "\xEF\xBB\xBF" "a\nb\n", "a|b|" },
        { "\xEF\xBB\xBF", "" }, { "\xEF\xBB\xBF\n", "|" }, { "a\n\xEF\xBB\xBF" "b\n", "a|\xEF\xBB\xBF" "b|" },
        { "ä\n€\n😀\n", "ä|€|😀|" }, { "a\n\n\nb", "a|||b|" },
    };
    for (size_t p = 0; p < ARRAY_COUNT(packers); p++)
        for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
            struct strbuf packed = { 0 }, got = { 0 };
            struct lines in = { 0 };
            struct error err = { 0 };
            const char *path = scratch_path("ends");
            packers[p](&packed, cases[i].text, strlen(cases[i].text));
            save(path, packed.text, packed.length);
            assert_int_equal(read_all(&got, &in, path, &err), 0);
            assert_string_equal(got.text, cases[i].lines);
            strbuf_release(&packed);
            strbuf_release(&got);
        }
}

static void zero_bytes_are_kept(void **state)
{
    struct lines in = { 0 };
    struct error err = { 0 };
    const char *path = scratch_path("zero");
    save(path, "a\0b\n\0\n", 6);
    assert_int_equal(lines_open(&in, path, &err), 0);
    assert_int_equal(lines_next(&in, &err), 1);
    assert_int_equal(in.length, 3);
    assert_memory_equal(in.text, "a\0b", 4);
    assert_int_equal(lines_next(&in, &err), 1);
    assert_int_equal(in.length, 1);
    assert_int_equal(in.number, 2);
    assert_int_equal(lines_next(&in, &err), 0);
    assert_int_equal(lines_next(&in, &err), 0);
    lines_close(&in);
    lines_close(&in);
}

/* Line i is "i" and i % 700 letters, so that lines fall across every block border. */
static void many_lines(struct strbuf *text, int count)
{
    for (int i = 0; i < count; i++) {
        strbuf_printf(text, "%d ", i);
        for (int j = 0; j < i % 700; j++)
            strbuf_putc(text, (char)('a' + (i + j) % 26));
        strbuf_putc(text, '\n');
    }
}

static void assert_many_lines(const char *path, int count)
{
    struct lines in = { 0 };
    struct error err = { 0 };
    int more, i = 0;
    assert_int_equal(lines_open(&in, path, &err), 0);
    for (; (more = lines_next(&in, &err)) > 0; i++) {
        char start[16];
        int digits = snprintf(start, sizeof start, "%d ", i);
        assert_int_equal(in.length, (size_t)(digits + i % 700));
        assert_memory_equal(in.text, start, digits);
        if (i % 700)
            assert_int_equal(in.text[in.length - 1], 'a' + (i + i % 700 - 1) % 26);
        assert_int_equal(in.number, i + 1);
    }
    if (more < 0)
        fail_msg("%s", err.text);
    assert_int_equal(i, count);
    lines_close(&in);
}

static void lines_cross_blocks_unharmed(void **state)
{
    struct strbuf text = { 0 };
    many_lines(&text, 6000);
    for (size_t p = 0; p < ARRAY_COUNT(packers); p++) {
        struct strbuf packed = { 0 };
        const char *path = scratch_path("many");
        packers[p](&packed, text.text, text.length);
        save(path, packed.text, packed.length);
        assert_many_lines(path, 6000);
        strbuf_release(&packed);
    }
    strbuf_release(&text);
}

/* As `cat a.gz b.gz` and pigz make them; an empty member in the middle. */
static void concatenated_members_are_one_text(void **state)
{
    struct strbuf text = { 0 };
    many_lines(&text, 3000);
    for (size_t p = 0; p < ARRAY_COUNT(compressors); p++) {
        struct strbuf packed = { 0 };
        const char *path = scratch_path("members");
        size_t third = text.length / 3;
        compressors[p](&packed, text.text, third);
        compressors[p](&packed, "", 0);
        compressors[p](&packed, text.text + third, third);
        compressors[p](&packed, text.text + 2 * third, text.length - 2 * third);
        save(path, packed.text, packed.length);
        assert_many_lines(path, 3000);
        strbuf_release(&packed);
    }
    strbuf_release(&text);
}

static void zeros_behind_gzip_are_padding(void **state)
{
    struct strbuf packed = { 0 }, got = { 0 };
    struct lines in = { 0 };
    struct error err = { 0 };
    const char *path = scratch_path("padded");
    char zeros[1000] = { 0 };
    pack_gzip(&packed, "a\nb\n", 4);
    strbuf_add(&packed, zeros, sizeof zeros);
    save(path, packed.text, packed.length);
    assert_int_equal(read_all(&got, &in, path, &err), 0);
    assert_string_equal(got.text, "a|b|");
    strbuf_release(&packed);
    strbuf_release(&got);
}

/* Wherever the file is cut, the cut is told, with the file's name. */
static void truncated_files_are_told(void **state)
{
    struct strbuf text = { 0 };
    many_lines(&text, 300);
    for (size_t p = 0; p < ARRAY_COUNT(compressors); p++) {
        struct strbuf packed = { 0 };
        const char *path = scratch_path("cut");
        compressors[p](&packed, text.text, text.length);
        for (size_t cut = 4; cut < packed.length; cut += cut < 40 ? 1 : packed.length / 50) {
            struct strbuf got = { 0 };
            struct lines in = { 0 };
            struct error err = { 0 };
            save(path, packed.text, cut);
            assert_int_equal(read_all(&got, &in, path, &err), -1);
            assert_non_null(strstr(err.text, path));
            assert_non_null(strstr(err.text, "truncated"));
            strbuf_release(&got);
        }
        save(path, packed.text, packed.length - 1);
        struct strbuf got = { 0 };
        struct lines in = { 0 };
        struct error err = { 0 };
        assert_int_equal(read_all(&got, &in, path, &err), -1);
        strbuf_release(&got);
        strbuf_release(&packed);
    }
    strbuf_release(&text);
}

static void damaged_files_are_told(void **state)
{
    struct strbuf text = { 0 };
    many_lines(&text, 2000);
    for (size_t p = 0; p < ARRAY_COUNT(compressors); p++) {
        struct strbuf packed = { 0 }, got = { 0 };
        struct lines in = { 0 };
        struct error err = { 0 };
        const char *path = scratch_path("damaged");
        compressors[p](&packed, text.text, text.length);
        for (size_t i = packed.length / 2; i < packed.length / 2 + 40; i++)
            packed.text[i] ^= 0x55;
        save(path, packed.text, packed.length);
        assert_int_equal(read_all(&got, &in, path, &err), -1);
        assert_non_null(strstr(err.text, path));
        strbuf_release(&packed);
        strbuf_release(&got);
    }
    strbuf_release(&text);
}

static void missing_files_and_folders_are_named(void **state)
{
    struct lines in = { 0 };
    struct error err = { 0 };
    const char *path = scratch_path("missing");
    assert_int_equal(lines_open(&in, path, &err), -1);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(lines_open(&in, "/tmp", &err), -1);
    assert_string_equal(err.text, "cannot read /tmp: it is a folder");
    lines_close(&in);
}

static void bad_utf8_is_refused_with_its_line(void **state)
{
    struct strbuf got = { 0 };
    struct lines in = { 0 };
    struct error err = { 0 };
    const char *path = scratch_path("latin1");
    char where[200];
    write_text(path, "good\nal\xC3\xA4s\nbad \xE4 byte\nmore\n");
    assert_int_equal(read_all(&got, &in, path, &err), -1);
    snprintf(where, sizeof where, "%s:3: not UTF-8: byte 0xE4 at column 5", path);
    assert_memory_equal(err.text, where, strlen(where));
    assert_string_equal(got.text, "good|al\xC3\xA4s|");
    strbuf_release(&got);
}

static void bad_bytes_are_replaced_one_by_one(void **state)
{
    struct strbuf got = { 0 };
    struct lines in = { .utf8 = UTF8_REPLACE };
    struct error err = { 0 };
    const char *path = scratch_path("replace");
    write_text(path, "a\xFF\xFE" "b\nfine\n\xC3\n\xE2\x82\n");
    assert_int_equal(read_all(&got, &in, path, &err), 0);
    assert_string_equal(got.text, "a\xEF\xBF\xBD\xEF\xBF\xBD" "b|fine|\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD|");
    assert_int_equal(in.replaced, 3);
    strbuf_release(&got);
}

static void bad_bytes_are_kept_on_request(void **state)
{
    struct strbuf got = { 0 };
    struct lines in = { .utf8 = UTF8_KEEP };
    struct error err = { 0 };
    const char *path = scratch_path("keep");
    write_text(path, "a\xFF\xFE" "b\n");
    assert_int_equal(read_all(&got, &in, path, &err), 0);
    assert_string_equal(got.text, "a\xFF\xFE" "b|");
    strbuf_release(&got);
}

static void utf8_is_what_unicode_says(void **state)
{
    static const struct { const char *text; size_t good; } cases[] = {
        { "", 0 }, { "abcdefghijklmnop", 16 }, { "abcdefgh\xFF", 8 }, { "abcdefghi\x80" "abc", 9 },
        { "\xC2\x80", 2 }, { "\xDF\xBF", 2 }, { "\xE0\xA0\x80", 3 }, { "\xED\x9F\xBF", 3 },
        { "\xEE\x80\x80", 3 }, { "\xEF\xBF\xBF", 3 }, { "\xF0\x90\x80\x80", 4 }, { "\xF4\x8F\xBF\xBF", 4 },
        { "\xC0\x80", 0 }, { "\xC1\xBF", 0 }, { "\xE0\x9F\xBF", 0 }, { "\xF0\x8F\xBF\xBF", 0 },
        { "\xED\xA0\x80", 0 }, { "\xED\xBF\xBF", 0 }, { "\xF4\x90\x80\x80", 0 }, { "\xF5\x80\x80\x80", 0 },
        { "a\xC3", 1 }, { "a\xE2\x82", 1 }, { "a\xF0\x9F\x98", 1 }, { "\x80", 0 }, { "\xC3" "a", 0 },
        { "\xE2\x82" "a", 0 }, { "\xF0\x9F\x98" "a", 0 }, { "\xFE", 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(utf8_valid_prefix(cases[i].text, strlen(cases[i].text)), cases[i].good);
}

/* Every code point, encoded here by its definition, is valid unless it is a surrogate. */
static void every_code_point_is_judged_right(void **state)
{
    for (unsigned c = 0x80; c < 0x110800; c++) {
        char text[4];
        size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(0x80 | (c >> 6 * (length - 1 - i) & 0x3F));
        text[0] = (char)(lead[length] | c >> 6 * (length - 1));
        bool good = (c < 0xD800 || c > 0xDFFF) && c <= 0x10FFFF;
        if (utf8_valid_prefix(text, length) != (good ? length : 0))
            fail_msg("U+%04X is judged wrong", c);
    }
}

static void very_long_lines_work(void **state)
{
    size_t length = 100000000;
    char *text = xmalloc(length + 3);
    memset(text, 'x', length);
    memcpy(text + length, "\nb\n", 3);
    for (size_t p = 0; p < ARRAY_COUNT(packers); p += 2) {
        struct strbuf packed = { 0 };
        struct lines in = { 0 };
        struct error err = { 0 };
        const char *path = scratch_path("long");
        packers[p](&packed, text, length + 3);
        save(path, packed.text, packed.length);
        assert_int_equal(lines_open(&in, path, &err), 0);
        assert_int_equal(lines_next(&in, &err), 1);
        assert_int_equal(in.length, length);
        assert_int_equal(lines_next(&in, &err), 1);
        assert_string_equal(in.text, "b");
        assert_int_equal(lines_next(&in, &err), 0);
        lines_close(&in);
        unlink(path);
        strbuf_release(&packed);
    }
    free(text);
}

static void dash_is_standard_input(void **state)
{
    struct strbuf packed = { 0 };
    const char *path = scratch_path("stdin");
    int kept = dup(STDIN_FILENO);
    pack_gzip(&packed, "a\nb\xFF\n", 5);
    save(path, packed.text, packed.length);

    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    dup2(fd, STDIN_FILENO);
    close(fd);
    struct lines in = { 0 };
    struct error err = { 0 };
    struct strbuf got = { 0 };
    assert_int_equal(read_all(&got, &in, "-", &err), -1);
    assert_string_equal(got.text, "a|");
    assert_memory_equal(err.text, "standard input:2: not UTF-8", 27);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    if (kept >= 0) {
        dup2(kept, STDIN_FILENO);
        close(kept);
    }
    strbuf_release(&got);
    strbuf_release(&packed);
}

/* A pipe gives its bytes in small pieces; the packing and the mark are told all the same. */
static void small_pieces_make_whole_lines(void **state)
{
    static const char text[] = "\xEF\xBB\xBF" "one\r\ntwo\n";
    int ends[2];
    char path[32];
    struct lines in = { 0 };
    struct error err = { 0 };
    struct strbuf got = { 0 };

    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        close(ends[0]);
        for (size_t i = 0; i < sizeof text - 1; i++) {
            if (write(ends[1], text + i, 1) != 1)
                _exit(1);
            usleep(1000);
        }
        _exit(0);
    }
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(read_all(&got, &in, path, &err), 0);
    assert_string_equal(got.text, "one|two|");
    close(ends[0]);
    strbuf_release(&got);
}

static void small_files_become_lists(void **state)
{
    struct strings list = { 0 };
    struct error err = { 0 };
    const char *path = scratch_path("list");
    write_text(path, "one\n\nthree\n");
    assert_int_equal(lines_read(&list, path, 0, &err), 0);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[1], "");
    assert_string_equal(list.items[2], "three");
    strings_release(&list);
    assert_int_equal(lines_read(&list, path, 2, &err), 0);
    assert_int_equal(list.count, 2);
    strings_release(&list);
    save(path, "a\nb\0c\n", 6);
    assert_int_equal(lines_read(&list, path, 0, &err), -1);
    assert_non_null(strstr(err.text, "list:2: a zero byte"));
    assert_int_equal(list.count, 0);
}

static void byte_order_mark_is_reported(void **state)
{
    static const char *const texts[] = { "a\n", "\xEF\xBB\xBF" "a\n" };
    for (int i = 0; i < 2; i++) {
        struct lines in = { 0 };
        struct error err = { 0 };
        const char *path = scratch_path("mark");
        write_text(path, texts[i]);
        assert_int_equal(lines_open(&in, path, &err), 0);
        assert_int_equal(lines_next(&in, &err), 1);
        assert_int_equal(in.marked, i);
        lines_close(&in);
    }
}

/* A child reads a pipe that nobody writes to; a signal makes it give up. */
static void interrupt_ends_the_wait_for_input(void **state)
{
    int text[2], ready[2], status;
    char byte;
    assert_int_equal(pipe(text), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct lines in = { 0 };
        struct error err = { 0 };
        interrupt_install();
        dup2(text[0], STDIN_FILENO);
        assert_int_equal(write(ready[1], "", 1), 1);
        _exit(lines_open(&in, "-", &err) < 0 && !strcmp(err.text, "interrupted") ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(text[0]);
    close(text[1]);
    close(ready[0]);
    close(ready[1]);
}

/* UTF-16, a character outside the first plane on every seventh line. */
static void other_encodings_become_utf8(void **state)
{
    static const char *const packings[] = { "utf-16", "UTF_16" };
    struct strbuf wide = { 0 }, wanted = { 0 };
    strbuf_add(&wide, "\xFF\xFE", 2);
    for (int i = 0; i < 30001; i++) {
        bool high = i % 7 == 0;
        strbuf_puts(&wanted, high ? "x\U0001F600|" : "é|");
        strbuf_add(&wide, high ? "x\0\x3D\xD8\0\xDE\n\0" : "\xE9\0\n\0", high ? 8 : 4);
    }
    for (size_t p = 0; p < ARRAY_COUNT(packers); p++) {
        struct strbuf packed = { 0 }, got = { 0 };
        struct lines in = { .encoding = packings[p % 2] };
        struct error err = { 0 };
        packers[p](&packed, wide.text, wide.length);
        save(scratch_path("wide"), packed.text, packed.length);
        assert_int_equal(read_all(&got, &in, scratch_path("wide"), &err), 0);
        assert_string_equal(got.text, wanted.text);
        strbuf_release(&packed);
        strbuf_release(&got);
    }
    strbuf_release(&wide);
    strbuf_release(&wanted);
}

static void bytes_of_no_character_are_told_or_replaced(void **state)
{
    struct lines refusing = { .encoding = "utf-16le" }, mending = { .encoding = "utf-16le", .utf8 = UTF8_REPLACE };
    struct lines unknown = { .encoding = "klingon" };
    struct strbuf got = { 0 };
    struct error err = { 0 };
    const char *path = scratch_path("odd");
    save(path, "a\0\n\0b\0c", 7);               /* half a character at the end */
    assert_int_equal(read_all(&got, &refusing, path, &err), -1);
    assert_non_null(strstr(err.text, "odd:2: byte 0x63 is not utf-16le"));
    lines_close(&refusing);
    assert_int_equal(read_all(&got, &mending, path, &err), 0);
    assert_string_equal(got.text, "a|b\xEF\xBF\xBD|");
    assert_int_equal(lines_open(&unknown, path, &err), -1);
    assert_string_equal(err.text, "the encoding 'klingon' is not known");
    strbuf_release(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_are_taken_off),
        cmocka_unit_test(zero_bytes_are_kept),
        cmocka_unit_test(lines_cross_blocks_unharmed),
        cmocka_unit_test(concatenated_members_are_one_text),
        cmocka_unit_test(zeros_behind_gzip_are_padding),
        cmocka_unit_test(truncated_files_are_told),
        cmocka_unit_test(damaged_files_are_told),
        cmocka_unit_test(missing_files_and_folders_are_named),
        cmocka_unit_test(bad_utf8_is_refused_with_its_line),
        cmocka_unit_test(bad_bytes_are_replaced_one_by_one),
        cmocka_unit_test(bad_bytes_are_kept_on_request),
        cmocka_unit_test(utf8_is_what_unicode_says),
        cmocka_unit_test(every_code_point_is_judged_right),
        cmocka_unit_test(very_long_lines_work),
        cmocka_unit_test(dash_is_standard_input),
        cmocka_unit_test(small_pieces_make_whole_lines),
        cmocka_unit_test(small_files_become_lists),
        cmocka_unit_test(byte_order_mark_is_reported),
        cmocka_unit_test(interrupt_ends_the_wait_for_input),
        cmocka_unit_test(other_encodings_become_utf8),
        cmocka_unit_test(bytes_of_no_character_are_told_or_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
