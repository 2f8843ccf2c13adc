add_executable(docks_bench EXCLUDE_FROM_ALL docks_bench.cpp)
target_include_directories(docks_bench PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(docks_bench PRIVATE arbor_views)
