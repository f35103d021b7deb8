# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(roles_qseald_door DEPENDS wire signing token_codec)
target_sources(test_roles_qseald_door PRIVATE ${CMAKE_SOURCE_DIR}/src/roles/qseald/door.c
  ${CMAKE_SOURCE_DIR}/src/roles/qseald/front.c)
qseal_unit_test(roles_qseald_load DEPENDS custody signing token_codec)
target_sources(test_roles_qseald_load PRIVATE ${CMAKE_SOURCE_DIR}/src/roles/qseald/load.c
  ${CMAKE_SOURCE_DIR}/tests/doubles/instance.c ${CMAKE_SOURCE_DIR}/tests/doubles/token_double.c)
target_include_directories(test_roles_qseald_load PRIVATE ${CMAKE_SOURCE_DIR}/tests/doubles ${CMAKE_SOURCE_DIR}/tests/unit)
target_compile_definitions(test_roles_qseald_load PRIVATE QSEAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
