# Two processes, loaded at other addresses, write the same trace of a seed. SIMULATOR: flock-sim
foreach(seed 7 90 1251)
  execute_process(COMMAND "${SIMULATOR}" --seed ${seed} --trace OUTPUT_VARIABLE once COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${SIMULATOR}" --seed ${seed} --trace OUTPUT_VARIABLE again COMMAND_ERROR_IS_FATAL ANY)
  # The last line has the speed.
  string(REGEX REPLACE "[0-9]+ runs/min" "" once "${once}")
  string(REGEX REPLACE "[0-9]+ runs/min" "" again "${again}")
  string(LENGTH "${once}" size)
  if(size LESS 10000 OR NOT once STREQUAL again)
    message(FATAL_ERROR "seed ${seed}: two runs differ, or nothing happened (${size} bytes)")
  endif()
endforeach()
