/* Chooses the compiled variant of the kernels for this processor. */
#include "tensor/kernels.h"

#include <stdlib.h>
#include <string.h>

extern const struct kernels kernels_baseline, kernels_avx2, kernels_avx512;
const struct kernels *kernel = &kernels_baseline;

#if defined(__x86_64__)
static int can_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int can_avx512(void)
{
    return can_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const struct kernels *kernels_named(const char *isa)
{
    if (!strcmp(isa, "baseline"))
        return &kernels_baseline;
#if defined(__x86_64__)
    if (!strcmp(isa, "avx2") && can_avx2())
        return &kernels_avx2;
    if (!strcmp(isa, "avx512") && can_avx512())
        return &kernels_avx512;
#endif
    return NULL;
}

__attribute__((constructor)) static void kernels_choose(void)
{
    static const char *const best_first[] = { "avx512", "avx2", "baseline" };
    const char *forced = getenv("COHO_ISA");    /* for tests: baseline, avx2 or avx512 */
    const struct kernels *chosen = forced ? kernels_named(forced) : NULL;
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    for (int i = 0; !chosen && i < 3; i++)
        chosen = kernels_named(best_first[i]);
    kernel = chosen;
}
