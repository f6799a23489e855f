if(FLOCK_HARDENING)
  # What Debian's hardening=+all wants, for everything at once: an object without it is a hole in whatever it is linked
  # into, and one without CET's mark takes that from the whole program.
  add_compile_options(-fPIE -fstack-protector-strong -fstack-clash-protection)
  add_link_options(-pie LINKER:-z,relro,-z,now)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|i.86)$")
    add_compile_options(-fcf-protection)
  endif()
  # It needs optimization. Sanitizers look at the same calls, and not at those that it puts in their place.
  if(NOT FLOCK_SANITIZE)
    set(fortify 2)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
      set(fortify 3)
    endif()
    add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=${fortify}>)
  endif()
endif()
