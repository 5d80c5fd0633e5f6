/* A pool of waiting threads.  Work is handed out one index at a time under one lock: pieces are
 * sentences or batches, large beside a lock. */
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

struct pool {
    int threads;                        /* the caller's included */
    int started;                        /* helpers that run */
    pthread_t *helpers;
    pthread_mutex_t lock;
    pthread_cond_t wake, all_done;
    bool stopping;

    void (*work)(void *arg, int index);
    void *arg;
    int next, count, unfinished;
};

/* Takes indices until none is left; the lock is held on entry and on return. */
static void work_off(struct pool *pool)
{
    while (pool->next < pool->count) {
        int index = pool->next++;
        pthread_mutex_unlock(&pool->lock);
        pool->work(pool->arg, index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->unfinished == 0)
            pthread_cond_signal(&pool->all_done);
    }
}

static void *helper_main(void *arg)
{
    struct pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        work_off(pool);
        if (!pool->stopping)
            pthread_cond_wait(&pool->wake, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct pool *pool_new(int threads)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    pool->threads = threads > 1 ? threads : 1;
    pool->helpers = xcalloc((size_t)pool->threads, sizeof *pool->helpers);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->all_done, NULL);
    /* A thread that cannot be had is missed only in speed. */
    while (pool->started < pool->threads - 1
           && !pthread_create(&pool->helpers[pool->started], NULL, helper_main, pool))
        pool->started++;
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->helpers[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->all_done);
    pthread_mutex_destroy(&pool->lock);
    free(pool->helpers);
    free(pool);
}

int pool_threads(const struct pool *pool)
{
    return pool->threads;
}

void pool_run(struct pool *pool, int count, void (*work)(void *arg, int index), void *arg)
{
    if (pool->started == 0 || count <= 1) {
        for (int i = 0; i < count; i++)
            work(arg, i);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->work = work;
    pool->arg = arg;
    pool->next = 0;
    pool->count = pool->unfinished = count;
    pthread_cond_broadcast(&pool->wake);
    work_off(pool);
    while (pool->unfinished > 0)
        pthread_cond_wait(&pool->all_done, &pool->lock);
    pool->next = pool->count = 0;
    pthread_mutex_unlock(&pool->lock);
}

int cpu_count(void)
{
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set) && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}
