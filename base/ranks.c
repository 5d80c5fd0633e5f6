/* The place among processes that were started together, from the environment. */
#include "base/ranks.h"

#include <stddef.h>
#include <stdlib.h>

/* A batch script has SLURM_PROCID as well, though it runs once: SLURM_STEP_NUM_TASKS is srun's. */
static const struct { const char *rank, *count; } launchers[] = {
    { "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE" },
    { "PMI_RANK", "PMI_SIZE" },
    { "SLURM_PROCID", "SLURM_STEP_NUM_TASKS" },
};

static int number(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long value = text ? strtol(text, &end, 10) : -1;
    return text && *text && !*end && value >= 0 && value < 1000000 ? (int)value : -1;
}

struct ranks ranks_told(void)
{
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        struct ranks r = { number(launchers[i].rank), number(launchers[i].count) };
        if (r.rank >= 0 && r.rank < r.count)
            return r;
    }
    return (struct ranks){ 0, 1 };
}
