# SPDX-License-Identifier: Apache-2.0
foreach(part alg key_state operation outcome purpose quirk tls_credentials tls_handshake tls_hello tls_scheme)
  qseal_unit_test(model_${part} DEPENDS model base)
endforeach()
# libssl is here as the second opinion on cipher suites.
qseal_unit_test(model_tls_key_exchange DEPENDS model base PACKAGES libssl libcrypto)
