arbor_test(test_model SOURCES model_test.cpp LINKS arbor_random_workload LABELS storage TIMEOUT 600)
