# SPDX-License-Identifier: Apache-2.0
# Real handshakes (libssl, in the tests alone) for everything that judges one.
set(pki_handshakes ${CMAKE_CURRENT_LIST_DIR}/tls_rig.c ${CMAKE_CURRENT_LIST_DIR}/tls_samples.c)
foreach(name certificate_key oracle peer peer_issuer server_key tls12_transcript tls13_transcript)
  qseal_unit_test(pki_${name} DEPENDS pki model base PACKAGES libssl libcrypto)
  target_sources(test_pki_${name} PRIVATE ${pki_handshakes})
endforeach()
foreach(name certificate_chain certificate_cut certificate_facts certificate_fit certificate_limits certificate_sound certificate_text peer_name pkey psd2 psd2_read tls13_content tls_guard)
  qseal_unit_test(pki_${name} DEPENDS pki model base PACKAGES libcrypto)
endforeach()
# A million contents with QSEAL_LONG=1.
set_tests_properties(unit.pki_oracle PROPERTIES TIMEOUT 1500)
qseal_program(tls_corpus SOURCES tls_corpus.c ${pki_handshakes} DEPENDS pki model base PACKAGES cmocka libssl libcrypto)
