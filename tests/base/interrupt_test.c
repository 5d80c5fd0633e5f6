#include "tests/test.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/interrupt.h"

static void first_signal_sets_the_flag(void **state)
{
    static const int signals[] = { SIGINT, SIGTERM };
    for (int i = 0; i < 2; i++) {
        interrupt_install();
        assert_false(interrupt_requested());
        assert_int_equal(interrupt_signal(), 0);
        raise(signals[i]);
        assert_true(interrupt_requested());
        assert_int_equal(interrupt_signal(), signals[i]);
    }
}

static void second_signal_ends_the_program(void **state)
{
    static const int pairs[][2] = { { SIGINT, SIGINT }, { SIGTERM, SIGINT }, { SIGINT, SIGTERM } };
    for (int i = 0; i < 3; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            interrupt_install();
            raise(pairs[i][0]);
            raise(pairs[i][1]);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_signal_sets_the_flag),
        cmocka_unit_test(second_signal_ends_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
