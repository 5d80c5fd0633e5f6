/* The unigram model (Kudo 2018): a text's segmentations are the paths of a lattice whose edges are
 * the pieces that occur in it, and a path's log-probability is the sum of its pieces' scores.
 * Positions are byte offsets; paths go through the starts of characters.  A character that is
 * no piece by itself gets an edge to "unknown", so every position can be reached and left. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "tokenize/model.h"
#include "tokenize/segment.h"

/* What unknown characters score below the least likely piece. */
static const float unknown_penalty = 10.0f;

/* The edges that leave one position. */
struct edges {
    const struct model *m;
    const char *text;
    size_t length, start, at;
    int32_t node;
    size_t character;           /* bytes of the character at start */
    bool character_is_piece, ended;

    size_t end;                 /* the current edge */
    int32_t id;
    double score;
};

static void edges_start(struct edges *e, const struct model *m, const char *text, size_t length,
                        size_t start)
{
    *e = (struct edges){ .m = m, .text = text, .length = length, .start = start, .at = start,
                         .node = TRIE_ROOT,
                         .character = char_length_within(text + start, length - start) };
}

/* A user-defined symbol scores so high that it always wins. */
static double edge_score(const struct model *m, int32_t id, size_t length)
{
    const struct piece *p = &m->pieces[id];
    return p->kind == PIECE_USER_DEFINED ? (double)(length * m->max_score) - 0.1 : (double)p->score;
}

static bool edges_next(struct edges *e)
{
    const struct trie *pieces = &e->m->normal;
    while (!e->ended && e->at < e->length) {
        e->node = trie_step(pieces, e->node, (unsigned char)e->text[e->at]);
        if (e->node < 0)
            break;
        e->at++;
        int32_t id = pieces->nodes[e->node].value;
        if (id < 0 || e->m->pieces[id].kind == PIECE_UNUSED)
            continue;
        e->end = e->at;
        e->id = id;
        e->score = edge_score(e->m, id, e->end - e->start);
        e->character_is_piece |= e->end - e->start == e->character;
        return true;
    }
    if (e->ended || e->character_is_piece)
        return false;
    e->ended = true;
    e->end = e->start + e->character;
    e->id = e->m->unk;
    e->score = e->m->min_score - unknown_penalty;
    return true;
}

/* The best path to a position. */
struct best {
    float score;
    int32_t id;
    uint32_t start;             /* UNREACHED: none yet */
};
enum { UNREACHED = -1 };

static void add_path(struct segments *out, const struct best *best, size_t length)
{
    size_t count = 0;
    for (size_t at = length; at > 0; at = best[at].start)
        count++;
    ARRAY_GROW(out->items, out->room, out->count + count);
    struct segment *last = out->items + out->count + count;
    for (size_t at = length; at > 0; at = best[at].start)
        *--last = (struct segment){ (uint32_t)(at - best[at].start), best[at].id };
    out->count += count;
}

/* SentencePiece keeps totals as floats but compares them as doubles before rounding; ties go to
 * the edge found first.  Both matter to which of two equally good paths wins. */
void unigram_best(struct segments *out, const struct model *m, const char *text, size_t length)
{
    struct best *best = xmalloc((length + 1) * sizeof *best);
    for (size_t i = 0; i <= length; i++)
        best[i] = (struct best){ 0, -1, (uint32_t)UNREACHED };
    struct edges e;
    for (size_t at = 0; at < length; at += e.character) {
        edges_start(&e, m, text, length, at);
        while (edges_next(&e)) {
            struct best *to = &best[e.end];
            bool unknown = e.ended;
            double score = unknown ? (float)e.score + best[at].score : e.score + best[at].score;
            if (to->start == (uint32_t)UNREACHED || score > to->score)
                *to = (struct best){ (float)score, e.id, (uint32_t)at };
        }
    }
    add_path(out, best, length);
    free(best);
}

static double log_add(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;
    return low == -INFINITY ? high : high + log1p(exp(low - high));
}

/* beta[i]: the log of the summed p^alpha over all paths from i to the end; -inf where none. */
static double *backward_sums(const struct model *m, const char *text, size_t length, double alpha)
{
    double *beta = xmalloc((length + 1) * sizeof *beta);
    struct edges e;
    for (size_t i = 0; i < length; i++)
        beta[i] = -INFINITY;
    beta[length] = 0;
    for (size_t at = length; at-- > 0;) {
        edges_start(&e, m, text, length, at);
        while (edges_next(&e))
            if (beta[e.end] > -INFINITY)
                beta[at] = log_add(beta[at], alpha * e.score + beta[e.end]);
    }
    return beta;
}

/* Backward filtering, forward sampling: each edge is drawn by its share of what is left. */
static void sample_all(struct segments *out, const struct model *m, const char *text, size_t length,
                       double alpha, struct rng *rng)
{
    double *beta = backward_sums(m, text, length, alpha);
    struct edges e;
    for (size_t at = 0, end; at < length; at = end) {
        double draw = rng_unit(rng), sum = 0;
        int32_t id = m->unk;
        end = at + char_length_within(text + at, length - at);
        edges_start(&e, m, text, length, at);
        while (sum <= draw && edges_next(&e)) {
            double share = exp(alpha * e.score + beta[e.end] - beta[at]);
            if (!(share > 0))
                continue;
            sum += share;
            end = e.end;
            id = e.id;
        }
        segments_add(out, end - at, id);
    }
    free(beta);
}

/* One of the `nbest` best paths to a position: the rank-th best to `start`, then one piece. */
struct ranked {
    double score;
    uint32_t start;
    int32_t id;
    uint32_t rank;
};

/* nbest slots a position, best first; `count` says how many are filled. */
struct lattice {
    struct ranked *paths;
    uint32_t *count;
    size_t nbest;
};

static void keep_path(struct lattice *l, size_t end, struct ranked path)
{
    struct ranked *at = l->paths + end * l->nbest;
    size_t i = l->count[end];
    if (i == l->nbest) {
        if (path.score <= at[i - 1].score)
            return;
        i--;
    } else {
        l->count[end]++;
    }
    for (; i > 0 && at[i - 1].score < path.score; i--)
        at[i] = at[i - 1];
    at[i] = path;
}

static void extend_paths(struct lattice *l, const struct edges *e)
{
    size_t at = e->start;
    for (uint32_t rank = 0; rank < l->count[at]; rank++)
        keep_path(l, e->end, (struct ranked){ l->paths[at * l->nbest + rank].score + e->score,
                                              (uint32_t)at, e->id, rank });
}

static uint32_t draw_rank(const struct ranked *paths, size_t count, double alpha, struct rng *rng)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        total += exp(alpha * (paths[i].score - paths[0].score));
    double draw = rng_unit(rng) * total;
    for (size_t i = 0; i + 1 < count; i++) {
        sum += exp(alpha * (paths[i].score - paths[0].score));
        if (draw < sum)
            return (uint32_t)i;
    }
    return (uint32_t)(count - 1);
}

static void add_ranked_path(struct segments *out, const struct lattice *l, size_t length,
                            uint32_t rank)
{
    size_t first = out->count;
    for (size_t at = length; at > 0;) {
        const struct ranked *p = &l->paths[at * l->nbest + rank];
        segments_add(out, at - p->start, p->id);
        at = p->start;
        rank = p->rank;
    }
    for (size_t i = first, j = out->count; i + 1 < j; i++) {
        struct segment s = out->items[i];
        out->items[i] = out->items[--j];
        out->items[j] = s;
    }
}

/* 256 MiB hold 64 paths for each byte of a line of 170 kB; a longer line keeps fewer. */
static size_t affordable(size_t nbest, size_t length)
{
    size_t most = ((size_t)256 << 20) / sizeof(struct ranked) / (length + 1);
    return nbest < most ? nbest : most ? most : 1;
}

static void sample_nbest(struct segments *out, const struct model *m, const char *text,
                         size_t length, size_t nbest, double alpha, struct rng *rng)
{
    struct lattice l = { .nbest = affordable(nbest, length) };
    l.paths = xmalloc((length + 1) * l.nbest * sizeof *l.paths);
    l.count = xcalloc(length + 1, sizeof *l.count);
    l.paths[0] = (struct ranked){ 0 };
    l.count[0] = 1;
    struct edges e;
    for (size_t at = 0; at < length; at += e.character) {
        edges_start(&e, m, text, length, at);
        while (edges_next(&e))
            extend_paths(&l, &e);
    }
    const struct ranked *final = l.paths + length * l.nbest;
    add_ranked_path(out, &l, length, draw_rank(final, l.count[length], alpha, rng));
    free(l.paths);
    free(l.count);
}

void unigram_sample(struct segments *out, const struct model *m, const char *text, size_t length,
                    int nbest, double alpha, struct rng *rng)
{
    if (nbest < 0)
        sample_all(out, m, text, length, alpha, rng);
    else if (nbest > 1)
        sample_nbest(out, m, text, length, (size_t)nbest, alpha, rng);
    else
        unigram_best(out, m, text, length);
}
