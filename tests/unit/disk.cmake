arbor_test(test_disk SOURCES disk_test.cpp LINKS arbor_disk LABELS storage)
