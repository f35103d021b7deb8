/* SPDX-License-Identifier: Apache-2.0
 * What a schema cannot say of a configuration: ranges, names, paths, and how its parts fit. */
#ifndef QSEAL_POLICY_CONFIG_CHECK_H
#define QSEAL_POLICY_CONFIG_CHECK_H

#include "policy/config.h"

/* OUTCOME_RULE with file and line; config->path is read again to find them. */
enum outcome config_check(const struct config *config, struct reason *why) MUST_USE;

#endif
