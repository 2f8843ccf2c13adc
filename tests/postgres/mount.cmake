if(TARGET arbor_fuse)
    add_executable(mount_server mount_server.cpp)
    target_link_libraries(mount_server PRIVATE arbor_fuse arbor_memory_view)

    arbor_test(test_mount SOURCES mount_test.cpp LINKS arbor_fuse arbor_memory_view LABELS mount)
    add_dependencies(test_mount mount_server)
    arbor_test(test_mount_pairing SOURCES mount_pairing_test.cpp LINKS arbor_base LABELS mount)
    add_dependencies(test_mount_pairing mount_server)
    # The same again as a user without privileges mounts. Serial: the test opens /dev/fuse to all for its time.
    add_test(NAME test_mount_as_user COMMAND test_mount)
    set_tests_properties(test_mount_as_user PROPERTIES
        ENVIRONMENT ARBOR_MOUNT_WAY=user TIMEOUT 300 LABELS mount RUN_SERIAL ON)
    # And with requests over io_uring, where the kernel has that; else once more without.
    add_test(NAME test_mount_rings COMMAND test_mount)
    set_tests_properties(test_mount_rings PROPERTIES ENVIRONMENT ARBOR_MOUNT_RINGS=1 TIMEOUT 300 LABELS mount
        RESOURCE_LOCK enable_uring)

    arbor_test(test_mount_postgres SOURCES mount_postgres_test.cpp LABELS postgres mount)
    add_dependencies(test_mount_postgres mount_server)
    add_test(NAME test_mount_postgres_rings COMMAND test_mount_postgres)
    set_tests_properties(test_mount_postgres_rings PROPERTIES
        ENVIRONMENT ARBOR_MOUNT_RINGS=1 TIMEOUT 300 LABELS "postgres;mount" RESOURCE_LOCK enable_uring)

    add_executable(mount_bench mount_bench.cpp) # run by hand: see storage/fuse/README.md
endif()
