/* Teams of processes through MPI. */
#include "base/team.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"

#ifdef COHO_MPI
#include <mpi.h>

struct team {
    int rank, size;
    bool knows;
    MPI_Op add_bf16;
    pthread_mutex_t lock;       /* MPI is called by one thread at a time */
    /* signals */
    MPI_Comm signals;
    pthread_t watcher;
    bool watched;               /* it runs */
    atomic_bool leaving;
    int number, told, heard;    /* a signal that came here; 1: the others know; how many told us of theirs */
};

struct team_sum {
    struct team *team;
    MPI_Request request;
};

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

/* ---- starting and waiting ---- */

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

static bool done_with(struct team *team, MPI_Request *request)
{
    int done;
    pthread_mutex_lock(&team->lock);
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    pthread_mutex_unlock(&team->lock);
    return done;
}

static void wait_for(struct team *team, MPI_Request *request)
{
    bool done = false;
    for (int times = 0; !done; times += times < INT_MAX) {
        done = done_with(team, request);
        if (!done)
            pause_a_little(times);
    }
}

static void sum_start(struct team *team, void *values, size_t count, MPI_Datatype type, MPI_Op op,
                      MPI_Request *request)
{
    pthread_mutex_lock(&team->lock);
    MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, type, op, MPI_COMM_WORLD, request);
    pthread_mutex_unlock(&team->lock);
}

/* ---- signals ---- */

#define WATCH 100000000         /* nanoseconds between two looks */

static void tell_signal(struct team *team)
{
    MPI_Request request;
    team->number = interrupt_signal();
    for (int r = 0; r < team->size; r++)
        if (r != team->rank) {
            MPI_Isend(&team->number, 1, MPI_INT, r, 0, team->signals, &request);
            MPI_Request_free(&request);         /* watch_stop sees to its arrival */
        }
    team->told = 1;
}

static void hear_signals(struct team *team)
{
    int there, number;
    MPI_Iprobe(MPI_ANY_SOURCE, 0, team->signals, &there, MPI_STATUS_IGNORE);
    if (!there)
        return;
    MPI_Recv(&number, 1, MPI_INT, MPI_ANY_SOURCE, 0, team->signals, MPI_STATUS_IGNORE);
    team->heard++;
    interrupt_raise(number);
}

/* A signal to one rank is one to all, whatever they are doing. */
static void *watch(void *arg)
{
    struct team *team = arg;
    while (!atomic_load(&team->leaving)) {
        nanosleep(&(struct timespec){ 0, WATCH }, NULL);
        pthread_mutex_lock(&team->lock);
        hear_signals(team);
        if (interrupt_signal() && !team->told && !team->heard)
            tell_signal(team);
        pthread_mutex_unlock(&team->lock);
    }
    return NULL;
}

static void watch_start(struct team *team)
{
    sigset_t all, before;
    MPI_Comm_dup(MPI_COMM_WORLD, &team->signals);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);        /* they are for the thread that works */
    team->watched = pthread_create(&team->watcher, NULL, watch, team) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* What was told is heard before MPI ends. */
static void watch_stop(struct team *team)
{
    atomic_store(&team->leaving, true);
    if (team->watched)
        pthread_join(team->watcher, NULL);
    double all = team->told;
    team_add(team, &all, 1);
    while (team->heard < all - team->told)
        hear_signals(team);
    MPI_Comm_free(&team->signals);
}

/* ---- joining and leaving ---- */

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
    pthread_mutex_init(&t->lock, NULL);
    watch_start(t);
    *team = t;
    return 0;
}

void team_leave(struct team *team)
{
    if (!team)
        return;
    watch_stop(team);
    MPI_Op_free(&team->add_bf16);
    MPI_Finalize();
    pthread_mutex_destroy(&team->lock);
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

/* ---- one at a time ---- */

#define LARGEST ((size_t)1 << 30)       /* MPI counts in int */

void team_broadcast(struct team *team, int root, void *bytes, size_t length)
{
    for (size_t at = 0; team && at < length; at += LARGEST) {
        MPI_Request request;
        size_t part = length - at < LARGEST ? length - at : LARGEST;
        pthread_mutex_lock(&team->lock);
        MPI_Ibcast((char *)bytes + at, (int)part, MPI_BYTE, root, MPI_COMM_WORLD, &request);
        pthread_mutex_unlock(&team->lock);
        wait_for(team, &request);
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
    sum_start(team, values, (size_t)count, MPI_DOUBLE, MPI_SUM, &request);
    wait_for(team, &request);
}

int team_agree(struct team *team, int ret, struct error *err)
{
    struct error told = { "" };
    if (!team || (ret < 0 && team->knows))
        return ret;
    int first = ret < 0 ? team->rank : INT_MAX;
    MPI_Request request;
    sum_start(team, &first, 1, MPI_INT, MPI_MIN, &request);
    wait_for(team, &request);
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
    sum->team = team;
    sum_start(team, values, count, bf16 ? MPI_UINT16_T : MPI_FLOAT, bf16 ? team->add_bf16 : MPI_SUM,
              &sum->request);
    return sum;
}

bool team_sum_test(struct team_sum *sum)
{
    bool done = done_with(sum->team, &sum->request);
    if (done)
        free(sum);
    return done;
}

void team_sum_wait(struct team_sum *sum)
{
    wait_for(sum->team, &sum->request);
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
