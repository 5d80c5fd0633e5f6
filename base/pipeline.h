#ifndef BASE_PIPELINE_H
#define BASE_PIPELINE_H

struct error;

/* An ordered parallel map over a stream: blocks are read one after another, worked on by
 * several threads at once, and written in the order in which they were read.  At most
 * 2 × threads blocks exist at a time, so memory stays bounded however long the stream.
 *
 * `read` fills a block and returns 1, or 0 at the end; `work` runs on any thread and gets the
 * number of its worker (0 … threads-1), `read` and `write` on the caller's thread.  Each returns
 * -1 after describing an error; the first error in stream order ends the run, with all earlier
 * blocks written.  Blocks are used again: `read` empties what it fills.  With one thread all
 * happens on the caller's. */
struct pipeline {
    int threads;
    void *arg;                                  /* handed to every function */
    void *(*block_new)(void *arg);
    void (*block_free)(void *arg, void *block);
    int (*read)(void *arg, void *block, struct error *err);
    int (*work)(void *arg, void *block, int worker, struct error *err);
    int (*write)(void *arg, void *block, struct error *err);
};
int pipeline_run(const struct pipeline *p, struct error *err);

#endif
