#include "tests/test.h"

#include <fcntl.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

/* What `talk` writes on standard error. */
static char *heard(void (*talk)(void))
{
    const char *path = scratch_path("stderr");
    struct error err = { 0 };
    char *text;
    int kept = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    close(fd);
    talk();
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_int_equal(file_read(&text, NULL, path, &err), 0);
    return text;
}

static void talk(void)
{
    log_info("%d lines", 3);
    log_warning("skipped %s", "one");
}

static void talk_quietly(void)
{
    log_quiet(true);
    talk();
    log_quiet(false);
}

static void show_progress(void)
{
    struct progress p;
    progress_start(&p, "reading", "lines", 10);
    p.start -= 10;
    progress_add(&p, 5);
    progress_show(true, "update %d", 7);
    progress_end(&p);
}

static void messages_go_to_standard_error(void **state)
{
    char *text = heard(talk);
    assert_string_equal(text, "3 lines\nwarning: skipped one\n");
    free(text);
}

static void quiet_drops_all_but_warnings(void **state)
{
    char *text = heard(talk_quietly);
    assert_string_equal(text, "warning: skipped one\n");
    free(text);
}

static void progress_is_absent_without_a_terminal(void **state)
{
    char *text = heard(show_progress);
    assert_string_equal(text, "");
    free(text);
}

static void durations_read_as_clocks(void **state)
{
    static const struct { double seconds; const char *text; } cases[] = {
        { 0, "0:00" }, { 0.6, "0:01" }, { 59.4, "0:59" }, { 59.6, "1:00" }, { 61, "1:01" },
        { 3599, "59:59" }, { 3600, "1:00:00" }, { 3723, "1:02:03" }, { 360000, "100:00:00" },
        { -5, "0:00" }, { INFINITY, "0:00" }, { NAN, "0:00" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(clock_text(cases[i].seconds), cases[i].text);
}

static void clock_does_not_go_back(void **state)
{
    double before = clock_seconds();
    assert_true(clock_seconds() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_absent_without_a_terminal),
        cmocka_unit_test(messages_go_to_standard_error),
        cmocka_unit_test(quiet_drops_all_but_warnings),
        cmocka_unit_test(durations_read_as_clocks),
        cmocka_unit_test(clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
