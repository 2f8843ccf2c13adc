arbor_library(arbor_random_workload SOURCES random_workload.cpp random_workload_branches.cpp reference_model.cpp
    LINKS arbor_engine)
