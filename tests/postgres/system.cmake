# The whole product: pgarborctl, the engine, real servers. Serial, for each takes all there is of the machine.
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
foreach(part cli bad_input exactness kill isolation fulldisk)
    arbor_test(test_system_${part} SOURCES system_${part}_test.cpp
        LINKS arbor_control fmt::fmt PkgConfig::LIBPQ LABELS postgres system TIMEOUT 600)
    add_dependencies(test_system_${part} pgarborctl pgarbord)
    set_tests_properties(test_system_${part} PROPERTIES RUN_SERIAL ON)
endforeach()
