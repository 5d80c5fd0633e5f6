#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Messages for people, on standard error; a progress line is redrawn under them on a terminal
 * and absent elsewhere. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_quiet(bool quiet);             /* drops log_info and progress */

/* Redraws the progress line, at most ten times a second unless `now`; empty text clears it. */
void progress_show(bool now, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool progress_wanted(void);             /* standard error is a terminal and not quiet */

/* A ready-made progress line: "label  12,345/50,000 lines  1,234/s  ETA 0:31", shown after two
 * seconds.  total 0: unknown.  End with progress_end. */
struct progress {
    const char *label, *unit;
    int64_t total, done;
    double start;
};
void progress_start(struct progress *p, const char *label, const char *unit, int64_t total);
void progress_add(struct progress *p, int64_t count);
void progress_end(struct progress *p);

/* Seconds on a monotonic clock, and "1:02:03" for a duration (static buffer per thread). */
double clock_seconds(void);
const char *clock_text(double seconds);

/* "3.4 MB", of 1,000,000 bytes. */
enum { BYTES_TEXT = 32 };
const char *bytes_text(char text[BYTES_TEXT], double bytes);

#endif
