#ifndef TENSOR_ONEDNN_H
#define TENSOR_ONEDNN_H

#include <dnnl.h>

/* oneDNN's functions, loaded at the first call: onednn()->primitive_create is
 * dnnl_primitive_create.  To use another one, add it here. */
#define ONEDNN_FUNCTIONS(X)                                                                     \
    X(engine_create) X(get_effective_cpu_isa) X(matmul_desc_init) X(memory_create)              \
    X(memory_desc_get_size) X(memory_desc_init_by_strides) X(memory_desc_init_by_tag)           \
    X(memory_destroy) X(memory_set_data_handle) X(post_ops_append_sum) X(post_ops_create)       \
    X(post_ops_destroy) X(primitive_attr_create) X(primitive_attr_destroy)                      \
    X(primitive_attr_set_post_ops) X(primitive_attr_set_scratchpad_mode) X(primitive_create)    \
    X(primitive_desc_create) X(primitive_desc_destroy) X(primitive_desc_query_md)               \
    X(primitive_destroy) X(primitive_execute) X(reorder_primitive_desc_create)                  \
    X(stream_create) X(stream_destroy)

struct onednn {
#define MEMBER(name) __typeof__(dnnl_##name) *name;
    ONEDNN_FUNCTIONS(MEMBER)
#undef MEMBER
    void (*omp_set_num_threads)(int count);     /* NULL where oneDNN is built on another runtime than OpenMP */
};
const struct onednn *onednn(void);

#endif
