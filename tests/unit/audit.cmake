# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(audit_line DEPENDS audit base model PACKAGES libcrypto)
