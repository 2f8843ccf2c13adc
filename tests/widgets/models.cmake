arbor_test(test_models_tree SOURCES models_tree_test.cpp LINKS arbor_models LABELS widgets)
arbor_test(test_models_docks SOURCES models_docks_test.cpp LINKS arbor_models LABELS widgets)
arbor_test(test_models_timeline SOURCES models_timeline_test.cpp LINKS arbor_models LABELS widgets)
