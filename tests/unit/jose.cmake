# SPDX-License-Identifier: Apache-2.0
foreach(part ec_point ecdsa ed25519_point json json_flat json_walk jws jws_header jws_vectors public_key public_key_read
    public_key_spki public_key_verify)
  qseal_unit_test(jose_${part} DEPENDS jose pki base model PACKAGES jansson libcrypto)
  target_compile_definitions(test_jose_${part} PRIVATE QSEAL_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}/../..")
endforeach()
