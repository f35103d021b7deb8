/* SPDX-License-Identifier: Apache-2.0
 * Inside src/policy only: who is meant by a user's or a group's name, or by a number. All give
 * OUTCOME_RULE with the place, which is a JSON pointer into the file at `path`. */
#ifndef QSEAL_POLICY_CONFIG_USER_H
#define QSEAL_POLICY_CONFIG_USER_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* `kind` is "uid" or "gid". */
enum outcome config_take_number(const char *path, const char *pointer, const char *kind,
                                unsigned long long number, uint32_t *out,
                                struct reason *why) MUST_USE;
/* A name or digits. */
enum outcome config_resolve_user(const char *path, const char *pointer, const char *user,
                                 uid_t *out, struct reason *why) MUST_USE;
enum outcome config_resolve_group(const char *path, const char *pointer, const char *group,
                                  gid_t *out, struct reason *why) MUST_USE;
/* Exactly one of `user:` and `uid:` of the entry of this index. */
enum outcome config_resolve_either(const char *path, const char *section, size_t index,
                                   const char *user, const uint32_t *uid, uid_t *out,
                                   struct reason *why) MUST_USE;

#endif
