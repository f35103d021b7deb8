# SPDX-License-Identifier: Apache-2.0
foreach(part alg operation outcome purpose)
  qseal_unit_test(model_${part} DEPENDS model base)
endforeach()
