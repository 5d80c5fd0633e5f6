#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* What went wrong with something outside the program: a file, a line, an option.
 *
 * Functions that can fail take a `struct error *` last and return -1 after describing the
 * failure once, where the facts are known.  Callers hand it up untouched; cli/ prints it.
 * Texts start lower-case, say what went wrong first and quote the subject. */
struct error {
    char text[1024];
};

/* Describes a failure; err may be NULL.  Always returns -1, so `return error_set(...)`. */
int error_set(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<fmt>: " before the text that is already there.  Always returns -1. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
