if(FLOCK_FUZZ)
  # It counts which ways are taken, in everything; its main() comes with the targets of tests/fuzz.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(FLOCK_SANITIZE)
  # For everything at once: a container annotated in one translation unit and not in another gives false reports.
  add_compile_options(-fsanitize=${FLOCK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FLOCK_SANITIZE})
  if(FLOCK_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It does not understand fences, and says so in each source that includes Asio, whose fences stand beside locks.
    add_compile_options(-Wno-tsan)
  endif()
  if(FLOCK_SANITIZE MATCHES "undefined")
    # caf/detail/init_fun_factory.hpp binds a reference through a null pointer in each function-based spawn.
    add_compile_options(-fno-sanitize=null)
  endif()
endif()
