# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(audit_line DEPENDS audit base model PACKAGES libcrypto)
qseal_unit_test(audit_checkpoint DEPENDS audit jose pki base model PACKAGES jansson libcrypto)
find_program(QSEAL_OPENSSL openssl REQUIRED)
target_compile_definitions(test_audit_checkpoint PRIVATE QSEAL_OPENSSL="${QSEAL_OPENSSL}")
qseal_unit_test(audit_log DEPENDS audit base model PACKAGES libcrypto)
target_link_options(test_audit_log PRIVATE -Wl,--wrap=pwrite,--wrap=fdatasync,--wrap=openat)
qseal_unit_test(audit_recover DEPENDS audit base model PACKAGES libcrypto)
