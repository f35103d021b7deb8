# SPDX-License-Identifier: Apache-2.0
foreach(part client door problem response)
  qseal_unit_test(client_${part} DEPENDS client base)
endforeach()
