# SPDX-License-Identifier: Apache-2.0
# Where everything goes. Configuration (/etc/qseal) is the administrator's and never installed over.
install(TARGETS qseal-httpd qseald qseal-tokend RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS qsealctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS qseal_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS qseal_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ossl-modules)
install(DIRECTORY include/qseal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/lib/pkgconfig/qseal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY src/policy/templates DESTINATION ${CMAKE_INSTALL_DATADIR}/qseal FILES_MATCHING PATTERN "*.yaml")
install(FILES src/ctl/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME qsealctl)
if(CMAKE_INSTALL_PREFIX STREQUAL /usr) # where Debian's zsh looks for what packages bring
  set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
else()
  set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()
install(FILES src/ctl/completion.zsh DESTINATION ${zsh_folder} RENAME _qsealctl)
install(DIRECTORY hsm-config/ DESTINATION ${CMAKE_INSTALL_DATADIR}/qseal/examples PATTERN systemd EXCLUDE)

install(PROGRAMS tools/audit-gaps tools/flow DESTINATION ${CMAKE_INSTALL_DATADIR}/qseal)
install(DIRECTORY tools/flow.d DESTINATION ${CMAKE_INSTALL_DATADIR}/qseal)

set(SBINDIR ${CMAKE_INSTALL_FULL_SBINDIR})
set(BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
foreach(service qseal-httpd qseald qseal-tokend@ qseal-audit-ship)
  configure_file(hsm-config/systemd/${service}.service.in ${CMAKE_BINARY_DIR}/systemd/${service}.service @ONLY)
endforeach()
set(systemd lib/systemd/system)
install(DIRECTORY ${CMAKE_BINARY_DIR}/systemd/ hsm-config/systemd/ DESTINATION ${systemd}
  FILES_MATCHING PATTERN "*.service" PATTERN "*.socket")
install(FILES hsm-config/systemd/qseal.sysusers.conf DESTINATION lib/sysusers.d RENAME qseal.conf)
install(FILES hsm-config/systemd/qseal.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME qseal.conf)

foreach(section 1 5 7 8)
  file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.${section})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN man EXCLUDE)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
