arbor_test(test_gc_plan SOURCES gc_plan_test.cpp gc_support.cpp LINKS arbor_gc LABELS storage)
arbor_test(test_gc_sweep SOURCES gc_sweep_test.cpp gc_support.cpp LINKS arbor_gc LABELS storage)
arbor_test(test_gc_wal SOURCES gc_wal_test.cpp LINKS arbor_gc LABELS storage)
arbor_test(test_gc_input SOURCES gc_input_test.cpp LINKS arbor_gc LABELS storage)
