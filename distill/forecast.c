#include "distill/forecast.h"

#include <stdbool.h>
#include <string.h>

#include "distill/stamp.h"
#include "tensor/gemm.h"

/* What was measured on English and German, with models of 0.4 to 10 million weights: bytes of a
 * word with its space, pieces of a word, and the share of the rate of large products that a pass
 * over real sentences reaches, every weight counted as one multiplication and one addition. */
#define WORD_BYTES 6.5
#define WORD_PIECES 1.8
#define TRAIN_SHARE 0.8
#define DECODE_SHARE 0.35

#define PACKED 0.35                     /* a compressed file's share of its text */

double forecast_text_bytes(const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    bool packed = dot && (!strcmp(dot, ".gz") || !strcmp(dot, ".zst") || !strcmp(dot, ".xz"));
    return path ? (double)path_bytes(path) / (packed ? PACKED : 1) : 0;
}

double forecast_words(double bytes)
{
    return bytes / WORD_BYTES;
}

double forecast_words_of_pieces(double pieces)
{
    return pieces / WORD_PIECES;
}

static double seconds_of(double flops, double share, int threads)
{
    return flops / (gemm_rate() * share * (threads > 0 ? threads : 1));
}

/* The encoder sees a sentence once, the decoder once a beam. */
double forecast_decoding(double words, double weights, int beam, int threads)
{
    return seconds_of(2 * weights * words * WORD_PIECES * (1 + beam) / 2, DECODE_SHARE, threads);
}

double forecast_scoring(double words, double weights, int threads)
{
    return seconds_of(2 * weights * words * WORD_PIECES, TRAIN_SHARE, threads);
}

/* One pass forward, two back. */
double forecast_training(double words, double weights, int threads)
{
    return 3 * forecast_scoring(words, weights, threads);
}
