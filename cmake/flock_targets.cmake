# The kinds of target that Flock is made of. Lists are explicit, one file a line; .ci/check_layers reports a source that
# no list names.

# Debian's linker keeps libraries that nothing is used from; each costs a process private memory.
add_link_options(LINKER:--as-needed)

# flock_library(NAME [ALIAS flock::x] [INSTALL] [BASE_DIR dir] SOURCES ... HEADERS ... PUBLIC targets... PRIVATE targets...)
#
# HEADERS are public: relative to BASE_DIR, installed if INSTALL is given, and each must compile alone.
# A library without sources is an INTERFACE library, so that others can link to it before its first source exists.
function(flock_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INSTALL" "ALIAS;BASE_DIR" "SOURCES;HEADERS;PUBLIC;PRIVATE")
  flock_check_arguments(${name})
  if(arg_SOURCES)
    set(scope PUBLIC)
    add_library(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE ${arg_PRIVATE})
    flock_warnings(${name})
  else()
    set(scope INTERFACE)
    add_library(${name} INTERFACE)
  endif()
  target_compile_features(${name} ${scope} cxx_std_20)
  target_link_libraries(${name} ${scope} ${arg_PUBLIC})
  if(arg_BASE_DIR)
    target_sources(${name} ${scope} FILE_SET HEADERS BASE_DIRS "${arg_BASE_DIR}" FILES ${arg_HEADERS})
  endif()
  if(arg_ALIAS)
    add_library(${arg_ALIAS} ALIAS ${name})
    string(REGEX REPLACE "^.*::" "" export_name "${arg_ALIAS}")
    set_target_properties(${name} PROPERTIES EXPORT_NAME "${export_name}")
  endif()
  if(arg_INSTALL)
    install(TARGETS ${name} EXPORT FlockTargets FILE_SET HEADERS)
  endif()
  flock_header_check(${name}_header_check ${name} ${arg_HEADERS})
endfunction()

# One translation unit per header; twice, so that a missing #pragma once shows.
function(flock_header_check name library)
  set(units)
  foreach(header IN LISTS ARGN)
    string(REGEX REPLACE "[/.]" "_" unit "${header}")
    set(unit "${CMAKE_CURRENT_BINARY_DIR}/${name}/${unit}.cpp")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "#include <${header}>\n#include <${header}>\n" @ONLY)
    list(APPEND units "${unit}")
  endforeach()
  if(units)
    add_library(${name} OBJECT ${units})
    target_link_libraries(${name} PRIVATE ${library})
    flock_warnings(${name})
  endif()
endfunction()

# flock_program(NAME [INSTALL] SOURCES ... LINKS targets...); nothing is made of an empty list of sources
function(flock_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INSTALL" "" "SOURCES;LINKS")
  flock_check_arguments(${name})
  if(NOT arg_SOURCES)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  flock_warnings(${name})
  if(arg_INSTALL)
    install(TARGETS ${name})
  endif()
endfunction()

# flock_test(NAME LABEL label TIMEOUT seconds SOURCES ... LINKS targets...)
#
# One program, and one ctest test for each x_test.cpp, named after the file. Files are run at the same time by ctest -j;
# those whose name contains "timing" depend on real time and are run alone.
function(flock_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;LINKS")
  flock_check_arguments(${name})
  flock_program(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS})
  # Compiled far longer than they run. What they test is optimized as ever. Without optimizing nothing can be fortified.
  target_compile_options(${name} PRIVATE -O0 -U_FORTIFY_SOURCE)
  list(FILTER arg_SOURCES INCLUDE REGEX "_test\\.cpp$")
  foreach(source IN LISTS arg_SOURCES)
    file(RELATIVE_PATH source "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
    string(REGEX REPLACE "_test\\.cpp$" "" test "${source}")
    add_test(NAME ${test} COMMAND ${name} --no-intro "--source-file=*tests/${source}")
    set_tests_properties(
      ${test}
      PROPERTIES LABELS ${arg_LABEL}
                 TIMEOUT ${arg_TIMEOUT}
                 # A filter that selects nothing would pass.
                 FAIL_REGULAR_EXPRESSION "test cases: +0 +\\|"
                 ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
    if(test MATCHES "timing")
      set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE)
    endif()
  endforeach()
endfunction()

# flock_example(NAME source... [RUN]); RUN makes it a test that passes if the program ends with 0
function(flock_example name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RUN" "" "")
  flock_program(example_${name} SOURCES ${arg_UNPARSED_ARGUMENTS} LINKS flock::flock)
  if(arg_RUN AND FLOCK_TESTS)
    add_test(NAME example/${name} COMMAND example_${name})
    set_tests_properties(example/${name} PROPERTIES LABELS example TIMEOUT 60)
  endif()
endfunction()

# A misspelt keyword would be taken for one more file or be lost.
macro(flock_check_arguments target)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${target}: unexpected arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
endmacro()
