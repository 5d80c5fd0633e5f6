/* Chooses the compiled variant of the products for this processor. */
#include "tensor/panels.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/kernels.h"

extern const struct panels panels_baseline, panels_avx2, panels_avx512, panels_avx512vnni,
    panels_avx512bf16;
const struct panels *panels = &panels_baseline;

const struct panels *panels_named(const char *isa)
{
#if defined(__x86_64__)
    if (!strcmp(isa, "avx2") && kernels_named("avx2"))
        return &panels_avx2;
    if (!strncmp(isa, "avx512", 6) && kernels_named("avx512")) {
        if (!strcmp(isa, "avx512"))
            return &panels_avx512;
        if (!strcmp(isa, "avx512vnni") && __builtin_cpu_supports("avx512vnni"))
            return &panels_avx512vnni;
        if (!strcmp(isa, "avx512bf16") && __builtin_cpu_supports("avx512vnni") &&
            __builtin_cpu_supports("avx512bf16"))
            return &panels_avx512bf16;
    }
#endif
    return !strcmp(isa, "baseline") ? &panels_baseline : NULL;
}

__attribute__((constructor)) static void panels_choose(void)
{
    static const char *const best_first[] = { "avx512bf16", "avx512vnni", "avx512", "avx2", "baseline" };
    const char *forced = getenv("COHO_ISA");
    const struct panels *chosen = forced ? panels_named(forced) : NULL;
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    for (int i = 0; !chosen && i < 5; i++)
        chosen = panels_named(best_first[i]);
    panels = chosen;
}
