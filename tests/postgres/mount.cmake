if(TARGET arbor_fuse)
    add_executable(mount_server mount_server.cpp)
    target_link_libraries(mount_server PRIVATE arbor_fuse arbor_memory_view)
endif()
