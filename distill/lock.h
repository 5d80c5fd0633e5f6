#ifndef DISTILL_LOCK_H
#define DISTILL_LOCK_H

struct error;

/* Makes this process the only one at work in a folder, until lock_release or its end.
 * Returns a handle, or -1 when another process, which is named, holds the lock.  A file system that
 * knows no locks refuses nobody. */
int lock_take(const char *folder, struct error *err);
void lock_release(int lock);

#endif
