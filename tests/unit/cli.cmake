if(ARBOR_STORAGE_ONLY)
    return()
endif()
arbor_test(test_cli SOURCES cli_test.cpp LINKS arbor_cli)
arbor_test(test_cli_program SOURCES cli_program_test.cpp LINKS arbor_control)
target_compile_definitions(test_cli_program PRIVATE
    SAMPLE_ENGINE="$<TARGET_FILE:control_sample_engine>" PGARBORCTL="$<TARGET_FILE:pgarborctl>")
add_dependencies(test_cli_program control_sample_engine pgarborctl)
