add_executable(storage_bench EXCLUDE_FROM_ALL storage_bench.cpp)
target_include_directories(storage_bench PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(storage_bench PRIVATE arbor_engine benchmark::benchmark)
