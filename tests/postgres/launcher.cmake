foreach(part launcher launcher_units launcher_faults launcher_outside)
    arbor_test(test_${part} SOURCES ${part}_test.cpp LINKS arbor_postgres LABELS postgres TIMEOUT 180)
endforeach()
