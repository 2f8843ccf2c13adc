arbor_test(test_disk SOURCES disk_test.cpp LINKS arbor_disk LABELS storage)
arbor_test(test_disk_index SOURCES disk_index_test.cpp LINKS arbor_disk LABELS storage)
