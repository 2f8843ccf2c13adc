arbor_test(test_gc_plan SOURCES gc_plan_test.cpp gc_support.cpp LINKS arbor_gc LABELS storage)
