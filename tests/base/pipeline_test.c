#include "tests/test.h"

#include <stdatomic.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pipeline.h"

/* Blocks are numbers; work squares them, slowly for some, so that later ones overtake. */
struct block {
    int number, square;
};

struct job {
    int count;                          /* blocks in the stream */
    int read_fails, work_fails[2], write_fails;         /* block numbers, or -1 */
    int next, written;
    atomic_int blocks, workers_seen[16];
};

static void *new_block(void *arg)
{
    struct job *job = arg;
    atomic_fetch_add(&job->blocks, 1);
    return xcalloc(1, sizeof(struct block));
}

static void free_block(void *arg, void *block)
{
    struct job *job = arg;
    atomic_fetch_sub(&job->blocks, 1);
    free(block);
}

static int read_block(void *arg, void *block, struct error *err)
{
    struct job *job = arg;
    struct block *b = block;
    if (job->next == job->read_fails)
        return error_set(err, "read %d", job->next);
    if (job->next == job->count)
        return 0;
    b->number = job->next++;
    return 1;
}

static int work_block(void *arg, void *block, int worker, struct error *err)
{
    struct job *job = arg;
    struct block *b = block;
    atomic_fetch_add(&job->workers_seen[worker], 1);
    if (b->number % 7 == 0)
        usleep(500);
    if (b->number == job->work_fails[0] || b->number == job->work_fails[1])
        return error_set(err, "work %d", b->number);
    b->square = b->number * b->number;
    return 0;
}

static int write_block(void *arg, void *block, struct error *err)
{
    struct job *job = arg;
    struct block *b = block;
    if (b->number == job->write_fails)
        return error_set(err, "write %d", b->number);
    assert_int_equal(b->number, job->written);
    assert_int_equal(b->square, b->number * b->number);
    job->written++;
    return 0;
}

static int run(struct job *job, int threads, struct error *err)
{
    struct pipeline p = { threads, job, new_block, free_block, read_block, work_block, write_block };
    int ret = pipeline_run(&p, err);
    assert_int_equal(job->blocks, 0);
    return ret;
}

static const int thread_counts[] = { 1, 2, 3, 8 };

static void order_is_kept(void **state)
{
    static const int counts[] = { 0, 1, 5, 500 };
    for (size_t t = 0; t < ARRAY_COUNT(thread_counts); t++)
        for (size_t c = 0; c < ARRAY_COUNT(counts); c++) {
            struct job job = { counts[c], -1, { -1, -1 }, -1 };
            struct error err = { 0 };
            assert_int_equal(run(&job, thread_counts[t], &err), 0);
            assert_int_equal(job.written, counts[c]);
            int worked = 0;
            for (int i = 0; i < 16; i++) {
                if (i >= thread_counts[t])
                    assert_int_equal(job.workers_seen[i], 0);
                worked += job.workers_seen[i];
            }
            assert_int_equal(worked, counts[c]);
        }
}

static void first_error_in_stream_order_ends_the_run(void **state)
{
    static const struct { int read, work1, work2, write; const char *text; int written; } cases[] = {
        { 0, -1, -1, -1, "read 0", 0 }, { 20, -1, -1, -1, "read 20", 20 },
        { -1, 0, -1, -1, "work 0", 0 }, { -1, 21, 22, -1, "work 21", 21 },
        { -1, 29, 28, -1, "work 28", 28 }, { 23, 21, -1, -1, "work 21", 21 },
        { -1, -1, -1, 30, "write 30", 30 }, { 31, 31, -1, 30, "write 30", 30 },
        { -1, 29, -1, 30, "work 29", 29 }, { 100, -1, -1, -1, "read 100", 100 },
    };
    for (size_t t = 0; t < ARRAY_COUNT(thread_counts); t++)
        for (size_t c = 0; c < ARRAY_COUNT(cases); c++) {
            struct job job = { 100, cases[c].read, { cases[c].work1, cases[c].work2 }, cases[c].write };
            struct error err = { 0 };
            assert_int_equal(run(&job, thread_counts[t], &err), -1);
            assert_string_equal(err.text, cases[c].text);
            assert_int_equal(job.written, cases[c].written);
        }
}

/* However long the stream, no more blocks exist than are in work. */
static int most_blocks;
static int count_blocks(void *arg, void *block, struct error *err)
{
    struct job *job = arg;
    int blocks = job->blocks;
    most_blocks = blocks > most_blocks ? blocks : most_blocks;
    return write_block(arg, block, err);
}

static void memory_is_bounded(void **state)
{
    struct job job = { 2000, -1, { -1, -1 }, -1 };
    struct error err = { 0 };
    struct pipeline p = { 4, &job, new_block, free_block, read_block, work_block, count_blocks };
    assert_int_equal(pipeline_run(&p, &err), 0);
    assert_in_range(most_blocks, 1, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(first_error_in_stream_order_ends_the_run),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
