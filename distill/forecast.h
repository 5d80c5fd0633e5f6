#ifndef DISTILL_FORECAST_H
#define DISTILL_FORECAST_H

/* How long work will take that has not been done yet, from its size and from what one core of
 * this machine multiplies: right within a factor of two or so, which is what a plan needs. */

/* Of a file of text, as if it were not compressed; 0: NULL, or it cannot be read. */
double forecast_text_bytes(const char *path);

/* Of text of which only the size is known, one side of it. */
double forecast_words(double bytes);
double forecast_words_of_pieces(double pieces);

/* Seconds.  `words` are source words, `weights` the model's parameters. */
double forecast_decoding(double words, double weights, int beam, int threads);
double forecast_scoring(double words, double weights, int threads);
double forecast_training(double words, double weights, int threads);

#endif
