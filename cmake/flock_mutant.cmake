# flock_mutant(NAME FILE source FROM text TO text [FILE source FROM text TO text]... [SEEDS n] [BY invariant]
#              [UNIT folder/x_test.cpp])
#
# Breaks the code on purpose and expects that this is noticed: makes a copy of each source in which FROM is replaced by
# TO, and links it in place of the one in its library. The same source may be given several times. The test mutants/NAME
# passes if one of the simulator's first SEEDS seeds (default: 400) breaks an invariant, with BY, the first one that is
# broken must be that one; with UNIT, for what needs more coincidences than seeds have, if a case of that file in
# tests/unit fails.
#
# The build fails if FROM does not occur exactly once, so that no mutant rots when the code changes.
function(flock_mutant name)
  set(seeds 400)
  set(unit)
  set(by)
  set(files)
  set(edits 0)
  math(EXPR last "${ARGC} - 1")
  foreach(at RANGE 1 ${last} 2)
    math(EXPR next "${at} + 1")
    set(keyword "${ARGV${at}}")
    if(keyword STREQUAL FILE)
      math(EXPR edits "${edits} + 1")
      set(file_${edits} "${ARGV${next}}")
      list(APPEND files "${ARGV${next}}")
    elseif(keyword STREQUAL FROM)
      set(from_${edits} "${ARGV${next}}")
    elseif(keyword STREQUAL TO)
      set(to_${edits} "${ARGV${next}}")
    elseif(keyword STREQUAL SEEDS)
      set(seeds "${ARGV${next}}")
    elseif(keyword STREQUAL BY)
      set(by "${ARGV${next}}")
    elseif(keyword STREQUAL UNIT)
      set(unit "${ARGV${next}}")
    else()
      message(FATAL_ERROR "mutant ${name}: unexpected argument: ${keyword}")
    endif()
  endforeach()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${name}")
  list(REMOVE_DUPLICATES files)
  set(copies)
  foreach(file IN LISTS files)
    set(parts)
    foreach(edit RANGE 1 ${edits})
      if(file_${edit} STREQUAL file)
        file(CONFIGURE OUTPUT "${folder}/${edit}.from" CONTENT "${from_${edit}}" @ONLY)
        file(CONFIGURE OUTPUT "${folder}/${edit}.to" CONTENT "${to_${edit}}" @ONLY)
        list(APPEND parts "${folder}/${edit}")
      endif()
    endforeach()
    list(TRANSFORM parts APPEND .from OUTPUT_VARIABLE from_files)
    list(TRANSFORM parts APPEND .to OUTPUT_VARIABLE to_files)
    get_filename_component(copy "${file}" NAME)
    set(copy "${folder}/${copy}")
    list(JOIN parts "|" joined)
    add_custom_command(
      OUTPUT "${copy}"
      COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${PROJECT_SOURCE_DIR}/${file}" "-DCOPY=${copy}" "-DEDITS=${joined}" -P
              "${PROJECT_SOURCE_DIR}/cmake/mutate.cmake"
      DEPENDS "${PROJECT_SOURCE_DIR}/${file}" "${PROJECT_SOURCE_DIR}/cmake/mutate.cmake" ${from_files} ${to_files}
      COMMENT "Breaking ${file}: ${name}"
      VERBATIM)
    list(APPEND copies "${copy}")
  endforeach()

  # Before the libraries: what they define is not taken from there any more.
  if(unit)
    add_executable(mutant_${name} ${copies} "${PROJECT_SOURCE_DIR}/tests/unit/${unit}")
    target_link_libraries(mutant_${name} PRIVATE flock_test_main flock_test_parts)
    add_test(NAME mutants/${name} COMMAND mutant_${name} --no-intro)
    # In doctest's summary; a test that cannot start is none that fails.
    set_tests_properties(mutants/${name} PROPERTIES PASS_REGULAR_EXPRESSION "test cases:.* [1-9][0-9]* failed")
  else()
    add_executable(mutant_${name} ${copies} $<TARGET_OBJECTS:flock_sim_main>)
    target_link_libraries(mutant_${name} PRIVATE flock_simulator nlohmann_json::nlohmann_json)
    add_test(NAME mutants/${name} COMMAND mutant_${name} --must-break --seeds ${seeds})
    if(by)
      set_tests_properties(mutants/${name} PROPERTIES PASS_REGULAR_EXPRESSION "broke ${by}:")
    endif()
  endif()
  target_include_directories(mutant_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  # Nobody debugs them; without symbols they link in a fraction of the time.
  target_compile_options(mutant_${name} PRIVATE -g0)
  target_link_options(mutant_${name} PRIVATE LINKER:--strip-debug)
  set_target_properties(mutant_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${folder}")
  set_tests_properties(mutants/${name} PROPERTIES LABELS mutant TIMEOUT 300)
endfunction()
