arbor_test(test_read_ahead SOURCES read_ahead_test.cpp LINKS arbor_pages LABELS storage)
arbor_test(test_page_packer SOURCES page_packer_test.cpp LINKS arbor_pages LABELS storage)
