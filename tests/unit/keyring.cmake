# SPDX-License-Identifier: Apache-2.0
foreach(part keyring reference store store_key)
  qseal_unit_test(keyring_${part} DEPENDS keyring jose base model PACKAGES jansson libcrypto)
endforeach()
