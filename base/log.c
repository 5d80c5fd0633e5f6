/* Messages and the progress line share standard error: the line is wiped before a message and
 * drawn again after it. */
#include "base/log.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool is_quiet;
static struct {
    char text[512];                     /* what stands on the screen; "" for nothing */
    double drawn;
} line;

/* ---- time ---- */

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *clock_text(double seconds)
{
    static _Thread_local char text[40];
    long s = seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s >= 3600)
        snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
    return text;
}

const char *bytes_text(char text[BYTES_TEXT], double bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < ARRAY_COUNT(units); unit++)
        bytes /= 1000;
    snprintf(text, BYTES_TEXT, unit && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

/* ---- messages ---- */

static void wipe(void)
{
    if (*line.text)
        fputs("\r\033[K", stderr);
}

static void draw(void)
{
    if (*line.text)
        fprintf(stderr, "\r%s\033[K", line.text);
    fflush(stderr);
}

static void say(const char *before, const char *fmt, va_list args)
{
    char *text;
    if (vasprintf(&text, fmt, args) < 0)
        return;
    pthread_mutex_lock(&lock);
    wipe();
    fprintf(stderr, "%s%s\n", before, text);
    draw();
    pthread_mutex_unlock(&lock);
    free(text);
}

void log_info(const char *fmt, ...)
{
    va_list args;
    if (is_quiet)
        return;
    va_start(args, fmt);
    say("", fmt, args);
    va_end(args);
}

void log_warning(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say("warning: ", fmt, args);
    va_end(args);
}

void log_quiet(bool quiet)
{
    is_quiet = quiet;
}

/* ---- progress ---- */

bool progress_wanted(void)
{
    static _Atomic int terminal = -1;
    if (terminal < 0)
        terminal = isatty(STDERR_FILENO);
    return terminal && !is_quiet;
}

/* Cuts the line to one row of the terminal: a wrapped one could not be wiped. */
static void cut_to_terminal(char *text)
{
    struct winsize size;
    int left = !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col - 1 : 79;
    for (; *text; text++)
        if (((unsigned char)*text & 0xC0) != 0x80 && left-- == 0) {
            *text = '\0';
            return;
        }
}

static void show(bool now, const char *fmt, va_list args)
{
    double time = clock_seconds();
    pthread_mutex_lock(&lock);
    if (now || time - line.drawn >= 0.1) {
        wipe();
        vsnprintf(line.text, sizeof line.text, fmt, args);
        cut_to_terminal(line.text);
        draw();
        line.drawn = time;
    }
    pthread_mutex_unlock(&lock);
}

void progress_show(bool now, const char *fmt, ...)
{
    va_list args;
    if (!progress_wanted())
        return;
    va_start(args, fmt);
    show(now, fmt, args);
    va_end(args);
}

void progress_start(struct progress *p, const char *label, const char *unit, int64_t total)
{
    *p = (struct progress){ .label = label, .unit = unit, .total = total, .start = clock_seconds() };
}

/* "1,234,567" */
static const char *grouped(char text[32], int64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)(number > 0 ? number : 0));
    char *to = text;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

static void show_progress(const struct progress *p, int64_t done, double seconds)
{
    char now[32], total[32], rate[32];
    double speed = (double)done / seconds;

    grouped(now, done);
    grouped(rate, (int64_t)speed);
    if (p->total > 0 && speed > 0)
        progress_show(false, "%s  %s/%s %s  %s/s  ETA %s", p->label, now, grouped(total, p->total),
                      p->unit, rate, clock_text((double)(p->total - done) / speed));
    else
        progress_show(false, "%s  %s %s  %s/s", p->label, now, p->unit, rate);
}

void progress_add(struct progress *p, int64_t count)
{
    int64_t done = __atomic_add_fetch(&p->done, count, __ATOMIC_RELAXED);
    double seconds;
    if (!progress_wanted())
        return;
    seconds = clock_seconds() - p->start;
    if (seconds >= 2)
        show_progress(p, done, seconds);
}

void progress_end(struct progress *p)
{
    (void)p;
    progress_show(true, "%s", "");
}
