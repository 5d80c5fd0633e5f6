#include "tests/test.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "base/strbuf.h"

static void nothing_is_still_a_pointer(void **state)
{
    void *p = xmalloc(0), *q = xcalloc(0, 8), *r = xaligned(0);
    assert_non_null(p);
    assert_non_null(q);
    assert_non_null(r);
    free(p);
    free(q);
    free(r);
}

static void vectors_are_aligned(void **state)
{
    for (size_t size = 1; size < 1000; size += 37) {
        void *p = xaligned(size);
        assert_int_equal((uintptr_t)p % 64, 0);
        free(p);
    }
}

static void arrays_grow_and_keep_their_items(void **state)
{
    int *items = NULL;
    size_t room = 0;
    for (int i = 0; i < 10000; i++) {
        ARRAY_GROW(items, room, i + 1);
        items[i] = i;
    }
    assert_true(room >= 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(items[i], i);
    free(items);
}

static void copies_stop_at_the_length(void **state)
{
    char *a = xstrndup("student", 4), *b = xstrndup("st", 10), *c = xasprintf("%d-%s", 7, "x");
    assert_string_equal(a, "stud");
    assert_string_equal(b, "st");
    assert_string_equal(c, "7-x");
    free(a);
    free(b);
    free(c);
}

/* In a child process: what it prints on standard error and its exit status. */
static int status_without_memory(size_t count, size_t size)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(99);
        free(xcalloc(count, size));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void no_memory_stops_with_status_one(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
    skip();                             /* the sanitiser stops by itself */
#endif
    assert_int_equal(status_without_memory(SIZE_MAX / 2, 16), 1);
    assert_int_equal(status_without_memory(8, 16), 0);
}

static void strings_grow_by_every_means(void **state)
{
    struct strbuf b = { 0 };
    char big[3000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';

    strbuf_puts(&b, "one");
    strbuf_putc(&b, ' ');
    strbuf_add(&b, "t\0o", 3);
    strbuf_printf(&b, " %d", 3);
    assert_int_equal(b.length, 9);
    assert_memory_equal(b.text, "one t\0o 3", 10);
    strbuf_reset(&b);
    assert_int_equal(b.length, 0);
    assert_string_equal(b.text, "");
    strbuf_printf(&b, "%s%s", big, big);
    assert_int_equal(b.length, 2 * strlen(big));
    assert_int_equal(strlen(b.text), b.length);
    strbuf_release(&b);
    assert_null(b.text);
}

static void detached_text_is_never_null(void **state)
{
    struct strbuf b = { 0 };
    char *text = strbuf_detach(&b);
    assert_string_equal(text, "");
    assert_null(b.text);
    free(text);
    strbuf_puts(&b, "abc");
    text = strbuf_detach(&b);
    assert_string_equal(text, "abc");
    free(text);
}

static void lists_own_their_strings(void **state)
{
    struct strings s = { 0 };
    char text[8] = "first";
    strings_add(&s, text);
    strcpy(text, "second");
    strings_add(&s, text);
    assert_int_equal(s.count, 2);
    assert_string_equal(s.items[0], "first");
    assert_string_equal(s.items[1], "second");
    strings_release(&s);
    assert_int_equal(s.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_still_a_pointer),
        cmocka_unit_test(vectors_are_aligned),
        cmocka_unit_test(arrays_grow_and_keep_their_items),
        cmocka_unit_test(copies_stop_at_the_length),
        cmocka_unit_test(no_memory_stops_with_status_one),
        cmocka_unit_test(strings_grow_by_every_means),
        cmocka_unit_test(detached_text_is_never_null),
        cmocka_unit_test(lists_own_their_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
