# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(ctl_command DEPENDS custody_remote wire)
target_sources(test_ctl_command PRIVATE ${CMAKE_SOURCE_DIR}/src/ctl/command.c)
qseal_unit_test(custody_remote DEPENDS custody_remote wire)
qseal_unit_test(ctl_options DEPENDS custody_remote pki wire)
target_sources(test_ctl_options PRIVATE ${CMAKE_SOURCE_DIR}/src/ctl/command.c ${CMAKE_SOURCE_DIR}/src/ctl/options.c ${CMAKE_SOURCE_DIR}/src/ctl/request.c)
qseal_unit_test(ctl_request DEPENDS custody_remote wire)
target_sources(test_ctl_request PRIVATE ${CMAKE_SOURCE_DIR}/src/ctl/command.c ${CMAKE_SOURCE_DIR}/src/ctl/request.c)
