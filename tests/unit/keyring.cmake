# SPDX-License-Identifier: Apache-2.0
foreach(part chain keyring reference store store_key)
  qseal_unit_test(keyring_${part} DEPENDS keyring jose base model PACKAGES jansson libcrypto)
endforeach()
foreach(part change clash jwks kept replica schedule store_history store_plans)
  qseal_unit_test(keyring_${part} DEPENDS keyring jose base model PACKAGES jansson libcrypto)
endforeach()
# Killed before each system call of a change.
target_link_options(test_keyring_kept PRIVATE -Wl,--wrap=rename,--wrap=fsync,--wrap=fchmod,--wrap=write,--wrap=unlink)
