/* A corpus as long as asked for, from ids to batches: how fast it is written, checked, planned and
 * drawn, and what it takes of memory.
 *
 *     soak_pairs FOLDER PAIRS…     a line for each size: pairs, seconds to write, to open, to plan an
 *                                  epoch, to draw 100,000 batches or an epoch; megabytes resident;
 *                                  sentences drawn
 *
 * Seconds are the processor's, so that other work on the machine does not show. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "corpora/batching.h"
#include "corpora/store.h"

#define MOST_BATCHES 100000

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Lengths and ids as of a text: short sentences are common, so are small ids. */
static int fill(int32_t *ids, struct rng *rng)
{
    int length = 4 + (int)rng_below(rng, 12) + (int)rng_below(rng, 12);
    for (int i = 0; i < length; i++) {
        double u = rng_unit(rng);
        ids[i] = 4 + (int32_t)(63990 * u * u * u);
    }
    return length;
}

static int write_store(const char *path, int64_t pairs, struct error *err)
{
    struct store_writer *w = store_writer_new(path, 1, 1, err);
    int32_t source[32], target[32];
    struct rng rng;
    rng_seed(&rng, 7, 0);
    if (!w)
        return -1;
    for (int64_t i = 0; i < pairs; i++) {
        int S = fill(source, &rng), T = fill(target, &rng);
        if (store_writer_add(w, source, S, target, T, err) < 0) {
            store_writer_abort(w);
            return -1;
        }
    }
    return store_writer_commit(w, err);
}

/* Anonymous memory: the mapped corpus goes and comes as the system likes. */
static double resident_megabytes(void)
{
    char line[256];
    long kilobytes = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "RssAnon: %ld", &kilobytes);
    if (f)
        fclose(f);
    return (double)kilobytes / 1024;
}

static int draw(struct batch_source *source, int64_t *sentences, double *plan, double *rest, struct error *err)
{
    struct batch b = { 0 };
    double start = processor_seconds();
    int more = source->next(source->state, &b, err);
    *plan = processor_seconds() - start;
    start += *plan;
    for (int i = 0; more > 0 && i < MOST_BATCHES; i++) {
        *sentences += b.B;
        more = source->next(source->state, &b, err);
    }
    *rest = processor_seconds() - start;
    batch_release(&b);
    return more < 0 ? -1 : 0;
}

static int run(const char *path, int64_t pairs, struct error *err)
{
    struct batching_config config = { .batch_tokens = 4000, .max_length = 256, .seed = 1, .shuffle = true };
    struct batch_source source;
    int64_t sentences = 0;
    double plan, drawn, start = processor_seconds();
    if (write_store(path, pairs, err) < 0)
        return -1;
    double written = processor_seconds() - start;
    start = processor_seconds();
    struct store *store = store_open(path, true, err);
    double opened = processor_seconds() - start;
    if (!store || batching_open(&source, store, 1, 2, &config, NULL, err) < 0)
        return -1;
    if (source.sentences(source.state) != pairs)
        return error_set(err, "%" PRId64 " of %" PRId64 " pairs are there", source.sentences(source.state), pairs);
    if (draw(&source, &sentences, &plan, &drawn, err) < 0)
        return -1;
    printf("%" PRId64 " %.2f %.2f %.2f %.2f %.0f %" PRId64 "\n", pairs, written, opened, plan, drawn,
           resident_megabytes(), sentences);
    fflush(stdout);
    source.free(source.state);
    store_close(store);
    return 0;
}

int main(int argc, char **argv)
{
    struct error err = { 0 };
    for (int i = 2; i < argc; i++) {
        char *path = path_join(argv[1], "soak.store");
        int ret = run(path, strtoll(argv[i], NULL, 10), &err);
        unlink(path);
        free(path);
        if (ret < 0) {
            fprintf(stderr, "soak_pairs: %s\n", err.text);
            return 1;
        }
    }
    return argc < 3;
}
