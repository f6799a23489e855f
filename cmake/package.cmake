# find_package(Flock) gives flock::flock and flock::testing.
include(CMakePackageConfigHelpers)

set(flock_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Flock")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/FlockConfig.cmake.in" "${PROJECT_BINARY_DIR}/FlockConfig.cmake"
                              INSTALL_DESTINATION "${flock_package_dir}")
# Before 1.0 a minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/FlockConfigVersion.cmake" COMPATIBILITY SameMinorVersion)

install(EXPORT FlockTargets NAMESPACE flock:: DESTINATION "${flock_package_dir}")
install(
  FILES "${PROJECT_BINARY_DIR}/FlockConfig.cmake" "${PROJECT_BINARY_DIR}/FlockConfigVersion.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindZooKeeper.cmake"
  DESTINATION "${flock_package_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
