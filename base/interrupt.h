#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <stdbool.h>

/* SIGINT and SIGTERM set a flag that long loops ask for; a second one ends the program. */
void interrupt_install(void);
bool interrupt_requested(void);
int interrupt_signal(void);             /* 0 when none came */
/* As if that signal had come; it counts for no second one. */
void interrupt_raise(int number);

#endif
