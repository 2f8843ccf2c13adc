arbor_test(test_engine SOURCES engine_test.cpp LINKS arbor_engine LABELS storage)
arbor_test(test_collector SOURCES collector_test.cpp LINKS arbor_engine LABELS storage)
