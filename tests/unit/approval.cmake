# SPDX-License-Identifier: Apache-2.0
# Two persons for a change of keys. Against tokens that are doubles (the third body of token/token.h).
foreach(part approve approve_kill decide rotation_approval)
  qseal_unit_test(custody_${part} DEPENDS custody signing token_codec PACKAGES jansson libcrypto)
  target_sources(test_custody_${part} PRIVATE ${CMAKE_SOURCE_DIR}/tests/doubles/instance.c ${CMAKE_SOURCE_DIR}/tests/doubles/token_double.c)
  target_include_directories(test_custody_${part} PRIVATE ${CMAKE_SOURCE_DIR}/tests/doubles ${CMAKE_SOURCE_DIR}/tests/unit)
  target_compile_definitions(test_custody_${part} PRIVATE QSEAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endforeach()
foreach(part effect plan plans)
  qseal_unit_test(custody_${part} DEPENDS custody jose model base PACKAGES jansson)
endforeach()
# Killed before each system call of an approval.
target_link_options(test_custody_approve_kill PRIVATE -Wl,--wrap=rename,--wrap=fsync,--wrap=fchmod,--wrap=write,--wrap=unlink)
