# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(roles_common_program DEPENDS roles_common base)
