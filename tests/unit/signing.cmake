# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(signing_callers DEPENDS signing)
qseal_unit_test(signing_problem DEPENDS signing)
qseal_unit_test(signing_clock_guard DEPENDS signing)
qseal_unit_test(signing_key_end DEPENDS signing keyring pki jose model base PACKAGES jansson libcrypto)
# Against tokens that are doubles (the third body of token/token.h).
foreach(name custody_attest custody_change custody_clock custody_confirm custody_local custody_lookahead custody_probe
  custody_register custody_report custody_report_end custody_rotation custody_rule custody_states signing_dispatch
  signing_key_end_log signing_local signing_role signing_seal signing_tls signing_view signing_watch)
  qseal_unit_test(${name} DEPENDS custody signing token_codec)
  target_sources(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/doubles/instance.c ${CMAKE_SOURCE_DIR}/tests/doubles/token_double.c)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/doubles ${CMAKE_SOURCE_DIR}/tests/unit)
  target_compile_definitions(test_${name} PRIVATE QSEAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endforeach()
# Real handshakes.
target_sources(test_signing_tls PRIVATE tls_rig.c)
qseal_packages(test_signing_tls libssl)
qseal_packages(test_custody_rule jansson libcrypto)
qseal_packages(test_custody_register jansson libcrypto)
