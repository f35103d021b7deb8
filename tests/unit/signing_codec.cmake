# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(signing_codec DEPENDS signing_codec wire model base)
