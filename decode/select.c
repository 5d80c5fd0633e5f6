/* Top-k by a rising threshold.
 *
 * The K best so far are kept sorted; the worst of them is what a new candidate has to exceed.
 * A vector comparison runs along the scores and stops only at the few that do: on random scores
 * about K ln(V/K) of the first row's V, and fewer in each later row.  Invariant: every score
 * before the current position that is not in `best` ranks behind all of it. */
#include "decode/select.h"

#include <math.h>
#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2")))
static int above_avx2(const float *x, int from, int V, float threshold)
{
    const __m256 limit = _mm256_set1_ps(threshold);
    int v = from;
    for (; v + 32 <= V; v += 32) {
        __m256 a = _mm256_cmp_ps(_mm256_loadu_ps(x + v), limit, _CMP_GT_OQ);
        __m256 b = _mm256_cmp_ps(_mm256_loadu_ps(x + v + 8), limit, _CMP_GT_OQ);
        __m256 c = _mm256_cmp_ps(_mm256_loadu_ps(x + v + 16), limit, _CMP_GT_OQ);
        __m256 d = _mm256_cmp_ps(_mm256_loadu_ps(x + v + 24), limit, _CMP_GT_OQ);
        if (!_mm256_movemask_ps(_mm256_or_ps(_mm256_or_ps(a, b), _mm256_or_ps(c, d))))
            continue;
        uint32_t bits = (uint32_t)_mm256_movemask_ps(a) | (uint32_t)_mm256_movemask_ps(b) << 8
                      | (uint32_t)_mm256_movemask_ps(c) << 16
                      | (uint32_t)_mm256_movemask_ps(d) << 24;
        return v + __builtin_ctz(bits);
    }
    for (; v < V; v++)
        if (x[v] > threshold)
            return v;
    return V;
}
#endif

static int above_plain(const float *x, int from, int V, float threshold)
{
    for (int v = from; v < V; v++)
        if (x[v] > threshold)
            return v;
    return V;
}

static int (*above)(const float *, int, int, float) = above_plain;

__attribute__((constructor)) static void choose(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        above = above_avx2;
#endif
}

int select_above(const float *x, int from, int V, float threshold)
{
    return above(x, from, V, threshold);
}

int32_t select_best(const float *x, int V)
{
    int32_t best = -1;
    float most = -INFINITY;
    for (int v = 0; (v = above(x, v, V, most)) < V; v++) {
        best = v;
        most = x[v];
    }
    return best;
}

/* Puts c in its place among the `count` sorted ones, behind its equals; the K+1st falls out. */
static int insert(struct candidate *best, int count, int K, struct candidate c)
{
    int i = count < K ? count : K - 1;
    for (; i > 0 && best[i - 1].logp < c.logp; i--)
        best[i] = best[i - 1];
    best[i] = c;
    return count < K ? count + 1 : K;
}

/* A float below x, by no more than the sums' rounding needs: whatever exceeds x exceeds it. */
static float just_below(double x)
{
    return nextafterf((float)x, -INFINITY);
}

int select_top(struct candidate *best, int K, const float *x, int ld, const double *sum, int rows, int V)
{
    int count = 0;
    for (int r = 0; r < rows; r++) {
        const float *x_r = x + (size_t)r * (size_t)ld;
        double worst = count == K ? best[K - 1].logp : -INFINITY;
        float threshold = just_below(worst - sum[r]);
        for (int v = 0; (v = above(x_r, v, V, threshold)) < V; v++) {
            struct candidate c = { sum[r] + x_r[v], r, v, x_r[v] };
            if (!(c.logp > worst))
                continue;
            count = insert(best, count, K, c);
            if (count == K) {
                worst = best[K - 1].logp;
                threshold = just_below(worst - sum[r]);
            }
        }
    }
    return count;
}
