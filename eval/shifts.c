/* Edits with shifts, as sacreBLEU's lib_ter.py counts them.
 *
 * The reference shifts, again and again, the run of words whose move shortens the edit distance
 * most, until none does.  It measures every candidate with a table of which only a band around
 * the diagonal is filled in.  Here:
 *
 *   - The distance is computed bit-parallel (Myers 1999, Hyyrö 2003): a row of the table is two
 *     words of bits, the differences between neighbours in it.  Rows of the words in front of a
 *     shift are kept.
 *   - The band changes nothing while every optimal path stays within it, which a distance d of
 *     texts of n and m words guarantees if d + |n - m| <= SAFE: a path then leaves the diagonal
 *     by SAFE / 2 cells at most.  Other texts get the band (below).
 *   - A candidate is given up when it cannot win any more. */
#include "eval/shifts.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MAX_SHIFT_SIZE 10
#define MAX_SHIFT_DISTANCE 50
#define MAX_CANDIDATES 1000
#define BEAM 25
#define SAFE 47
#define BLOCKS_MAX 4                    /* references of more than 256 words get the band alone */
#define FAR (INT_MAX / 2)               /* outside the band */

enum operation { KEEP, SUBSTITUTE, DELETE, INSERT };    /* of hypothesis words, INSERT of reference words */

/* A row of the table as differences: between D[i][j-1] and D[i][j] (pv +1, mv -1), and between
 * D[i-1][j] and D[i][j] (ph +1, mh -1); bit j-1. */
struct row {
    uint64_t pv, mv, ph, mh;
};

struct band_row {
    int low, high;                      /* columns low … high-1 are filled in */
    size_t at;                          /* of the first one in costs and operations */
};

struct shifts {
    int n, m, blocks;                   /* words of the hypothesis, of the reference; m in 64-bit blocks */
    int checked;                        /* candidates so far */

    int *ref, *next_same;               /* (m) ids; the next place of the same word, or -1 */
    int *first;                         /* (ids) the first place of each word */
    uint64_t *equal;                    /* (ids, blocks) the places of each word */
    int *slots;                         /* hash table of ids, -1 free */
    size_t slot_mask;
    size_t ref_room, next_room, first_room, equal_room, slots_room;

    int *hyp, *shifted;                 /* (n) ids, -1 for a word that the reference has not */
    struct row *rows;                   /* (n + 1, blocks) of hyp */
    int *last;                          /* (n + 1) D[i][m] */
    size_t hyp_room, shifted_room, rows_room, last_room;

    int *align;                         /* (m) the hypothesis word that stands for a reference word, or that before it */
    int *ref_wrong, *hyp_wrong;         /* (m + 1), (n + 1) errors in front of a place */
    size_t align_room, ref_wrong_room, hyp_wrong_room;

    struct band_row *band;              /* (n + 1) of hyp */
    int *costs, *scratch[2];
    unsigned char *operations;
    size_t band_room, costs_room, operations_room, scratch_room[2];
    bool banded;                        /* hyp is too far from the reference for the bits */
};

struct shifts *shifts_new(void)
{
    return xcalloc(1, sizeof(struct shifts));
}

void shifts_free(struct shifts *s)
{
    if (!s)
        return;
    void *const all[] = { s->ref, s->next_same, s->first, s->equal, s->slots, s->hyp, s->shifted,
                          s->rows, s->last, s->align, s->ref_wrong, s->hyp_wrong, s->band, s->costs,
                          s->scratch[0], s->scratch[1], s->operations, s };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        free(all[i]);
}

/* ---- words as ids ---- */

/* The id of a word of the reference; -1 for another word. */
static int id_of(const struct shifts *s, uint64_t word, const uint64_t *ref)
{
    size_t at = (size_t)(word ^ word >> 32) & s->slot_mask;
    while (s->slots[at] >= 0 && ref[s->first[s->slots[at]]] != word)
        at = (at + 1) & s->slot_mask;
    return s->slots[at];
}

static void index_reference(struct shifts *s, const uint64_t *ref)
{
    size_t slots = 16, m = (size_t)s->m;
    int ids = 0;

    while (slots < 2 * m)
        slots *= 2;
    s->slot_mask = slots - 1;
    s->blocks = (s->m + 63) / 64;
    ARRAY_GROW(s->slots, s->slots_room, slots);
    ARRAY_GROW(s->ref, s->ref_room, m);
    ARRAY_GROW(s->next_same, s->next_room, m);
    ARRAY_GROW(s->first, s->first_room, m);
    memset(s->slots, -1, slots * sizeof *s->slots);
    for (size_t j = 0; j < m; j++) {
        size_t at = (size_t)(ref[j] ^ ref[j] >> 32) & s->slot_mask;
        while (s->slots[at] >= 0 && ref[s->first[s->slots[at]]] != ref[j])
            at = (at + 1) & s->slot_mask;
        if (s->slots[at] < 0) {
            s->slots[at] = ids;
            s->first[ids++] = (int)j;
        }
        s->ref[j] = s->slots[at];
    }
    for (int j = s->m - 1; j >= 0; j--) {       /* first[] leads to each chain from its front */
        s->next_same[j] = s->first[s->ref[j]] > j ? s->first[s->ref[j]] : -1;
        s->first[s->ref[j]] = j;
    }
    if (s->blocks > BLOCKS_MAX)
        return;
    ARRAY_GROW(s->equal, s->equal_room, (size_t)ids * (size_t)s->blocks);
    memset(s->equal, 0, (size_t)ids * (size_t)s->blocks * sizeof *s->equal);
    for (int j = 0; j < s->m; j++)
        s->equal[s->ref[j] * s->blocks + j / 64] |= (uint64_t)1 << j % 64;
}

static void index_hypothesis(struct shifts *s, const uint64_t *hyp, const uint64_t *ref)
{
    size_t n = (size_t)s->n;
    ARRAY_GROW(s->hyp, s->hyp_room, n + 1);
    ARRAY_GROW(s->shifted, s->shifted_room, n + 1);
    ARRAY_GROW(s->align, s->align_room, s->m);
    ARRAY_GROW(s->ref_wrong, s->ref_wrong_room, s->m + 1);
    ARRAY_GROW(s->hyp_wrong, s->hyp_wrong_room, n + 1);
    for (size_t i = 0; i < n; i++)
        s->hyp[i] = id_of(s, hyp[i], ref);
}

/* ---- distance by bits ---- */

/* One block of the next row; carry is the horizontal difference that comes in from the block
 * before, and goes out by bit `top`. */
static inline struct row block_step(struct row r, uint64_t equal, int top, int *carry)
{
    uint64_t in_plus = *carry > 0, in_minus = *carry < 0;
    uint64_t vertical = equal | r.mv;
    uint64_t with_carry = equal | in_minus;
    uint64_t horizontal = (((with_carry & r.pv) + r.pv) ^ r.pv) | with_carry;
    uint64_t ph = r.mv | ~(horizontal | r.pv), mh = r.pv & horizontal;
    uint64_t plus = ph << 1 | in_plus, minus = mh << 1 | in_minus;
    *carry = (int)(ph >> top & 1) - (int)(mh >> top & 1);
    return (struct row){ minus | ~(vertical | plus), plus & vertical, ph, mh };
}

static int top_bit(const struct shifts *s, int block)
{
    return block + 1 < s->blocks ? 63 : (s->m - 1) % 64;
}

/* The next row of `blocks` blocks for a word; returns how D[.][m] changes. */
static int row_step(struct row *next, const struct row *row, const struct shifts *s, int word)
{
    int carry = 1;
    for (int b = 0; b < s->blocks; b++) {
        uint64_t equal = word < 0 ? 0 : s->equal[word * s->blocks + b];
        next[b] = block_step(row[b], equal, top_bit(s, b), &carry);
    }
    return carry;
}

/* Rows of hyp from row `from` + 1 on. */
static void fill_rows(struct shifts *s, int from)
{
    ARRAY_GROW(s->rows, s->rows_room, (size_t)(s->n + 1) * (size_t)s->blocks);
    ARRAY_GROW(s->last, s->last_room, s->n + 1);
    if (from == 0) {
        for (int b = 0; b < s->blocks; b++)
            s->rows[b] = (struct row){ .pv = UINT64_MAX };
        s->last[0] = s->m;
    }
    for (int i = from; i < s->n; i++) {
        struct row *row = s->rows + (size_t)i * (size_t)s->blocks;
        s->last[i + 1] = s->last[i] + row_step(row + s->blocks, row, s, s->hyp[i]);
    }
}

/* The distance of words that agree with hyp in front of `from`; anything greater than `most` once
 * it is known to be greater. */
static int bits_distance(const struct shifts *s, const int *words, int from, int most)
{
    struct row row[BLOCKS_MAX];
    int distance = s->last[from];

    memcpy(row, s->rows + (size_t)from * (size_t)s->blocks, (size_t)s->blocks * sizeof *row);
    if (s->blocks == 1) {
        int top = top_bit(s, 0);
        for (int i = from; i < s->n && distance - (s->n - i) <= most; i++) {
            int carry = 1;
            row[0] = block_step(row[0], words[i] < 0 ? 0 : s->equal[words[i]], top, &carry);
            distance += carry;
        }
        return distance;
    }
    for (int i = from; i < s->n && distance - (s->n - i) <= most; i++)
        distance += row_step(row, row, s, words[i]);
    return distance;
}

static int bit_of(const struct shifts *s, int i, int j, size_t member)
{
    const char *row = (const char *)&s->rows[(size_t)i * (size_t)s->blocks + (size_t)(j - 1) / 64];
    uint64_t bits;
    memcpy(&bits, row + member, sizeof bits);
    return (int)(bits >> (j - 1) % 64 & 1);
}
#define BIT(s, i, j, member) bit_of(s, i, j, offsetof(struct row, member))

/* The last operation of the best path to (i, j): to keep or substitute comes before to delete,
 * and that before to insert. */
static enum operation bits_operation(const struct shifts *s, int i, int j)
{
    if (i == 0)
        return INSERT;
    if (j == 0)
        return DELETE;
    if (s->hyp[i - 1] == s->ref[j - 1])
        return KEEP;
    int across = BIT(s, i, j, ph) - BIT(s, i, j, mh);
    int up = i > 1 ? BIT(s, i - 1, j, pv) - BIT(s, i - 1, j, mv) : 1;
    if (across + up == 1)
        return SUBSTITUTE;
    return across == 1 ? DELETE : INSERT;
}

/* ---- distance within the band ---- */

struct beam {
    double ratio;
    int width;
};

static struct beam beam_of(const struct shifts *s)
{
    struct beam b = { s->n ? (double)s->m / s->n : 1, BEAM };
    if (BEAM < b.ratio / 2)
        b.width = (int)ceil(b.ratio / 2 + BEAM);
    return b;
}

static struct band_row beam_row(const struct shifts *s, struct beam beam, int i)
{
    if (i == 0)
        return (struct band_row){ 0, s->m + 1, 0 };
    int middle = (int)floor(i * beam.ratio);
    int low = middle - beam.width, high = middle + beam.width;
    if (high > s->m + 1 || i == s->n)
        high = s->m + 1;
    return (struct band_row){ low > 0 ? low : 0, high, 0 };
}

/* A row of the table from the row before; operations may be NULL. */
static void band_step(int *costs, unsigned char *operations, struct band_row row,
                      const int *before, struct band_row row_before, const struct shifts *s, int word)
{
    for (int j = row.low; j < row.high; j++) {
        int best = FAR, op = INSERT;
        if (j > row_before.low && j <= row_before.high) {
            bool same = word == s->ref[j - 1];
            best = before[j - 1 - row_before.low] + !same;
            op = same ? KEEP : SUBSTITUTE;
        }
        if (j >= row_before.low && j < row_before.high && before[j - row_before.low] + 1 < best) {
            best = before[j - row_before.low] + 1;
            op = DELETE;
        }
        if (j > row.low && costs[j - 1 - row.low] + 1 < best) {
            best = costs[j - 1 - row.low] + 1;
            op = INSERT;
        }
        costs[j - row.low] = best < FAR ? best : FAR;
        if (operations)
            operations[j - row.low] = (unsigned char)op;
    }
}

static void fill_band(struct shifts *s)
{
    struct beam beam = beam_of(s);
    size_t cells = 0;

    ARRAY_GROW(s->band, s->band_room, s->n + 1);
    for (int i = 0; i <= s->n; i++) {
        s->band[i] = beam_row(s, beam, i);
        s->band[i].at = cells;
        cells += (size_t)(s->band[i].high - s->band[i].low);
    }
    ARRAY_GROW(s->costs, s->costs_room, cells);
    ARRAY_GROW(s->operations, s->operations_room, cells);
    for (int j = 0; j <= s->m; j++) {
        s->costs[j] = j;
        s->operations[j] = INSERT;
    }
    for (int i = 1; i <= s->n; i++)
        band_step(s->costs + s->band[i].at, s->operations + s->band[i].at, s->band[i],
                  s->costs + s->band[i - 1].at, s->band[i - 1], s, s->hyp[i - 1]);
}

/* A bound from below on the distance through a row: what the row costs, and the difference of
 * the lengths that are left. */
static int band_bound(const struct shifts *s, const int *costs, struct band_row row, int i)
{
    int bound = FAR, left = s->n - i;
    for (int j = row.low; j < row.high; j++) {
        int through = costs[j - row.low] + abs(left - (s->m - j));
        bound = through < bound ? through : bound;
    }
    return bound;
}

static int band_distance(struct shifts *s, const int *words, int from, int most)
{
    struct beam beam = beam_of(s);
    struct band_row row = s->band[from];
    const int *before = s->costs + row.at;

    for (int k = 0; k < 2; k++)
        ARRAY_GROW(s->scratch[k], s->scratch_room[k], s->m + 1);
    for (int i = from; i < s->n; i++) {
        struct band_row next = beam_row(s, beam, i + 1);
        int *costs = s->scratch[i % 2];
        band_step(costs, NULL, next, before, row, s, words[i]);
        row = next;
        before = costs;
        if (i % 8 == 0 && band_bound(s, before, row, i + 1) > most)
            return FAR;
    }
    return before[s->m - row.low];
}

/* ---- the alignment of hyp ---- */

static enum operation operation_at(const struct shifts *s, int i, int j)
{
    if (s->banded)
        return s->operations[s->band[i].at + (size_t)(j - s->band[i].low)];
    return bits_operation(s, i, j);
}

static void sum_up(int *wrong, int count)
{
    int sum = 0;
    for (int i = 0; i <= count; i++) {
        int here = i < count ? wrong[i] : 0;
        wrong[i] = sum;
        sum += here;
    }
}

static void walk_back(struct shifts *s)
{
    for (int i = s->n, j = s->m; i > 0 || j > 0; ) {
        enum operation op = operation_at(s, i, j);
        if (op != DELETE) {
            s->align[j - 1] = i - 1;
            s->ref_wrong[j - 1] = op != KEEP;
            j--;
        }
        if (op != INSERT) {
            s->hyp_wrong[i - 1] = op != KEEP;
            i--;
        }
    }
    sum_up(s->ref_wrong, s->m);
    sum_up(s->hyp_wrong, s->n);
}

/* The distance of hyp, of which the words from `from` on are new. */
static int measure(struct shifts *s, int from)
{
    s->banded = true;
    if (s->blocks <= BLOCKS_MAX) {
        fill_rows(s, from);
        s->banded = s->last[s->n] + abs(s->n - s->m) > SAFE;
        if (!s->banded)
            return s->last[s->n];
    }
    fill_band(s);
    return s->costs[s->band[s->n].at + (size_t)(s->m - s->band[s->n].low)];
}

/* ---- shifts ---- */

struct shift {
    int cost, length, start, target;
};

/* shifted[from …] = hyp with the run moved in front of `target`; returns `from`, in front of which
 * nothing changes. */
static int perform(struct shifts *s, struct shift shift)
{
    int start = shift.start, end = start + shift.length, target = shift.target;
    if (target < start) {
        memcpy(s->shifted + target, s->hyp + start, (size_t)shift.length * sizeof *s->hyp);
        memcpy(s->shifted + target + shift.length, s->hyp + target, (size_t)(start - target) * sizeof *s->hyp);
        memcpy(s->shifted + end, s->hyp + end, (size_t)(s->n - end) * sizeof *s->hyp);
        return target;
    }
    /* Behind the run; a target within it moves it on by as many words. */
    int stop = target > end ? target : end + (target - start);
    if (stop > s->n)
        stop = s->n;
    memcpy(s->shifted + start, s->hyp + end, (size_t)(stop - end) * sizeof *s->hyp);
    memcpy(s->shifted + start + (stop - end), s->hyp + start, (size_t)shift.length * sizeof *s->hyp);
    memcpy(s->shifted + stop, s->hyp + stop, (size_t)(s->n - stop) * sizeof *s->hyp);
    return start;
}

/* Of shifts that cost the same, the longer wins, then the earlier, then the one that goes to the
 * earlier place. */
static bool wins_tie(struct shift a, struct shift b)
{
    if (a.length != b.length)
        return a.length > b.length;
    return a.start != b.start ? a.start < b.start : a.target < b.target;
}

static void try_shift(struct shifts *s, struct shift *best, struct shift shift)
{
    int most = best->length && wins_tie(shift, *best) ? best->cost : best->cost - 1;
    int from = perform(s, shift);
    s->checked++;
    if (s->blocks <= BLOCKS_MAX) {
        shift.cost = bits_distance(s, s->shifted, from, most);
        if (shift.cost > most)
            return;                     /* the band only adds to it */
    }
    if (s->banded)
        shift.cost = band_distance(s, s->shifted, from, most);
    if (shift.cost <= most)
        *best = shift;
}

/* Every place where the run hyp[start …] = ref[start_r …] may go. */
static void try_places(struct shifts *s, struct shift *best, int start, int start_r, int length)
{
    int tried = -1;
    if (s->hyp_wrong[start + length] == s->hyp_wrong[start]
        || s->ref_wrong[start_r + length] == s->ref_wrong[start_r]
        || (s->align[start_r] >= start && s->align[start_r] < start + length))
        return;
    for (int place = start_r - 1; place < start_r + length; place++) {
        int target = place < 0 ? 0 : s->align[place] + 1;
        if (target == tried)
            continue;
        tried = target;
        try_shift(s, best, (struct shift){ 0, length, start, target });
    }
}

/* The best shift that shortens the distance; length 0: there is none. */
static struct shift find_shift(struct shifts *s, int distance)
{
    struct shift best = { .cost = distance };
    walk_back(s);
    for (int i = 0; i < s->n; i++) {
        if (s->hyp[i] < 0)
            continue;
        for (int j = s->first[s->hyp[i]]; j >= 0; j = s->next_same[j]) {
            if (abs(j - i) > MAX_SHIFT_DISTANCE)
                continue;
            for (int length = 1; length <= MAX_SHIFT_SIZE; length++) {
                int before = s->checked;
                try_places(s, &best, i, j, length);
                if (s->checked > before && s->checked >= MAX_CANDIDATES)
                    return best;
                if (i + length == s->n || j + length == s->m
                    || s->hyp[i + length] != s->ref[j + length])
                    break;
            }
        }
    }
    return best;
}

size_t shifts_count(struct shifts *s, const uint64_t *hyp, size_t hyp_length,
                    const uint64_t *ref, size_t ref_length)
{
    size_t shifts = 0;
    int from = 0, distance;

    assert(hyp_length < INT_MAX / 4 && ref_length < INT_MAX / 4);
    if (ref_length == 0)
        return hyp_length;
    s->n = (int)hyp_length;
    s->m = (int)ref_length;
    s->checked = 0;
    index_reference(s, ref);
    index_hypothesis(s, hyp, ref);
    while ((distance = measure(s, from)) > 0) {
        struct shift best = find_shift(s, distance);
        if (s->checked >= MAX_CANDIDATES || !best.length)
            break;
        from = perform(s, best);
        memcpy(s->hyp + from, s->shifted + from, (size_t)(s->n - from) * sizeof *s->hyp);
        shifts++;
    }
    return shifts + (size_t)distance;
}
