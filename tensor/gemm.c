/* Matrix products through OpenBLAS. */
#include "tensor/gemm.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/library.h"
#include "base/memory.h"

/* What is called of OpenBLAS, loaded at the first product. */
static struct openblas {
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(openblas_set_num_threads) *set_num_threads;
} blas;

static void load_blas(void)
{
    void *library = library_open(COHO_OPENBLAS, "OpenBLAS");
    library_bind(&blas.sgemm, library, "cblas_sgemm");
    library_bind(&blas.set_num_threads, library, "openblas_set_num_threads");
    blas.set_num_threads(1);
}

static const struct openblas *openblas(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_blas);
    return &blas;
}

void gemm_nt_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta)
{
    openblas()->sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, M, N, K, 1, A, lda, B, ldb, beta, C, ldc);
}

void gemm_nn_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta)
{
    openblas()->sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, N, K, 1, A, lda, B, ldb, beta, C, ldc);
}

void gemm_tn_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta)
{
    openblas()->sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, M, N, K, 1, A, lda, B, ldb, beta, C, ldc);
}

void gemm_nn(float *C, const float *A, const float *B, int M, int N, int K, float beta)
{
    gemm_nn_ld(C, N, A, K, B, N, M, N, K, beta);
}

void gemm_nt(float *C, const float *A, const float *B, int M, int N, int K, float beta)
{
    gemm_nt_ld(C, N, A, K, B, K, M, N, K, beta);
}

void gemm_tn(float *C, const float *A, const float *B, int M, int N, int K, float beta)
{
    gemm_tn_ld(C, N, A, M, B, N, M, N, K, beta);
}

/* ---- the rate ---- */

#define RATE_SIDE 384
#define RATE_SECONDS 0.02

static double rate;

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void measure_rate(void)
{
    size_t size = (size_t)RATE_SIDE * RATE_SIDE;
    float *m = xaligned(3 * size * sizeof *m);
    double start, seconds, products = 0;
    for (size_t i = 0; i < 3 * size; i++)
        m[i] = (float)(i % 13) * 0.1f;
    gemm_nn(m + 2 * size, m, m + size, RATE_SIDE, RATE_SIDE, RATE_SIDE, 0);
    start = thread_seconds();
    do {
        gemm_nn(m + 2 * size, m, m + size, RATE_SIDE, RATE_SIDE, RATE_SIDE, 0);
        products++;
    } while ((seconds = thread_seconds() - start) < RATE_SECONDS);
    rate = 2 * (double)size * RATE_SIDE * products / seconds;
    free(m);
}

double gemm_rate(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, measure_rate);
    return rate;
}
