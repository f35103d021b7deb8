# SPDX-License-Identifier: Apache-2.0
if(NOT TARGET qseal-test-shim)
  add_subdirectory(${CMAKE_SOURCE_DIR}/tests/pkcs11 ${CMAKE_BINARY_DIR}/tests/pkcs11)
endif()
qseal_unit_test(roles_tokend DEPENDS test_tokend wire)
set_tests_properties(unit.roles_tokend PROPERTIES COST 100) # it waits for watchdogs: early, beside others
