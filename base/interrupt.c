/* A polite stop on the first SIGINT or SIGTERM, an immediate one on the second. */
#include "base/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t caught;

/* Both signals get their default action back: after a SIGTERM, a SIGINT ends the program too. */
static void on_signal(int number)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    caught = number;
    sigaction(SIGINT, &standard, NULL);
    sigaction(SIGTERM, &standard, NULL);
}

void interrupt_install(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    caught = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupt_requested(void)
{
    return caught != 0;
}

int interrupt_signal(void)
{
    return caught;
}

void interrupt_raise(int number)
{
    if (!caught)
        caught = number;
}
