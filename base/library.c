/* Shared libraries on demand. */
#include "base/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void stop(const char *title)
{
    fprintf(stderr, "coho: cannot load %s: %s; install it again\n", title, dlerror());
    _exit(1);                           /* no exit handlers: other threads may run */
}

void *library_open(const char *soname, const char *title)
{
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        stop(title);
    return library;
}

void library_look(void *pointer, void *library, const char *function)
{
    void *found = dlsym(library, function);
    memcpy(pointer, &found, sizeof found);
}

void library_bind(void *pointer, void *library, const char *function)
{
    void *found = NULL;
    library_look(&found, library, function);
    if (!found)
        stop(function);
    memcpy(pointer, &found, sizeof found);
}
