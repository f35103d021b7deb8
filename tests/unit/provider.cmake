# SPDX-License-Identifier: Apache-2.0
foreach(part error param pem scheme sha2 spki thumbprint transcript)
  qseal_unit_test(provider_${part} DEPENDS provider client base PACKAGES libcrypto)
endforeach()

# With a library context, or with the keys of the rig. The provider is linked in, so that it has the sanitizers
# of the build; qseal.so itself has none, and is loaded where a test says so.
foreach(part crowd decoder digest handshake key keymgmt node provider signature store)
  qseal_unit_test(provider_${part} DEPENDS provider client base PACKAGES libssl libcrypto)
  target_sources(test_provider_${part} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/provider_rig.c
    ${CMAKE_SOURCE_DIR}/tests/unit/provider_rig_service.c)
  target_compile_definitions(test_provider_${part} PRIVATE QSEAL_MODULE="$<TARGET_FILE:qseal_module>")
  add_dependencies(test_provider_${part} qseal_module)
endforeach()
target_compile_definitions(test_provider_node PRIVATE
  QSEAL_SCRIPT="${CMAKE_SOURCE_DIR}/tests/provider/handshake.mjs")
