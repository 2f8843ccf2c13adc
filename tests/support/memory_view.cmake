arbor_library(arbor_memory_view SOURCES memory_view.cpp LINKS arbor_base)
