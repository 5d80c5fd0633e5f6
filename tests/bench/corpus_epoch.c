/* An epoch of a store in windows of a shuffle, as a training would draw it.
 *
 *     corpus_epoch STORE WINDOW    pairs, seconds, the most megabytes that were in use at a batch's end:
 *                                  private ones, and those of the mapped store */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "corpora/batching.h"
#include "corpora/store.h"

#define LOOK_EVERY 256          /* batches */

struct memory { long anonymous, mapped; };      /* kilobytes */

static void look(struct memory *most)
{
    char line[256];
    long kilobytes;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "RssAnon: %ld", &kilobytes) == 1 && kilobytes > most->anonymous)
            most->anonymous = kilobytes;
        if (sscanf(line, "RssFile: %ld", &kilobytes) == 1 && kilobytes > most->mapped)
            most->mapped = kilobytes;
    }
    if (f)
        fclose(f);
}

static int draw(struct batch_source *source, int64_t *pairs, struct memory *most, struct error *err)
{
    struct batch b = { 0 };
    int more;
    for (int64_t i = 0; (more = source->next(source->state, &b, err)) > 0; i++) {
        *pairs += b.B;
        if (i % LOOK_EVERY == 0)
            look(most);
    }
    batch_release(&b);
    return more;
}

int main(int argc, char **argv)
{
    struct error err = { 0 };
    struct batching_config config = { .batch_tokens = 4000, .max_length = 256, .seed = 1, .shuffle = true };
    struct batch_source source;
    struct memory most = { 0 };
    struct store *store = NULL;
    int64_t pairs = 0;
    if (argc != 3)
        return 2;
    config.shuffle_window = strtoll(argv[2], NULL, 10);
    double start = clock_seconds();
    if (!(store = store_open(argv[1], false, &err)) || batching_open(&source, store, 1, 2, &config, NULL, &err) < 0 ||
        draw(&source, &pairs, &most, &err) < 0) {
        fprintf(stderr, "corpus_epoch: %s\n", err.text);
        return 1;
    }
    printf("%" PRId64 " %.3f %ld %ld\n", pairs, clock_seconds() - start, most.anonymous / 1024, most.mapped / 1024);
    source.free(source.state);
    store_close(store);
    return pairs == 0;
}
