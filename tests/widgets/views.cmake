arbor_test(test_views_timeline SOURCES views_timeline_test.cpp LINKS arbor_views LABELS widgets)
set_tests_properties(test_views_timeline PROPERTIES ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8")
arbor_test(test_views_budgets SOURCES views_budgets_test.cpp LINKS arbor_views LABELS widgets)
set_tests_properties(test_views_budgets PROPERTIES ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8")
