#include "tests/test.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

static void assert_text(const char *path, const char *expected)
{
    struct error err = { 0 };
    char *text;
    size_t length;
    if (file_read(&text, &length, path, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(length, strlen(expected));
    assert_string_equal(text, expected);
    free(text);
}

static size_t partial_count(const char *path)
{
    glob_t found = { 0 };
    char *pattern = xasprintf("%s.partial-*", path);
    size_t count = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;
    globfree(&found);
    free(pattern);
    return count;
}

static void committed_file_replaces_the_old_one(void **state)
{
    const char *path = scratch_path("replaced");
    struct error err = { 0 };
    struct outfile out = { 0 };

    write_text(path, "old");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(outfile_open(&out, path, &err), 0);
    fprintf(out.stream, "new text");
    fflush(out.stream);
    assert_text(path, "old");
    assert_int_equal(outfile_commit(&out, &err), 0);
    assert_text(path, "new text");
    assert_int_equal(partial_count(path), 0);
    outfile_abort(&out);

    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void aborted_file_leaves_the_old_one(void **state)
{
    const char *path = scratch_path("aborted");
    struct error err = { 0 };
    struct outfile out = { 0 };

    write_text(path, "old");
    assert_int_equal(outfile_open(&out, path, &err), 0);
    fprintf(out.stream, "half a ");
    fflush(out.stream);
    assert_int_equal(partial_count(path), 1);
    outfile_abort(&out);
    outfile_abort(&out);
    assert_text(path, "old");
    assert_int_equal(partial_count(path), 0);
}

static void aborting_nothing_is_harmless(void **state)
{
    struct outfile out = { 0 };
    outfile_abort(&out);
    assert_null(out.stream);
}

static void full_disk_is_told_by_the_commit(void **state)
{
    struct error err = { 0 };
    struct outfile out = { 0 };
    NEED_FILE("/dev/full");
    assert_int_equal(outfile_open(&out, "/dev/full", &err), 0);
    fprintf(out.stream, "text");
    assert_int_equal(outfile_commit(&out, &err), -1);
    assert_non_null(strstr(err.text, "cannot write /dev/full: No space left"));
    assert_int_equal(file_write("/dev/full", "text", 4, &err), -1);
    assert_int_equal(access("/dev/full", W_OK), 0);
}

/* The buffer overflows long before the commit, which has to remember it. */
static void full_disk_is_noticed_in_the_middle(void **state)
{
    struct error err = { 0 };
    struct outfile out = { 0 };
    NEED_FILE("/dev/full");
    assert_int_equal(outfile_open(&out, "/dev/full", &err), 0);
    for (int i = 0; i < 100000; i++)
        fputs("a line of text\n", out.stream);
    assert_int_equal(outfile_commit(&out, &err), -1);
    assert_non_null(strstr(err.text, "/dev/full"));
}

/* A limit on the size of files: the failing write is an early one, its reason is still told. */
static void reason_of_an_early_failure_is_told(void **state)
{
    const char *path = scratch_path("limited");
    struct rlimit before, small = { 1 << 16, RLIM_INFINITY };
    struct error err = { 0 };
    struct outfile out = { 0 };
    char *block = calloc(1, 1 << 20);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(outfile_open(&out, path, &err), 0);
    fwrite(block, 1, 1 << 20, out.stream);
    int ret = outfile_commit(&out, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    free(block);
    assert_int_equal(ret, -1);
    assert_non_null(strstr(err.text, strerror(EFBIG)));
    assert_false(file_exists(path));
}

static void devices_are_written_in_place(void **state)
{
    struct error err = { 0 };
    struct stat st;
    assert_int_equal(file_write("/dev/null", "text", 4, &err), 0);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void links_stay_links(void **state)
{
    const char *path = scratch_path("link-target"), *link = scratch_path("link");
    struct error err = { 0 };
    struct stat st;
    write_text(path, "old");
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(file_write(link, "new", 3, &err), 0);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_text(path, "new");
}

static void unwritable_places_are_named(void **state)
{
    struct error err = { 0 };
    struct outfile out = { 0 };
    const char *missing = scratch_path("no/such/folder");
    assert_int_equal(outfile_open(&out, missing, &err), -1);
    assert_non_null(strstr(err.text, missing));
    assert_non_null(strstr(err.text, "there is no folder"));
    assert_null(out.stream);
    assert_int_equal(outfile_open(&out, "/tmp", &err), -1);
    assert_string_equal(err.text, "cannot write /tmp: it is a folder");
}

static void output_onto_its_own_input_is_refused(void **state)
{
    const char *path = scratch_path("input"), *other = scratch_path("other");
    const char *link = scratch_path("other-name");
    struct error err = { 0 };
    write_text(path, "text");
    write_text(other, "text");
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(files_differ(other, path, &err), 0);
    assert_int_equal(files_differ(scratch_path("new"), path, &err), 0);
    assert_int_equal(files_differ(NULL, path, &err), 0);
    assert_int_equal(files_differ("/dev/null", "/dev/null", &err), 0);
    assert_int_equal(files_differ(path, path, &err), -1);
    assert_int_equal(files_differ(link, path, &err), -1);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(files_differ_all(path, (const char *[]){ other, NULL, "-" }, 3, &err), 0);
    assert_int_equal(files_differ_all(path, (const char *[]){ other, link }, 2, &err), -1);
}

static void two_outputs_into_one_file_are_refused(void **state)
{
    const char *path = scratch_path("there"), *link = scratch_path("there-too");
    const char *fresh = scratch_path("fresh");
    struct error err = { 0 };
    char *folder = path_dir(fresh), *detour = xasprintf("%s/./%s", folder, path_name(fresh));
    write_text(path, "text");
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(outputs_differ(path, fresh, &err), 0);
    assert_int_equal(outputs_differ(fresh, scratch_path("fresh-too"), &err), 0);
    assert_int_equal(outputs_differ(fresh, path_name(fresh), &err), 0);         /* of another folder */
    assert_int_equal(outputs_differ(fresh, NULL, &err), 0);
    assert_int_equal(outputs_differ("/dev/null", "/dev/null", &err), 0);
    assert_int_equal(outputs_differ(path, link, &err), -1);
    assert_int_equal(outputs_differ(detour, fresh, &err), -1);
    assert_non_null(strstr(err.text, "fresh would be written twice"));
    free(folder);
    free(detour);
}

static void missing_file_is_named(void **state)
{
    struct error err = { 0 };
    struct mapping m = { 0 };
    const char *path = scratch_path("missing");
    char *text = NULL, *expected = xasprintf("cannot read %s: No such file or directory", path);

    assert_int_equal(file_read(&text, NULL, path, &err), -1);
    assert_string_equal(err.text, expected);
    assert_null(text);
    assert_int_equal(mapping_open(&m, path, &err), -1);
    assert_string_equal(err.text, expected);
    assert_int_equal(file_copy(scratch_path("copy"), path, &err), -1);
    assert_string_equal(err.text, expected);
    assert_int_equal(file_read(&text, NULL, "/tmp", &err), -1);
    assert_string_equal(err.text, "cannot read /tmp: it is a folder");
    free(expected);
}

static void bytes_come_back_as_written(void **state)
{
    struct error err = { 0 };
    size_t length = 200000, got;
    char *bytes = xmalloc(length), *back;
    const char *path = scratch_path("bytes"), *copy = scratch_path("bytes-copy");

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 7 % 251);
    assert_int_equal(file_write(path, bytes, length, &err), 0);
    assert_int_equal(file_copy(copy, path, &err), 0);
    assert_int_equal(file_read(&back, &got, copy, &err), 0);
    assert_int_equal(got, length);
    assert_memory_equal(back, bytes, length);
    assert_int_equal(back[length], 0);
    free(back);

    struct mapping m = { 0 };
    assert_int_equal(mapping_open(&m, path, &err), 0);
    assert_int_equal(m.length, length);
    assert_memory_equal(m.bytes, bytes, length);
    mapping_close(&m);
    mapping_close(&m);
    free(bytes);
}

static void empty_files_are_fine(void **state)
{
    struct error err = { 0 };
    struct mapping m = { 0 };
    const char *path = scratch_path("empty");
    assert_int_equal(file_write(path, NULL, 0, &err), 0);
    assert_text(path, "");
    assert_int_equal(mapping_open(&m, path, &err), 0);
    assert_int_equal(m.length, 0);
    mapping_close(&m);
}

static void folders_are_made_with_parents_and_removed_whole(void **state)
{
    struct error err = { 0 };
    const char *top = scratch_path("tree"), *deep = scratch_path("tree/a/b//c/");

    assert_int_equal(dir_make(deep, &err), 0);
    assert_int_equal(dir_make(deep, &err), 0);
    write_text(scratch_path("tree/a/b/file"), "x");
    assert_int_equal(symlink("/tmp", scratch_path("tree/a/link")), 0);
    assert_int_equal(dir_make(scratch_path("tree/a/b/file/d"), &err), -1);
    assert_non_null(strstr(err.text, "cannot make folder"));
    assert_true(file_exists(deep));
    assert_int_equal(dir_remove(top, &err), 0);
    assert_false(file_exists(top));
    assert_true(file_exists("/tmp"));
    assert_int_equal(dir_remove(top, &err), 0);
}

static void paths_are_joined_and_taken_apart(void **state)
{
    static const struct { const char *folder, *name, *joined; } joins[] = {
        { "run", "model", "run/model" }, { "run/", "model", "run/model" }, { "", "model", "model" },
        { "run", "/abs", "/abs" }, { "/", "x", "/x" },
    };
    static const struct { const char *path, *dir, *name; } parts[] = {
        { "a/b/c", "a/b", "c" }, { "c", ".", "c" }, { "/c", "/", "c" }, { "a/", "a", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(joins); i++) {
        char *path = path_join(joins[i].folder, joins[i].name);
        assert_string_equal(path, joins[i].joined);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        char *dir = path_dir(parts[i].path);
        assert_string_equal(dir, parts[i].dir);
        assert_string_equal(path_name(parts[i].path), parts[i].name);
        free(dir);
    }
}

static void temporary_files_lie_where_TMPDIR_says(void **state)
{
    struct error err = { 0 };
    char *begin = xasprintf("%s/coho-word-", scratch_path("aside"));
    struct stat st;
    assert_int_equal(dir_make(scratch_path("aside"), &err), 0);
    setenv("TMPDIR", scratch_path("aside"), 1);
    char *name = temporary_file("word", &err);
    assert_non_null(name);
    assert_int_equal(strncmp(name, begin, strlen(begin)), 0);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(dir_remove(scratch_path("aside"), &err), 0);
    assert_null(temporary_file("word", &err));
    assert_non_null(strstr(err.text, begin));
    setenv("TMPDIR", "", 1);
    assert_string_equal(temporary_folder(), "/tmp");
    unsetenv("TMPDIR");
    assert_string_equal(temporary_folder(), "/tmp");
    free(name);
    free(begin);
}

static void scratch_keeps_its_bytes_and_has_no_name(void **state)
{
    struct error err = { 0 };
    char text[5] = "", *begin = xstrdup(scratch_path("keys")), *pattern = xasprintf("%s-*", begin);
    glob_t found = { 0 };
    FILE *file = scratch_open(begin, &err);
    assert_non_null(file);
    fputs("text", file);
    rewind(file);
    assert_int_equal(fread(text, 1, 4, file), 4);
    assert_string_equal(text, "text");
    assert_int_equal(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
    fclose(file);
    assert_null(scratch_open(scratch_path("nowhere/keys"), &err));
    assert_non_null(strstr(err.text, "nowhere/keys-"));
    free(begin);
    free(pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_file_replaces_the_old_one),
        cmocka_unit_test(aborted_file_leaves_the_old_one),
        cmocka_unit_test(aborting_nothing_is_harmless),
        cmocka_unit_test(full_disk_is_told_by_the_commit),
        cmocka_unit_test(full_disk_is_noticed_in_the_middle),
        cmocka_unit_test(reason_of_an_early_failure_is_told),
        cmocka_unit_test(devices_are_written_in_place),
        cmocka_unit_test(links_stay_links),
        cmocka_unit_test(unwritable_places_are_named),
        cmocka_unit_test(output_onto_its_own_input_is_refused),
        cmocka_unit_test(two_outputs_into_one_file_are_refused),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(bytes_come_back_as_written),
        cmocka_unit_test(empty_files_are_fine),
        cmocka_unit_test(folders_are_made_with_parents_and_removed_whole),
        cmocka_unit_test(paths_are_joined_and_taken_apart),
        cmocka_unit_test(temporary_files_lie_where_TMPDIR_says),
        cmocka_unit_test(scratch_keeps_its_bytes_and_has_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
