# The libraries that coho stands on; README.md gives the reason for each.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

function(need name package)
  pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${package})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "the library '${package}' is missing; on Debian: apt-get install ${ARGN}")
  endif()
endfunction()

need(jansson       jansson       libjansson-dev)
need(yaml          yaml-0.1      libyaml-dev)
need(zlib          zlib          zlib1g-dev)
need(zstd          libzstd       libzstd-dev)
need(lzma          liblzma       liblzma-dev)
need(expat         expat         libexpat1-dev)
need(exttextcat    libexttextcat libexttextcat-dev)
need(xxhash        libxxhash     libxxhash-dev)
need(sentencepiece sentencepiece libsentencepiece-dev)
need(utf8proc      libutf8proc   libutf8proc-dev)
# Training over several processes, where it is found (libopenmpi-dev).
option(COHO_MPI "train over several processes with MPI where it is found" ON)
if(COHO_MPI)
  pkg_check_modules(mpi QUIET IMPORTED_TARGET GLOBAL mpi)
  if(mpi_FOUND)
    add_compile_definitions(COHO_MPI)
    set(MPI_LIBRARIES PkgConfig::mpi)
  else()
    message(STATUS "Open MPI is missing: training runs in one process only (apt-get install libopenmpi-dev)")
  endif()
endif()

need(openblas      openblas      libopenblas-dev)

find_library(DNNL_LIBRARY dnnl)
find_path(DNNL_INCLUDE dnnl.h)
if(NOT DNNL_LIBRARY OR NOT DNNL_INCLUDE)
  message(FATAL_ERROR "the library 'dnnl' (oneDNN) is missing; on Debian: apt-get install libdnnl-dev")
endif()

# Large libraries that few commands need are loaded when they are used (base/library.h): the
# program knows their names alone.
function(soname result library)
  execute_process(COMMAND ${CMAKE_READELF} -d ${library} OUTPUT_VARIABLE dynamic ERROR_QUIET)
  if(NOT dynamic MATCHES "SONAME[^\n]*\\[([^]]+)\\]")
    message(FATAL_ERROR "${library} is no shared library; coho loads it when it runs")
  endif()
  set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

find_library(OPENBLAS_LIBRARY openblas HINTS ${openblas_LIBRARY_DIRS} ${openblas_LIBDIR})
soname(openblas_soname ${OPENBLAS_LIBRARY})
soname(dnnl_soname ${DNNL_LIBRARY})
add_library(loaded_later INTERFACE)
target_include_directories(loaded_later SYSTEM INTERFACE ${openblas_INCLUDE_DIRS} ${DNNL_INCLUDE})
target_compile_definitions(loaded_later INTERFACE COHO_OPENBLAS="${openblas_soname}" COHO_ONEDNN="${dnnl_soname}")

# Under the sanitisers they are there from the start: gcc 12's leak checker takes thread-local blocks
# of libraries that came later for those of an old glibc wherever one lies 16 bytes into a page,
# reads a size from what stands before it, and dies ("Tracer caught signal 11").
if(COHO_SANITIZE)
  target_link_libraries(loaded_later INTERFACE
                        -Wl,--push-state,--no-as-needed ${OPENBLAS_LIBRARY} ${DNNL_LIBRARY} -Wl,--pop-state)
endif()
