# Finds ZooKeeper's C client with its own threads. Defines ZooKeeper::zookeeper_mt and ZooKeeper_VERSION.
find_path(ZooKeeper_INCLUDE_DIR zookeeper/zookeeper.h)
find_library(ZooKeeper_LIBRARY zookeeper_mt)
mark_as_advanced(ZooKeeper_INCLUDE_DIR ZooKeeper_LIBRARY)

set(_zookeeper_version_header "${ZooKeeper_INCLUDE_DIR}/zookeeper/zookeeper_version.h")
if(ZooKeeper_INCLUDE_DIR AND EXISTS "${_zookeeper_version_header}")
  file(READ "${_zookeeper_version_header}" _zookeeper_header)
  if(_zookeeper_header MATCHES "ZOO_VERSION +\"([0-9.]+)\"")
    set(ZooKeeper_VERSION "${CMAKE_MATCH_1}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  ZooKeeper
  REQUIRED_VARS ZooKeeper_LIBRARY ZooKeeper_INCLUDE_DIR
  VERSION_VAR ZooKeeper_VERSION)

if(ZooKeeper_FOUND AND NOT TARGET ZooKeeper::zookeeper_mt)
  include(CMakeFindDependencyMacro)
  find_dependency(Threads)
  add_library(ZooKeeper::zookeeper_mt UNKNOWN IMPORTED)
  # Without THREADED the header hides the blocking calls.
  set_target_properties(
    ZooKeeper::zookeeper_mt
    PROPERTIES IMPORTED_LOCATION "${ZooKeeper_LIBRARY}"
               INTERFACE_INCLUDE_DIRECTORIES "${ZooKeeper_INCLUDE_DIR}"
               INTERFACE_COMPILE_DEFINITIONS THREADED
               INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
