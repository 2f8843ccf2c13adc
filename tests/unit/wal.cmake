arbor_test(test_wal SOURCES wal_test.cpp LINKS arbor_wal LABELS storage)
arbor_test(test_wal_postgres SOURCES wal_postgres_test.cpp LINKS arbor_wal LABELS postgres)
arbor_test(test_wal_fork SOURCES wal_fork_test.cpp LINKS arbor_gc arbor_wal LABELS postgres)
arbor_test(test_wal_scan SOURCES wal_scan_test.cpp LINKS arbor_wal LABELS postgres)
