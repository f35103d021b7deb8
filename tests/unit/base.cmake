# SPDX-License-Identifier: Apache-2.0
foreach(part base64url buffer clock der fd file log name pem random span utc)
  qseal_unit_test(base_${part} DEPENDS base)
endforeach()
