foreach(name window together states remote first_run parts storage_docks)
    arbor_test(test_gui_${name} LABELS gui TIMEOUT 600
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}_test.cpp LINKS arbor_gui arbor_resources)
    add_dependencies(test_gui_${name} pgarbord pgarborctl)
    set_tests_properties(test_gui_${name} PROPERTIES RUN_SERIAL ON
        ENVIRONMENT
            "QT_QPA_PLATFORM=offscreen;QTEST_FUNCTION_TIMEOUT=600000;LC_ALL=C.UTF-8;TZ=Europe/Copenhagen")
endforeach()
