arbor_test(test_base SOURCES base_test.cpp LINKS arbor_base LABELS storage)
