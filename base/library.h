#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

/* Large shared libraries, loaded when they are first used, so that commands which never use them
 * start at once (OpenBLAS and oneDNN take 6 ms).  A structure of pointers holds what is called:
 *
 *     struct openblas { __typeof__(cblas_sgemm) *sgemm; … };
 *     void *library = library_open(COHO_OPENBLAS, "OpenBLAS");
 *     library_bind(&blas.sgemm, library, "cblas_sgemm");
 *
 * What is missing ends the program with status 1 and a message: it was there when coho was built. */
void *library_open(const char *soname, const char *title);
void library_bind(void *pointer, void *library, const char *function);
/* The same for what a library, or those that it needs itself, may lack: *pointer is then NULL. */
void library_look(void *pointer, void *library, const char *function);

#endif
