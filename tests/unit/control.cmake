if(ARBOR_STORAGE_ONLY)
    return()
endif()
# An engine without a store: the real control server with canned answers, for clients to be tried against.
add_executable(control_sample_engine control_sample_engine.cpp)
target_link_libraries(control_sample_engine PRIVATE arbor_control)

arbor_test(test_control SOURCES control_test.cpp LINKS arbor_control)
arbor_test(test_control_client SOURCES control_client_test.cpp LINKS arbor_control)
arbor_test(test_control_text SOURCES control_text_test.cpp LINKS arbor_control)
arbor_test(test_control_launch SOURCES control_launch_test.cpp LINKS arbor_control)
target_compile_definitions(test_control_launch PRIVATE SAMPLE_ENGINE="$<TARGET_FILE:control_sample_engine>")
add_dependencies(test_control_launch control_sample_engine)
arbor_test(test_engine_log SOURCES engine_log_test.cpp LINKS arbor_service)
