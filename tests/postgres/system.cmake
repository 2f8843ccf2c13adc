# The whole product: pgarborctl, the engine, real servers. Most are serial: they take all there is of the machine, or look at
# what is everybody's.
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
set(systemTimeout 1200)
if(DEFINED ENV{ARBOR_FULL})
    set(systemTimeout 36000) # the long counts
endif()
foreach(part cli peek bad_input exactness kill isolation rules fulldisk hardship costs)
    arbor_test(test_system_${part} SOURCES system_${part}_test.cpp
        LINKS arbor_control fmt::fmt PkgConfig::LIBPQ LABELS postgres system TIMEOUT ${systemTimeout})
    add_dependencies(test_system_${part} pgarborctl pgarbord)
    if(NOT part MATCHES "exactness|isolation|rules|costs")
        set_tests_properties(test_system_${part} PROPERTIES RUN_SERIAL ON)
    endif()
endforeach()

# PostgreSQL's own tests: fetches and builds their source, which needs the distribution's archive.
add_test(NAME postgres_regress COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/regress --ci ${CMAKE_BINARY_DIR}/bin)
set_tests_properties(postgres_regress PROPERTIES
    TIMEOUT 1800 LABELS "postgres;system;only-full" RUN_SERIAL ON SKIP_RETURN_CODE 77)
