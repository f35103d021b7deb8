# SPDX-License-Identifier: Apache-2.0
foreach(part detached id_token token_hash vectors)
  qseal_unit_test(verify_${part} DEPENDS verify policy config jose pki model base PACKAGES jansson libcrypto)
  target_compile_definitions(test_verify_${part} PRIVATE QSEAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endforeach()
