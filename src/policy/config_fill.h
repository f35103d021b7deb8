/* SPDX-License-Identifier: Apache-2.0
 * Defaults, users and ownership: from what the file says to what it means. */
#ifndef QSEAL_POLICY_CONFIG_FILL_H
#define QSEAL_POLICY_CONFIG_FILL_H

#include "policy/config_file.h"

/* Fills a zeroed struct config whose path is set. Texts and lists move out of `file`, which stays
 * good for yaml_unload(). After a failure, config_free() frees what was filled so far. */
enum outcome config_fill(struct config *config, struct config_file *file,
                         struct reason *why) MUST_USE;

#endif
