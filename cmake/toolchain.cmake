# Compiler flags, linker and compiler cache, in one place.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # TRY is a statement expression; the two others are known false alarms of g++ 12's optimiser.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-pedantic> -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overread -Wno-array-bounds -Wno-stringop-overflow)
else()
  # libstdc++ 12's own std::stable_sort uses what C++17 deprecated; clang says so at every use.
  add_compile_options(-Wno-gnu-statement-expression -Wno-missing-braces -Wno-deprecated-declarations)
endif()
add_compile_options(-fstack-protector-strong)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT VOUCH_SANITIZE)
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

if(VOUCH_SANITIZE)
  add_compile_options(-fsanitize=${VOUCH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VOUCH_SANITIZE})
endif()
if(VOUCH_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  # The two sloppinesses are what ccache asks for before it caches with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
