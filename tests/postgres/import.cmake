find_package(Qt6 REQUIRED COMPONENTS Network)
foreach(part import import_live import_same import_dump import_faults export)
    arbor_test(test_${part} SOURCES ${part}_test.cpp import_rich.h LABELS postgres mount TIMEOUT 600
        LINKS arbor_base Qt6::Network)
    target_compile_definitions(test_${part} PRIVATE
        PGARBORD="$<TARGET_FILE:pgarbord>" PGARBORCTL="$<TARGET_FILE:pgarborctl>")
    add_dependencies(test_${part} pgarbord pgarborctl)
endforeach()
arbor_test(test_import_configuration SOURCES import_configuration_test.cpp LINKS arbor_service)
