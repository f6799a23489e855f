if(FLOCK_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(FLOCK_CCACHE_PROGRAM ccache)
  mark_as_advanced(FLOCK_CCACHE_PROGRAM)
  if(FLOCK_CCACHE_PROGRAM)
    # Paths are hashed relative to the checkout, so that several checkouts share one cache.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 "${FLOCK_CCACHE_PROGRAM}")
  endif()
endif()
