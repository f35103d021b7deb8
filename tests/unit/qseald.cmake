# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(roles_qseald_door DEPENDS wire signing token_codec)
target_sources(test_roles_qseald_door PRIVATE ${CMAKE_SOURCE_DIR}/src/roles/qseald/door.c
  ${CMAKE_SOURCE_DIR}/src/roles/qseald/front.c)
