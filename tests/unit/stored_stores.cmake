add_executable(make_store ${PROJECT_SOURCE_DIR}/tests/data/make_store.cpp)
target_link_libraries(make_store PRIVATE arbor_random_workload Qt6::Core)
arbor_test(test_stored_stores SOURCES stored_stores_test.cpp LINKS arbor_engine LABELS storage)
target_compile_definitions(test_stored_stores PRIVATE STORED_STORES="${PROJECT_SOURCE_DIR}/tests/data")
