/* Matrix products through OpenBLAS. */
#include "tensor/gemm.h"

#include <cblas.h>

__attribute__((constructor)) static void one_thread_a_call(void)
{
    openblas_set_num_threads(1);
}

void gemm_nt_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, M, N, K, 1, A, lda, B, ldb, beta, C, ldc);
}

void gemm_nn_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, N, K, 1, A, lda, B, ldb, beta, C, ldc);
}

void gemm_tn_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, M, N, K, 1, A, lda, B, ldb, beta, C, ldc);
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
