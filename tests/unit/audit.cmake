# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(audit_line DEPENDS audit base model PACKAGES libcrypto)
qseal_unit_test(audit_log DEPENDS audit base model PACKAGES libcrypto)
target_link_options(test_audit_log PRIVATE -Wl,--wrap=pwrite,--wrap=fdatasync,--wrap=openat)
qseal_unit_test(audit_recover DEPENDS audit base model PACKAGES libcrypto)
