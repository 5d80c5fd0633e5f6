/* The caller's thread reads and writes, workers work.
 *
 * Blocks sit in a ring in stream order: [head, taken) are with workers or done, [taken, tail)
 * wait for a worker, and the caller writes at head and reads at tail.  head, taken and tail only
 * grow; a block's slot is its number modulo the ring's size. */
#include "base/pipeline.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

struct slot {
    void *block;
    bool done, failed;
    struct error err;
};

struct run {
    const struct pipeline *p;
    struct slot *slots;
    size_t slot_count;
    size_t head, taken, tail;
    int workers;                        /* that have started, for their numbers */
    bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
};

static struct slot *slot_at(struct run *run, size_t number)
{
    return &run->slots[number % run->slot_count];
}

static void *worker_main(void *arg)
{
    struct run *run = arg;
    const struct pipeline *p = run->p;

    pthread_mutex_lock(&run->lock);
    int worker = run->workers++;
    for (;;) {
        while (!run->stopping && run->taken == run->tail)
            pthread_cond_wait(&run->wake, &run->lock);
        if (run->stopping)
            break;
        struct slot *slot = slot_at(run, run->taken++);
        pthread_mutex_unlock(&run->lock);
        slot->failed = p->work(p->arg, slot->block, worker, &slot->err) < 0;
        pthread_mutex_lock(&run->lock);
        slot->done = true;
        pthread_cond_signal(&run->done);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* Reads a block behind the last.  A failed read takes its place in the stream as a failed block.
 * Returns false when nothing more can be read. */
static bool read_next(struct run *run)
{
    const struct pipeline *p = run->p;
    struct slot *slot = slot_at(run, run->tail);
    int more;

    if (!slot->block)
        slot->block = p->block_new(p->arg);
    slot->done = slot->failed = false;
    more = p->read(p->arg, slot->block, &slot->err);
    if (more == 0)
        return false;
    pthread_mutex_lock(&run->lock);
    if (more < 0) {
        slot->failed = true;            /* no worker may take it, so `tail` stays */
    } else {
        run->tail++;
        pthread_cond_signal(&run->wake);
    }
    pthread_mutex_unlock(&run->lock);
    return more > 0;
}

/* Whether the oldest block is done; waits for it when `wait`. */
static bool oldest_done(struct run *run, bool wait)
{
    struct slot *slot = slot_at(run, run->head);
    bool done;

    pthread_mutex_lock(&run->lock);
    while (wait && !slot->done)
        pthread_cond_wait(&run->done, &run->lock);
    done = slot->done;
    pthread_mutex_unlock(&run->lock);
    return done;
}

static int write_oldest(struct run *run, struct error *err)
{
    const struct pipeline *p = run->p;
    struct slot *slot = slot_at(run, run->head);

    if (slot->failed)
        return error_set(err, "%s", slot->err.text);
    run->head++;
    return p->write(p->arg, slot->block, err);
}

static int stream(struct run *run, struct error *err)
{
    bool more = true;

    for (;;) {
        size_t in_flight = run->tail - run->head;
        bool can_read = more && in_flight < run->slot_count;
        if (in_flight && oldest_done(run, !can_read)) {
            if (write_oldest(run, err) < 0)
                return -1;
        } else if (can_read) {
            more = read_next(run);
        } else {
            break;
        }
    }
    /* All is written; what follows is the end or the failed read. */
    struct slot *last = slot_at(run, run->tail);
    return last->failed ? error_set(err, "%s", last->err.text) : 0;
}

static void stop(struct run *run, pthread_t *threads, int count)
{
    pthread_mutex_lock(&run->lock);
    run->stopping = true;
    pthread_cond_broadcast(&run->wake);
    pthread_mutex_unlock(&run->lock);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static int run_inline(const struct pipeline *p, struct error *err)
{
    void *block = p->block_new(p->arg);
    int more;

    while ((more = p->read(p->arg, block, err)) > 0)
        if (p->work(p->arg, block, 0, err) < 0 || p->write(p->arg, block, err) < 0) {
            more = -1;
            break;
        }
    p->block_free(p->arg, block);
    return more;
}

static int run_threads(struct run *run, struct error *err)
{
    pthread_t *threads = xcalloc((size_t)run->p->threads, sizeof *threads);
    int count = 0, ret;

    while (count < run->p->threads && !pthread_create(&threads[count], NULL, worker_main, run))
        count++;
    ret = count ? stream(run, err) : run_inline(run->p, err);
    stop(run, threads, count);
    free(threads);
    return ret;
}

int pipeline_run(const struct pipeline *p, struct error *err)
{
    struct run run = { .p = p };
    int ret;

    if (p->threads <= 1)
        return run_inline(p, err);
    run.slot_count = 2 * (size_t)p->threads;
    run.slots = xcalloc(run.slot_count, sizeof *run.slots);
    pthread_mutex_init(&run.lock, NULL);
    pthread_cond_init(&run.wake, NULL);
    pthread_cond_init(&run.done, NULL);
    ret = run_threads(&run, err);
    for (size_t i = 0; i < run.slot_count; i++)
        if (run.slots[i].block)
            p->block_free(p->arg, run.slots[i].block);
    pthread_cond_destroy(&run.wake);
    pthread_cond_destroy(&run.done);
    pthread_mutex_destroy(&run.lock);
    free(run.slots);
    return ret;
}
