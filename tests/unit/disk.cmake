arbor_test(test_disk SOURCES disk_test.cpp LINKS arbor_disk LABELS storage)
arbor_test(test_disk_crash SOURCES disk_crash_test.cpp LINKS arbor_disk LABELS storage)
arbor_test(test_disk_log SOURCES disk_log_test.cpp LINKS arbor_disk LABELS storage)
arbor_test(test_disk_index SOURCES disk_index_test.cpp LINKS arbor_disk LABELS storage)
