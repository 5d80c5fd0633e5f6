#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

/* Single-precision matrix products on the calling thread; all matrices are row-major and dense.
 * One OpenBLAS thread a call: parallelism is over data, a worker a core. */

/* C (M,N) = beta C + A (M,K) · B (K,N) */
void gemm_nn(float *C, const float *A, const float *B, int M, int N, int K, float beta);
/* C (M,N) = beta C + A (M,K) · B (N,K)ᵀ:  y = x Wᵀ for weights (out,in) */
void gemm_nt(float *C, const float *A, const float *B, int M, int N, int K, float beta);
/* C (M,N) = beta C + A (K,M)ᵀ · B (K,N):  dW = dyᵀ x */
void gemm_tn(float *C, const float *A, const float *B, int M, int N, int K, float beta);

/* The same with leading dimensions, for matrices that are columns of wider ones. */
void gemm_nt_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta);
void gemm_nn_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta);
void gemm_tn_ld(float *C, int ldc, const float *A, int lda, const float *B, int ldb,
                int M, int N, int K, float beta);

/* What large products reach on the calling thread, in floating-point operations a second;
 * measured once, in some 20 ms. */
double gemm_rate(void);

#endif
