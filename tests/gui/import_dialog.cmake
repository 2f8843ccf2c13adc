find_package(Qt6 REQUIRED COMPONENTS Network)
arbor_test(test_gui_import_dialog LABELS gui TIMEOUT 600
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/import_dialog_test.cpp LINKS arbor_gui arbor_resources Qt6::Network)
add_dependencies(test_gui_import_dialog pgarbord pgarborctl)
target_compile_definitions(test_gui_import_dialog PRIVATE
    PGARBORD="$<TARGET_FILE:pgarbord>" PGARBORCTL="$<TARGET_FILE:pgarborctl>")
set_tests_properties(test_gui_import_dialog PROPERTIES RUN_SERIAL ON
    ENVIRONMENT "QT_QPA_PLATFORM=offscreen;QTEST_FUNCTION_TIMEOUT=600000;LC_ALL=C.UTF-8;TZ=Europe/Copenhagen")
