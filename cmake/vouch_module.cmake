# vouch_module(name SOURCES … TESTS … FUZZ … DEPENDS … LIBRARIES …)
#
# One static library a module. It sees its own headers and those of the modules under DEPENDS, and no others: each
# module's headers are reached through a folder of their own (build/include/<module>/<module> -> src/<module>), and that
# folder is on the include path of the targets that name it and of nobody else. A wrong-way #include does not compile.
# Linking is transitive, headers are not.
#
# TESTS  *_test.cpp files, one GoogleTest program a module: <name>_test
# FUZZ   *_fuzz.cpp files, one libFuzzer program each, when VOUCH_FUZZ is on

# One precompiled header for all: the standard library's heavy headers, fmt and Boost.JSON.
add_library(vouch_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_precompile_headers(vouch_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
target_link_libraries(vouch_pch PUBLIC fmt::fmt Boost::json)

function(vouch_see target)
  foreach(module IN LISTS ARGN)
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/include/${module})
    target_link_libraries(${target} PUBLIC vouch_${module})
  endforeach()
endfunction()

function(vouch_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;FUZZ;DEPENDS;LIBRARIES" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)

  add_library(vouch_${name} STATIC ${ARG_SOURCES})
  target_precompile_headers(vouch_${name} REUSE_FROM vouch_pch)
  target_include_directories(vouch_${name} PRIVATE ${view})
  target_link_libraries(vouch_${name} PUBLIC fmt::fmt Boost::json PRIVATE ${ARG_LIBRARIES})
  vouch_see(vouch_${name} ${ARG_DEPENDS})

  if(ARG_TESTS)
    add_executable(${name}_test EXCLUDE_FROM_ALL ${ARG_TESTS})
    target_precompile_headers(${name}_test REUSE_FROM vouch_pch)
    target_include_directories(${name}_test SYSTEM PRIVATE ${RAPIDCHECK_INCLUDE})
    target_compile_definitions(${name}_test PRIVATE VOUCH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name}_test PRIVATE GTest::gtest GTest::gtest_main ${RAPIDCHECK_LIBRARY} ${ARG_LIBRARIES})
    vouch_see(${name}_test ${name} ${ARG_DEPENDS})
    add_test(NAME ${name} COMMAND ${name}_test)
    set_property(GLOBAL APPEND PROPERTY VOUCH_TESTS ${name}_test)
  endif()

  if(VOUCH_FUZZ)
    foreach(file IN LISTS ARG_FUZZ)
      get_filename_component(program ${file} NAME_WE)
      add_executable(${program} ${file})
      target_link_options(${program} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${program} PRIVATE ${ARG_LIBRARIES})
      vouch_see(${program} ${name} ${ARG_DEPENDS})
      set_property(GLOBAL APPEND PROPERTY VOUCH_FUZZERS ${program})
    endforeach()
  endif()
endfunction()
