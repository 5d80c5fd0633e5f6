# The kernels are compiled once for each instruction set; kernels.c chooses at run time.
set(COHO_KERNEL_FLAGS -O3 -fno-math-errno -fno-trapping-math -fno-signed-zeros -fassociative-math
    -freciprocal-math -ffp-contract=fast)
set(COHO_AVX2 -mavx2 -mfma -mf16c -mbmi2)
set(COHO_AVX512 ${COHO_AVX2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mprefer-vector-width=512)
# Partial redundancy elimination splits the paths of exp_fast's clamp, which keeps gcc 12 from
# vectorising every loop that takes an exponential.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND COHO_KERNEL_FLAGS -fno-tree-pre)
endif()
foreach(isa baseline avx2 avx512)
  set(flags ${COHO_KERNEL_FLAGS})
  if(isa STREQUAL avx2)
    list(APPEND flags ${COHO_AVX2})
  elseif(isa STREQUAL avx512)
    list(APPEND flags ${COHO_AVX512})
  endif()
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(flags ${COHO_KERNEL_FLAGS})
  endif()
  set_source_files_properties(${CMAKE_SOURCE_DIR}/tensor/kernels_${isa}.c PROPERTIES
    COMPILE_OPTIONS "${flags}" OBJECT_DEPENDS "${CMAKE_SOURCE_DIR}/tensor/kernels.inc")
endforeach()

# The products: sums in a stated order, so no reassociation.
set(COHO_PANEL_FLAGS -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast -Wno-psabi)
# Following variables through registers that wide doubles gcc's time; the sanitisers would need
# minutes a file, and see the callers of these products, whose bounds the tests know.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND COHO_PANEL_FLAGS -fno-var-tracking-assignments)
endif()
if(COHO_SANITIZE)
  list(APPEND COHO_PANEL_FLAGS -fno-sanitize=all)
endif()
set(COHO_AVX512VNNI ${COHO_AVX512} -mavx512vnni)
set(COHO_AVX512BF16 ${COHO_AVX512VNNI} -mavx512bf16)
foreach(isa baseline avx2 avx512 avx512vnni avx512bf16)
  set(flags ${COHO_PANEL_FLAGS})
  string(TOUPPER ${isa} upper)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT isa STREQUAL baseline)
    list(APPEND flags ${COHO_${upper}})
  endif()
  set_source_files_properties(${CMAKE_SOURCE_DIR}/tensor/panels_${isa}.c PROPERTIES
    COMPILE_OPTIONS "${flags}" OBJECT_DEPENDS "${CMAKE_SOURCE_DIR}/tensor/panels.inc")
endforeach()
