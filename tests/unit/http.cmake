# SPDX-License-Identifier: Apache-2.0
foreach(file answer head route)
  qseal_unit_test(http_${file} DEPENDS http signing_codec wire model base)
endforeach()

# qseal-httpd itself, with a qseald played by the test.
foreach(test roles_httpd roles_httpd_faults roles_httpd_late roles_httpd_leave roles_httpd_limits)
  qseal_unit_test(${test} DEPENDS signing_codec wire model base)
  target_sources(test_${test} PRIVATE httpd_rig.c)
  target_compile_definitions(test_${test} PRIVATE QSEAL_HTTPD="$<TARGET_FILE:qseal-httpd>")
  add_dependencies(test_${test} qseal-httpd)
endforeach()
qseal_preloaded(late_engine)
target_compile_definitions(test_roles_httpd_late PRIVATE QSEAL_LATE_ENGINE="$<TARGET_FILE:qseal-test-late_engine>")
add_dependencies(test_roles_httpd_late qseal-test-late_engine)

# Two of its files, with the rest played by the test.
qseal_unit_test(roles_httpd_peers DEPENDS signing_codec wire model base)
target_sources(test_roles_httpd_peers PRIVATE ${CMAKE_SOURCE_DIR}/src/roles/httpd/peers.c
  ${CMAKE_SOURCE_DIR}/src/roles/httpd/questions.c)
