find_package(Qt6 REQUIRED COMPONENTS DBus)
set(environment "QTEST_FUNCTION_TIMEOUT=600000;LC_ALL=C.UTF-8;TZ=Europe/Copenhagen")
foreach(name window together states remote desktop first_run looks habits parts storage_docks history_edge
    relations missing full_disk following)
    arbor_test(test_gui_${name} LABELS gui TIMEOUT 600
        SOURCES ${CMAKE_CURRENT_LIST_DIR}/${name}_test.cpp LINKS arbor_gui arbor_resources Qt6::DBus)
    add_dependencies(test_gui_${name} pgarbord pgarborctl)
    set_tests_properties(test_gui_${name} PROPERTIES RUN_SERIAL ON
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;${environment}")
endforeach()
add_dependencies(test_gui_desktop pgarbor)

# the same story on an X server with a window manager
add_test(NAME gui_window_under_x COMMAND ${CMAKE_CURRENT_LIST_DIR}/under-x $<TARGET_FILE:test_gui_window>)
set_tests_properties(gui_window_under_x PROPERTIES LABELS gui TIMEOUT 600 RUN_SERIAL ON SKIP_RETURN_CODE 77
    ENVIRONMENT "${environment}")
