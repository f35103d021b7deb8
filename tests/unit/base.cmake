# SPDX-License-Identifier: Apache-2.0
foreach(part base64url buffer clock der fd file log name pem random secret span utc)
  qseal_unit_test(base_${part} DEPENDS base)
endforeach()
if(NOT QSEAL_SANITIZE) # sanitizers have an allocator of their own
  qseal_unit_test(base_memory DEPENDS base)
endif()
