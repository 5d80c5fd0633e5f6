/* Loading oneDNN. */
#include "tensor/onednn.h"

#include <pthread.h>

#include "base/library.h"

static struct onednn functions;

static void load(void)
{
    void *library = library_open(COHO_ONEDNN, "oneDNN");
#define BIND(name) library_bind(&functions.name, library, "dnnl_" #name);
    ONEDNN_FUNCTIONS(BIND)
#undef BIND
    library_look(&functions.omp_set_num_threads, library, "omp_set_num_threads");
}

const struct onednn *onednn(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return &functions;
}
