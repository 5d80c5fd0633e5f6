/* Teams of processes through MPI. */
#include "base/team.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"

#ifdef COHO_MPI
#include <mpi.h>

struct team {
    int rank, size;
    bool knows;
    MPI_Op add_bf16;
};

struct team_sum {
    MPI_Request request;
};

/* ---- joining and leaving ---- */

/* Set by mpirun and by srun with its PMI plugins.  Without them, MPI_Init would start helpers of
 * its own for nothing. */
static bool started_in_a_team(void)
{
    static const char *const marks[] = { "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD", NULL };
    for (int i = 0; marks[i]; i++)
        if (getenv(marks[i]))
            return true;
    return false;
}

static void (*bf16_add)(uint16_t *sum, const uint16_t *x, size_t count);

void team_set_bf16_add(void (*add)(uint16_t *sum, const uint16_t *x, size_t count))
{
    bf16_add = add;
}

static void add_bf16(void *in, void *sum, int *count, MPI_Datatype *type)
{
    (void)type;
    bf16_add(sum, in, (size_t)*count);
}

int team_join(struct team **team, struct error *err)
{
    int level, size;
    *team = NULL;
    if (!started_in_a_team())
        return 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level) != MPI_SUCCESS || level < MPI_THREAD_SERIALIZED)
        return error_set(err, "MPI does not start, or knows no threads; see that mpirun is of the same Open MPI "
                         "as coho was built with");
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size == 1) {
        MPI_Finalize();
        return 0;
    }
    struct team *t = xcalloc(1, sizeof *t);
    t->size = size;
    MPI_Comm_rank(MPI_COMM_WORLD, &t->rank);
    MPI_Op_create(add_bf16, 1, &t->add_bf16);
    *team = t;
    return 0;
}

void team_leave(struct team *team)
{
    if (!team)
        return;
    MPI_Op_free(&team->add_bf16);
    MPI_Finalize();
    free(team);
}

void team_abort(struct team *team)
{
    if (team)
        MPI_Abort(MPI_COMM_WORLD, 1);
}

int team_rank(const struct team *team)
{
    return team ? team->rank : 0;
}

int team_size(const struct team *team)
{
    return team ? team->size : 1;
}

/* ---- waiting ---- */

/* MPI's own waiting burns the core; this gives it away, since another rank, or a thread of ours,
 * may be what it waits for. */
static void pause_a_little(int times)
{
    static const struct timespec nap = { 0, 50000 };
    if (times < 2000)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}

static void wait_for(MPI_Request *request)
{
    int done = 0;
    for (int times = 0; !done; times += times < INT_MAX) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (!done)
            pause_a_little(times);
    }
}

/* ---- one at a time ---- */

#define LARGEST ((size_t)1 << 30)       /* MPI counts in int */

void team_broadcast(struct team *team, int root, void *bytes, size_t length)
{
    for (size_t at = 0; team && at < length; at += LARGEST) {
        MPI_Request request;
        size_t part = length - at < LARGEST ? length - at : LARGEST;
        MPI_Ibcast((char *)bytes + at, (int)part, MPI_BYTE, root, MPI_COMM_WORLD, &request);
        wait_for(&request);
    }
}

char *team_broadcast_text(struct team *team, int root, char *text)
{
    int64_t length = text ? (int64_t)strlen(text) : -1;
    if (!team)
        return text;
    team_broadcast(team, root, &length, sizeof length);
    if (team->rank != root)
        text = length < 0 ? NULL : xcalloc((size_t)length + 1, 1);
    if (text)
        team_broadcast(team, root, text, (size_t)length);
    return text;
}

void team_add(struct team *team, double *values, int count)
{
    MPI_Request request;
    if (!team)
        return;
    MPI_Iallreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, &request);
    wait_for(&request);
}

int team_agree(struct team *team, int ret, struct error *err)
{
    struct error told = { "" };
    if (!team || (ret < 0 && team->knows))
        return ret;
    int first = ret < 0 ? team->rank : INT_MAX;
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &request);
    wait_for(&request);
    if (first == INT_MAX)
        return ret;
    if (err && first == team->rank)
        told = *err;
    team_broadcast(team, first, &told, sizeof told);
    if (err)
        *err = told;
    if (first > 0)
        error_prefix(err, "rank %d of %d", first, team->size);
    team->knows = true;
    return -1;
}

bool team_knows(const struct team *team)
{
    return !team || team->knows;
}

/* ---- beside the computing ---- */

struct team_sum *team_sum_start(struct team *team, void *values, size_t count, bool bf16)
{
    struct team_sum *sum = xcalloc(1, sizeof *sum);
    MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, bf16 ? MPI_UINT16_T : MPI_FLOAT,
                   bf16 ? team->add_bf16 : MPI_SUM, MPI_COMM_WORLD, &sum->request);
    return sum;
}

bool team_sum_test(struct team_sum *sum)
{
    int done;
    MPI_Test(&sum->request, &done, MPI_STATUS_IGNORE);
    if (done)
        free(sum);
    return done;
}

void team_sum_wait(struct team_sum *sum)
{
    wait_for(&sum->request);
    free(sum);
}

#else   /* without MPI every process is alone */

int team_join(struct team **team, struct error *err)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    *team = NULL;
    if (!size || atoi(size) < 2)
        return 0;
    return error_set(err, "this is one of %s processes, but the program was built without MPI; install "
                     "libopenmpi-dev and build it again", size);
}

void team_leave(struct team *team) { (void)team; }
void team_abort(struct team *team) { (void)team; }
int team_rank(const struct team *team) { return (void)team, 0; }
int team_size(const struct team *team) { return (void)team, 1; }
bool team_knows(const struct team *team) { return (void)team, true; }

void team_broadcast(struct team *team, int root, void *bytes, size_t length)
{
    (void)team, (void)root, (void)bytes, (void)length;
}

char *team_broadcast_text(struct team *team, int root, char *text)
{
    return (void)team, (void)root, text;
}

void team_add(struct team *team, double *values, int count)
{
    (void)team, (void)values, (void)count;
}

int team_agree(struct team *team, int ret, struct error *err)
{
    return (void)team, (void)err, ret;
}

struct team_sum *team_sum_start(struct team *team, void *values, size_t count, bool bf16)
{
    return (void)team, (void)values, (void)count, (void)bf16, NULL;
}

bool team_sum_test(struct team_sum *sum) { return (void)sum, true; }
void team_sum_wait(struct team_sum *sum) { (void)sum; }

void team_set_bf16_add(void (*add)(uint16_t *sum, const uint16_t *x, size_t count))
{
    (void)add;
}

#endif
