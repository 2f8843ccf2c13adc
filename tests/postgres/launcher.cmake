arbor_test(test_launcher SOURCES launcher_test.cpp LINKS arbor_postgres LABELS postgres TIMEOUT 120)
