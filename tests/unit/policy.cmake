# SPDX-License-Identifier: Apache-2.0
get_filename_component(policy_root ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
foreach(name add_a_bank answer binding body claims compile header header_check kinds known kinds_names kinds_value nested nested_check pattern pointer profile
    profiles rules schema template template_check text value verification verification_file)
  qseal_unit_test(policy_${name} DEPENDS policy config jose model base)
  target_compile_definitions(test_policy_${name} PRIVATE QSEAL_SOURCE_DIR="${policy_root}")
endforeach()
