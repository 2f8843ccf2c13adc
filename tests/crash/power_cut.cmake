arbor_test(test_power_cut SOURCES power_cut_test.cpp LINKS arbor_random_workload LABELS storage TIMEOUT 600)
