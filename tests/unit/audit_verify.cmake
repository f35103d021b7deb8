# SPDX-License-Identifier: Apache-2.0
# Reading and verifying the audit log.
foreach(part check_end check_seal check_uses listing reader tamper verify)
  qseal_unit_test(audit_${part} DEPENDS audit jose pki base model PACKAGES jansson libcrypto)
endforeach()
set_tests_properties(unit.audit_tamper PROPERTIES TIMEOUT 600)
target_compile_definitions(test_audit_verify PRIVATE QSEAL_AUDIT_DOCS="${CMAKE_SOURCE_DIR}/docs/audit.md")
