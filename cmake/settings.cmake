# Compiler settings shared by every target.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)              # POSIX and GNU library functions
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # one set of objects serves both libraries
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "kind of build" FORCE)
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g -fno-math-errno")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")

option(COHO_WERROR "treat warnings as errors" OFF)
option(COHO_SANITIZE "build with the address and undefined-behaviour sanitisers" OFF)

add_compile_definitions(_GNU_SOURCE COHO_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Wno-missing-field-initializers)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
if(COHO_WERROR)
  add_compile_options(-Werror)
endif()
if(COHO_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
include_directories(${CMAKE_SOURCE_DIR})
