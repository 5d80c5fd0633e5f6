#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stddef.h>

/* Threads that wait for work.  pool_run calls work(arg, i) for every i of 0 … count-1, each on
 * some thread, and returns when all are done; the caller's thread helps.  With one thread the
 * calls happen in order on the caller's. */
struct pool;
struct pool *pool_new(int threads);
void pool_free(struct pool *pool);
int pool_threads(const struct pool *pool);
void pool_run(struct pool *pool, int count, void (*work)(void *arg, int index), void *arg);

int cpu_count(void);            /* cores that this process may use */

#endif
