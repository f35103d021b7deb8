/* SPDX-License-Identifier: Apache-2.0
 * What qseald reads before it begins. */
#ifndef QSEAL_ROLES_QSEALD_LOAD_H
#define QSEAL_ROLES_QSEALD_LOAD_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <stddef.h>

struct view;

/* Configuration, profiles and keyring, with the keyring's path. A fault of the first is told before
 * one of the last. *out has one reference. */
enum outcome load_view(const char *config_path, char *keyring_path, size_t size, struct view **out,
                       struct reason *why) MUST_USE;

#endif
