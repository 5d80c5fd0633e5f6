/* Trainings that lose their disk or their life.
 *
 * The functions that write files are defined here and take the place of the C library's: each
 * counts, and the one whose turn it is fails as on a full disk, or kills the process. */
#include "tests/seq2seq/toy_training.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- writes that fail ---- */

static struct {
    bool on;                    /* training, and not the test around it */
    bool kills;
    long count;                 /* writes so far … */
    long from, to;              /* … and which of them go wrong */
} fault;

static bool strikes(void)
{
    if (!fault.on || ++fault.count < fault.from || fault.count >= fault.to)
        return false;
    if (fault.kills)
        kill(getpid(), SIGKILL);
    errno = ENOSPC;
    return true;
}

static bool stream_strikes(FILE *f)
{
    if (f == stdout || f == stderr || !strikes())
        return false;
    f->_flags |= 0x20;          /* what ferror asks for */
    return true;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Small ones stay in the stream's memory until it is flushed. */
size_t fwrite(const void *bytes, size_t size, size_t n, FILE *f)
{
    return size * n >= BUFSIZ / 2 && stream_strikes(f) ? 0 : REAL(fwrite)(bytes, size, n, f);
}

int fflush(FILE *f)
{
    return f && stream_strikes(f) ? EOF : REAL(fflush)(f);
}

FILE *fopen(const char *path, const char *mode)
{
    return *mode != 'r' && strikes() ? NULL : REAL(fopen)(path, mode);
}

/* No power fails here: what is written stays written, and the test is not the disk's. */
int fsync(int fd)
{
    return strikes() ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    return strikes() ? -1 : REAL(rename)(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    return strikes() ? -1 : REAL(mkdir)(path, mode);
}

/* A full disk can still delete. */
int unlink(const char *path)
{
    if (fault.kills)
        strikes();
    return REAL(unlink)(path);
}

/* Some thousand warnings about a full disk are not wanted. */
static void switch_fault(bool on)
{
    static int messages = -1;
    fflush(stderr);
    if (on) {
        messages = dup(STDERR_FILENO);
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    } else {
        dup2(messages, STDERR_FILENO);
        close(messages);
    }
    fault.on = on;
}

/* The next training: writes `from` up to but not `to` go wrong. */
static void arrange(long from, long to, bool kills)
{
    fault.count = 0;
    fault.from = from;
    fault.to = to;
    fault.kills = kills;
}

static void arrange_nothing(void)
{
    arrange(LONG_MAX, LONG_MAX, false);
}

/* ---- the training ---- */

static int validations;

static int count_validation(void *state, const struct model *m, int threads, struct decode_scores *scores,
                            struct error *e)
{
    *scores = (struct decode_scores){ ++validations, 1, NAN };
    return 0;
}

static struct run run_counted(const char *folder, struct train_config c)
{
    const struct validator validator = { NULL, NULL, count_validation };
    validations = 0;
    return run_validated("transformer", folder, c, &validator);
}

static struct train_config short_config(int updates)
{
    struct train_config c = config_make(updates);
    c.threads = 1;
    c.validate_every = 3;
    c.save_every = 2;
    c.log_every = 2;
    c.average = 2;
    c.validate_decode = true;
    c.resume = true;
    return c;
}

/* From an empty folder, undisturbed; the number of its writes. */
static struct model *whole_run(struct train_config c, long *writes)
{
    const char *folder = scratch_path("undisturbed");
    arrange_nothing();
    expect_ok(dir_remove(folder, &err));
    struct run r = run_counted(folder, c);
    expect_ok(r.ret);
    *writes = fault.count;
    return r.m;
}

static void assert_resumes_to(const struct model *wanted, const char *folder, struct train_config c, long at)
{
    arrange_nothing();
    struct run r = run_counted(folder, c);
    if (r.ret < 0)
        fail_msg("write %ld: %s", at, err.text);
    if (memcmp(r.m->params.block, wanted->params.block, wanted->params.total * sizeof(float)))
        fail_msg("write %ld: the resumed run ends with other weights", at);
    model_free(r.m);
    struct model *left = model_load(folder, &err);
    if (!left)
        fail_msg("write %ld: %s", at, err.text);
    assert_same_weights(left, wanted);
    model_free(left);
}

static int partial_found;

static int look_for_partial(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    partial_found += strstr(path, ".partial-") != NULL;
    return 0;
}

/* Disk full for `span` writes, from each write in turn or each step-th. */
static void fill_the_disk(long span, long step)
{
    struct train_config c = short_config(7);
    long writes, survived = 0;
    struct model *wanted = whole_run(c, &writes);
    assert_true(writes > 50);
    for (long at = 1; at <= writes; at += step) {
        const char *folder = scratch_path("full");
        expect_ok(dir_remove(folder, &err));
        arrange(at, at + span, false);
        struct run r = run_counted(folder, c);
        fault.on = false;
        if (r.ret < 0) {                /* only where nothing had begun, or at the very end */
            if (!strstr(err.text, "cannot ") || (at > 10 && validations < 2))
                fail_msg("write %ld of %ld: %s", at, writes, err.text);
        } else {
            survived++;
            assert_same_weights(r.m, wanted);
        }
        model_free(r.m);
        partial_found = 0;
        nftw(folder, look_for_partial, 16, FTW_PHYS);
        assert_int_equal(partial_found, 0);
        assert_resumes_to(wanted, folder, c, at);
    }
    print_message("%ld writes, %ld times the training went through\n", writes, survived);
    assert_true(survived > writes / step / 3);
    model_free(wanted);
}

static void a_write_that_fails_ends_no_training(void **state)
{
    fill_the_disk(1, 1);
}

static void a_disk_that_is_full_for_a_while_ends_no_training(void **state)
{
    fill_the_disk(12, 5);
}

/* ---- deaths ---- */

/* Starts the training in a child. */
static pid_t start_child(const char *folder, struct train_config c)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct run r = run_counted(folder, c);
        _exit(r.ret < 0);
    }
    return child;
}

static void a_death_at_any_write_costs_nothing(void **state)
{
    struct train_config c = short_config(7);
    long writes;
    struct model *wanted = whole_run(c, &writes);
    for (long at = 1; at <= writes; at++) {
        const char *folder = scratch_path("killed");
        int status;
        expect_ok(dir_remove(folder, &err));
        arrange(at, at + 1, true);
        pid_t child = start_child(folder, c);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_resumes_to(wanted, folder, c, at);
    }
    model_free(wanted);
}

static struct train_config long_config(void)
{
    struct train_config c = config_make(200);
    c.validate_every = 20;
    c.save_every = 7;
    c.resume = true;
    return c;
}

static void a_death_at_any_moment_costs_nothing(void **state)
{
    struct train_config c = long_config();
    struct rng rng;
    long writes;
    double started = clock_seconds();
    struct model *wanted = whole_run(c, &writes);
    double whole = clock_seconds() - started;
    int killed = 0;
    rng_seed(&rng, (uint64_t)getpid(), 0);
    for (int i = 0; i < 20; i++) {
        const char *folder = scratch_path("killed");
        int status;
        expect_ok(dir_remove(folder, &err));
        pid_t child = start_child(folder, c);
        usleep((useconds_t)(rng_unit(&rng) * whole * 1e6));
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        assert_resumes_to(wanted, folder, c, i);
    }
    print_message("%d of 20 were killed before their end\n", killed);
    model_free(wanted);
}

static void twenty_deaths_of_one_training_cost_nothing(void **state)
{
    struct train_config c = long_config();
    const char *folder = scratch_path("often");
    struct rng rng;
    long writes;
    struct model *wanted = whole_run(c, &writes);
    rng_seed(&rng, (uint64_t)getpid(), 1);
    for (int i = 0; i < 20; i++) {
        arrange(1 + (long)rng_below(&rng, (uint64_t)writes / 6), LONG_MAX, true);
        pid_t child = start_child(folder, c);
        waitpid(child, NULL, 0);
    }
    assert_resumes_to(wanted, folder, c, 20);
    model_free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_that_fails_ends_no_training),
        cmocka_unit_test(a_disk_that_is_full_for_a_while_ends_no_training),
        cmocka_unit_test(a_death_at_any_write_costs_nothing),
        cmocka_unit_test(a_death_at_any_moment_costs_nothing),
        cmocka_unit_test(twenty_deaths_of_one_training_cost_nothing),
    };
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);        /* thousands of files */
    around_training = switch_fault;
    log_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
