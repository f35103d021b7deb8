# SPDX-License-Identifier: Apache-2.0
if(NOT TARGET qseal-test-shim)
  add_subdirectory(${CMAKE_SOURCE_DIR}/tests/pkcs11 ${CMAKE_BINARY_DIR}/tests/pkcs11)
endif()
foreach(file attempt destroy digest find generate key mechanism module pin quirks rv show sign slot spki uri)
  qseal_unit_test(pkcs11_${file} DEPENDS pkcs11 test_room)
endforeach()
