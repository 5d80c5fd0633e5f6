/* Ranks: what launchers tell, and what is no use. */
#include "tests/test.h"

#include "base/ranks.h"

static void told(const char *const *environment, int rank, int count)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE",
                                         "SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    for (; *environment; environment += 2)
        setenv(environment[0], environment[1], 1);
    struct ranks r = ranks_told();
    assert_int_equal(r.rank, rank);
    assert_int_equal(r.count, count);
}

static void launchers_tell_the_rank(void **state)
{
    told((const char *const[]){ NULL }, 0, 1);
    told((const char *const[]){ "OMPI_COMM_WORLD_RANK", "2", "OMPI_COMM_WORLD_SIZE", "5", NULL }, 2, 5);
    told((const char *const[]){ "PMI_RANK", "0", "PMI_SIZE", "3", NULL }, 0, 3);
    told((const char *const[]){ "SLURM_PROCID", "7", "SLURM_STEP_NUM_TASKS", "8", NULL }, 7, 8);
}

static void what_makes_no_sense_is_one_process(void **state)
{
    told((const char *const[]){ "SLURM_PROCID", "0", "SLURM_NTASKS", "4", NULL }, 0, 1);      /* a batch script */
    told((const char *const[]){ "PMI_RANK", "3", "PMI_SIZE", "3", NULL }, 0, 1);
    told((const char *const[]){ "PMI_RANK", "x", "PMI_SIZE", "3", NULL }, 0, 1);
    told((const char *const[]){ "PMI_RANK", "", "PMI_SIZE", "3", NULL }, 0, 1);
    told((const char *const[]){ "PMI_RANK", "-1", "PMI_SIZE", "3", NULL }, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launchers_tell_the_rank),
        cmocka_unit_test(what_makes_no_sense_is_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
