# SPDX-License-Identifier: Apache-2.0
# jansson is here as the second opinion; the shape guard itself has none.
qseal_unit_test(model_shape DEPENDS base model PACKAGES jansson)
qseal_unit_test(model_shape_checkpoint DEPENDS base model)
qseal_unit_test(model_shape_csr DEPENDS base model PACKAGES libcrypto)
qseal_unit_test(model_shape_header DEPENDS base model PACKAGES jansson)
qseal_unit_test(model_shape_text DEPENDS base model)
