# SPDX-License-Identifier: Apache-2.0
qseal_unit_test(policy_yaml DEPENDS base model config)
qseal_unit_test(policy_yaml_tree DEPENDS base model config)
qseal_unit_test(policy_config DEPENDS base model config)
qseal_unit_test(policy_config_check DEPENDS base model config)
qseal_unit_test(policy_config_uri DEPENDS base model config)
qseal_unit_test(policy_config_mark DEPENDS base model config)
target_compile_definitions(test_policy_config PRIVATE QSEAL_EXAMPLE="${CMAKE_SOURCE_DIR}/hsm-config/qseal.yaml")
