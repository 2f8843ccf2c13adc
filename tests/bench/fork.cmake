# No Google Benchmark: tests/bench/fork runs it.
if(TARGET arbor_control)
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
    add_executable(fork_clock EXCLUDE_FROM_ALL fork_clock.cpp)
    target_include_directories(fork_clock PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(fork_clock PRIVATE arbor_control PkgConfig::LIBPQ)
endif()
