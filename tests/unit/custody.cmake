# SPDX-License-Identifier: Apache-2.0
# Certificates and requests as custodians bring and take them.
find_program(QSEAL_OPENSSL openssl REQUIRED)
foreach(part certificate request request_profile)
  qseal_unit_test(pki_${part} DEPENDS pki model base)
  target_compile_definitions(test_pki_${part} PRIVATE QSEAL_OPENSSL="${QSEAL_OPENSSL}")
endforeach()
# Against tokens that are doubles (the third body of token/token.h).
foreach(part audit_key adopt busy csr due import reference trial)
  qseal_unit_test(custody_${part} DEPENDS custody signing token_codec)
  target_sources(test_custody_${part} PRIVATE ${CMAKE_SOURCE_DIR}/tests/doubles/instance.c ${CMAKE_SOURCE_DIR}/tests/doubles/token_double.c)
  target_include_directories(test_custody_${part} PRIVATE ${CMAKE_SOURCE_DIR}/tests/doubles ${CMAKE_SOURCE_DIR}/tests/unit)
  target_compile_definitions(test_custody_${part} PRIVATE QSEAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endforeach()
qseal_unit_test(signing_key_reference DEPENDS signing keyring pki jose model base PACKAGES jansson libcrypto)
foreach(part choose failures select)
  qseal_unit_test(custody_${part} DEPENDS custody signing token_remote PACKAGES jansson libcrypto)
endforeach()
