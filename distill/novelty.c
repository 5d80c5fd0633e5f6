/* The two networks: embeddings of three pieces side by side, a hidden layer, and a few numbers. */
#include "distill/novelty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "tensor/adam.h"
#include "tensor/ops.h"
#include "tokenize/tokenizer.h"

#define FIELD(member) offsetof(struct novelty_config, member)
const struct option novelty_options[] = {
    { "width", OPTION_INT, FIELD(width), "512", 1, 4096, "of the hidden layer of the network that learns" },
    { "epochs", OPTION_INT, FIELD(epochs), "12", 1, 1000, "how often it goes over the known lines" },
    { "learning-rate", OPTION_FLOAT, FIELD(learning_rate), "0.003", 1e-6, 1, "at its beginning; falls to 0" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 0, "of the fixed network and of the first weights" },
    { 0 }
};

enum {
    EMBED = 32,                 /* numbers of a piece */
    WINDOW = 3,                 /* pieces of a place */
    OUT = 32,                   /* numbers that are compared */
    ROWS = 512,                 /* places of an update, or a few more */
};
#define GAIN 4                  /* of the fixed network's first layer */

struct network {
    struct param_set set;
    int embed, in, in_bias, out, out_bias;
};

struct novelty {
    const struct tokenizer *tokenizer;
    struct novelty_config config;
    struct network fixed, learner;
    int edge;                   /* the number of what stands before and behind a line */
    int32_t *window[WINDOW];    /* ids of the places of a batch */
    int room;
};

/* ---- the networks ---- */

static void network_open(struct network *n, int pieces, int width, uint64_t seed)
{
    struct rng rng;
    param_add(&n->set, &n->embed, INIT_EMBED, pieces, EMBED, "embed");
    param_add(&n->set, &n->in, INIT_XAVIER, width, WINDOW * EMBED, "in");
    param_add(&n->set, &n->in_bias, INIT_UNIFORM, 1, width, "in.bias");
    param_add(&n->set, &n->out, INIT_XAVIER, OUT, width, "out");
    param_add(&n->set, &n->out_bias, INIT_ZERO, 1, OUT, "out.bias");
    params_allocate(&n->set);
    rng_seed(&rng, seed, 0);
    params_init(&n->set, &rng);
}

/* Embeddings of deviation 1 rather than EMBED^-½, and a steep hidden layer. */
static void make_steep(struct network *n)
{
    const struct param *embed = &n->set.items[n->embed];
    float *w = n->set.block + embed->offset;
    for (size_t i = 0; i < (size_t)embed->rows * EMBED; i++)
        w[i] *= GAIN * sqrtf(EMBED);
}

struct novelty *novelty_new(const struct tokenizer *t, const struct novelty_config *config)
{
    struct novelty *n = xcalloc(1, sizeof *n);
    uint64_t seed = (uint64_t)config->seed;
    n->tokenizer = t;
    n->config = *config;
    n->edge = tokenizer_vocab(t);
    network_open(&n->fixed, n->edge + 1, 64, rng_stream(seed, "fixed"));
    network_open(&n->learner, n->edge + 1, config->width, rng_stream(seed, "learner"));
    make_steep(&n->fixed);
    return n;
}

void novelty_free(struct novelty *n)
{
    if (!n)
        return;
    params_release(&n->fixed.set);
    params_release(&n->learner.set);
    for (int i = 0; i < WINDOW; i++)
        free(n->window[i]);
    free(n);
}

static struct tensor *network_run(const struct network *n, struct tape *tape, const struct novelty *of, int rows,
                                  enum linear_activation activation)
{
    struct tensor *x = NULL;
    for (int i = 0; i < WINDOW; i++) {
        struct tensor *one = op_embed(tape, tape_param(tape, n->embed), of->window[i], rows, 1, NULL, NULL, 0);
        x = x ? op_concat(tape, x, one) : one;
    }
    x = op_linear(tape, x, tape_param(tape, n->in), tape_param(tape, n->in_bias), activation, 0);
    return op_linear(tape, x, tape_param(tape, n->out), tape_param(tape, n->out_bias), LINEAR_NONE, 0);
}

/* ---- places ---- */

/* Lines as pieces: those of line i are ids start[i] … start[i+1]-1. */
struct pieces {
    struct ids ids;
    size_t *start, count;
};

static struct pieces pieces_of(const struct novelty *n, const struct strings *lines)
{
    struct pieces p = { .count = lines->count, .start = xcalloc(lines->count + 1, sizeof *p.start) };
    for (size_t i = 0; i < lines->count; i++) {
        tokenizer_encode(n->tokenizer, &p.ids, lines->items[i], strlen(lines->items[i]));
        p.start[i + 1] = p.ids.count;
    }
    return p;
}

static void pieces_release(struct pieces *p)
{
    ids_release(&p->ids);
    free(p->start);
}

static void windows_reserve(struct novelty *n, int rows)
{
    if (rows <= n->room)
        return;
    n->room = rows * 2;
    for (int i = 0; i < WINDOW; i++)
        n->window[i] = xrealloc(n->window[i], (size_t)n->room * sizeof *n->window[i]);
}

/* The places of a line behind `rows` others; returns how many there are then.  A line of n pieces
 * has n+1 places: the gap behind the last piece is one. */
static int add_line(struct novelty *n, const struct pieces *p, size_t line, int rows)
{
    int count = (int)(p->start[line + 1] - p->start[line]);
    const int32_t *ids = p->ids.items + p->start[line];
    if (!count)
        return rows;
    windows_reserve(n, rows + count + 1);
    for (int i = 0; i <= count; i++, rows++) {
        n->window[0][rows] = i > 0 ? ids[i - 1] : n->edge;
        n->window[1][rows] = i < count ? ids[i] : n->edge;
        n->window[2][rows] = i + 1 < count ? ids[i + 1] : n->edge;
    }
    return rows;
}

/* ---- learning ---- */

struct learning {
    struct tape fixed, learner;
    struct adam adam;
    struct adam_config config;
    float *grads;
    struct pool *pool;
    int64_t update, updates;
    double loss;
    int64_t places;             /* of the epoch, that the loss is summed over */
};

/* Mean squared distance; its gradient into dy. */
static double distance(const float *y, const float *wanted, float *dy, int rows)
{
    double sum = 0;
    for (int i = 0; i < rows * OUT; i++) {
        float off = y[i] - wanted[i];
        sum += (double)(off * off);
        if (dy)
            dy[i] = 2 * off;
    }
    return sum;
}

static void update(struct novelty *n, struct learning *l, int rows)
{
    struct tensor *wanted = network_run(&n->fixed, &l->fixed, n, rows, LINEAR_TANH);
    struct tensor *y = network_run(&n->learner, &l->learner, n, rows, LINEAR_RELU);
    l->loss += distance(y->data, wanted->data, tensor_grad(&l->learner, y), rows);
    l->places += rows;
    tape_backward(&l->learner);
    tape_reset(&l->learner);
    tape_reset(&l->fixed);
    float factor = 1 / (float)rows, rate = n->config.learning_rate * (1 - (float)l->update++ / (float)l->updates);
    double norm = grads_reduce(&l->grads, 1, n->learner.set.total, factor, l->pool);
    adam_update(&l->adam, &n->learner.set, l->grads, norm, factor, rate, &l->config, l->pool);
}

static void epoch(struct novelty *n, struct learning *l, const struct pieces *p, const size_t *order)
{
    int rows = 0;
    l->loss = 0;
    l->places = 0;
    for (size_t i = 0; i < p->count; i++) {
        rows = add_line(n, p, order[i], rows);
        if (rows < ROWS && (i + 1 < p->count || !rows))
            continue;
        update(n, l, rows);
        rows = 0;
    }
}

static void learning_open(struct learning *l, struct novelty *n, const struct pieces *p)
{
    *l = (struct learning){ .config = { .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f } };
    adam_init(&l->adam, &n->learner.set, &l->config);
    l->grads = block_new(&n->learner.set);
    l->pool = pool_new(1);
    l->fixed.params = &n->fixed.set;
    l->learner.params = &n->learner.set;
    l->learner.grads = l->grads;
    l->updates = (int64_t)n->config.epochs * (int64_t)((p->ids.count + p->count) / ROWS + 1);
}

static void learning_close(struct learning *l)
{
    adam_release(&l->adam);
    free(l->grads);
    pool_free(l->pool);
    tape_release(&l->fixed);
    tape_release(&l->learner);
}

int novelty_learn(struct novelty *n, const struct strings *known, double *loss, struct error *err)
{
    struct pieces p = pieces_of(n, known);
    struct learning l;
    struct rng rng;
    if (!p.ids.count) {
        pieces_release(&p);
        return error_set(err, "the known text holds nothing to learn from");
    }
    size_t *order = xcalloc(p.count, sizeof *order);
    for (size_t i = 0; i < p.count; i++)
        order[i] = i;
    rng_seed(&rng, rng_stream((uint64_t)n->config.seed, "order"), 0);
    learning_open(&l, n, &p);
    for (int e = 0; e < n->config.epochs; e++) {
        rng_shuffle(&rng, order, p.count, sizeof *order);
        epoch(n, &l, &p, order);
    }
    *loss = l.loss / (double)l.places;
    learning_close(&l);
    free(order);
    pieces_release(&p);
    return 0;
}

/* ---- scoring ---- */

static void score_places(struct novelty *n, struct tape *fixed, struct tape *learner, float *scores,
                         const struct pieces *p, size_t from, size_t to, int rows)
{
    struct tensor *wanted = network_run(&n->fixed, fixed, n, rows, LINEAR_TANH);
    struct tensor *y = network_run(&n->learner, learner, n, rows, LINEAR_RELU);
    int row = 0;
    for (size_t line = from; line < to; line++) {
        int places = (int)(p->start[line + 1] - p->start[line]);
        if (!places)
            continue;
        places++;
        scores[line] = (float)(distance(y->data + row * OUT, wanted->data + row * OUT, NULL, places) / places);
        row += places;
    }
    tape_reset(fixed);
    tape_reset(learner);
}

void novelty_scores(struct novelty *n, float *scores, const struct strings *lines)
{
    struct pieces p = pieces_of(n, lines);
    struct tape fixed = { .params = &n->fixed.set }, learner = { .params = &n->learner.set };
    size_t from = 0;
    int rows = 0;
    for (size_t i = 0; i < p.count; i++) {
        scores[i] = 0;
        rows = add_line(n, &p, i, rows);
        if (rows < ROWS && (i + 1 < p.count || !rows))
            continue;
        score_places(n, &fixed, &learner, scores, &p, from, i + 1, rows);
        from = i + 1;
        rows = 0;
    }
    tape_release(&fixed);
    tape_release(&learner);
    pieces_release(&p);
}

/* ---- how well novelty tells two texts apart ---- */

struct ranked {
    float score;
    bool above;
};

static int compare(const void *a, const void *b)
{
    float x = ((const struct ranked *)a)->score, y = ((const struct ranked *)b)->score;
    return (x > y) - (x < y);
}

double novelty_auc(const float *below, size_t below_count, const float *above, size_t above_count)
{
    size_t all = below_count + above_count;
    struct ranked *r = xcalloc(all + 1, sizeof *r);
    double wins = 0, seen = 0;
    for (size_t i = 0; i < all; i++)
        r[i] = i < below_count ? (struct ranked){ below[i], false } : (struct ranked){ above[i - below_count], true };
    qsort(r, all, sizeof *r, compare);
    for (size_t i = 0, end; i < all; i = end) {
        double lows = 0, highs = 0;
        for (end = i; end < all && r[end].score == r[i].score; end++)
            *(r[end].above ? &highs : &lows) += 1;
        wins += highs * (seen + lows / 2);
        seen += lows;
    }
    free(r);
    return below_count && above_count ? wins / ((double)below_count * (double)above_count) : (double)NAN;
}
