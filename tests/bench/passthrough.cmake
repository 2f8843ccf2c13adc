if(TARGET arbor_fuse)
    add_executable(bench_passthrough passthrough.cpp)
    target_include_directories(bench_passthrough PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(bench_passthrough PRIVATE arbor_fuse)
endif()
if(TARGET bench_passthrough AND TARGET pgarbord)
    # Every line once, small: it fails on an error, never on a time.
    add_test(NAME test_bench_short COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/run --no-install --build ${CMAKE_BINARY_DIR}
        --seconds 1 --json ${CMAKE_CURRENT_BINARY_DIR}/bench.json)
    set_tests_properties(test_bench_short PROPERTIES TIMEOUT 1800 LABELS "postgres;bench" RUN_SERIAL ON)
endif()
