foreach(part timeline plot pages budgets)
    arbor_test(test_views_${part} SOURCES views_${part}_test.cpp LINKS arbor_views LABELS widgets)
    set_tests_properties(test_views_${part} PROPERTIES ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8")
endforeach()
