#ifndef DISTILL_GAP_TOKENS_H
#define DISTILL_GAP_TOKENS_H

#include <stdint.h>

struct error;
struct gap_voice;
struct store;

/* Teacher-forced measures of two models on gold targets, summed over cells: a cell is a band of
 * source lengths or of frequencies, or all. */
#define GAP_BINS 10                     /* of confidence, evenly between 0 and 1 */
#define GAP_BANDS 8

struct gap_side {
    double nll, right;                  /* summed over tokens */
    double bin_confidence[GAP_BINS], bin_right[GAP_BINS], bin_count[GAP_BINS];
};

struct gap_cell {
    double tokens;
    struct gap_side teacher, student;
    double cross, entropy;              /* −Σ q log p and −Σ q log q, q the teacher's */
};

struct gap_tokens {
    struct gap_cell all, length[GAP_BANDS], frequency[GAP_BANDS];
};

/* The bands: 1-5, 6-10, … words; and 0, 1-9, 10-99, … times.  The last is open. */
extern const int gap_lengths[GAP_BANDS + 1];
extern const int64_t gap_frequencies[GAP_BANDS + 1];
int gap_length_band(int words);
int gap_frequency_band(int64_t times);

/* Of one sentence, the tokens of one band of frequencies; teacher first. */
struct gap_row {
    double tokens, nll[2], right[2];
    float unsure[2][GAP_BINS];          /* of each bin of confidence, confidence less right */
};

/* words[i]: source words of pair i of the corpus; count[v]: how often piece v was seen, or NULL, and
 * all are in the first band.  rows (pairs, GAP_BANDS) must be zero.  Both must have the vocabularies
 * of the corpus. */
int gap_tokens(struct gap_tokens *out, struct gap_row *rows, const struct gap_voice *teacher,
               const struct gap_voice *student, const struct store *corpus, const int *words, const int64_t *count,
               int threads, struct error *err);

double gap_calibration_error(const struct gap_side *side, double tokens);

#endif
