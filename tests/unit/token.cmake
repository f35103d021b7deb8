# SPDX-License-Identifier: Apache-2.0
if(NOT TARGET qseal-test-shim)
  add_subdirectory(${CMAKE_SOURCE_DIR}/tests/pkcs11 ${CMAKE_BINARY_DIR}/tests/pkcs11)
endif()
foreach(file content facts guard key_cache key_uses local local_show local_write login lookup room)
  qseal_unit_test(token_${file} DEPENDS token_local test_room)
endforeach()
# With real handshakes beside SoftHSM2's keys.
qseal_unit_test(token_handshake DEPENDS token_local test_room PACKAGES libssl)
target_sources(test_token_handshake PRIVATE tls_rig.c)
qseal_unit_test(token_codec DEPENDS token_codec)
qseal_unit_test(token_remote DEPENDS token_remote)
# SoftHSM 2.6.1 loses 37 bytes at each C_SignInit with an Ed25519 key. The suppression names its
# library, which only shows in a stack that was unwound the slow way.
set_tests_properties(unit.token_content unit.token_handshake unit.token_local PROPERTIES ENVIRONMENT_MODIFICATION
  "ASAN_OPTIONS=string_append::fast_unwind_on_malloc=0:malloc_context_size=16;LSAN_OPTIONS=string_append::suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp")
