/* SPDX-License-Identifier: Apache-2.0
 * What the files of config_check() share: the place a rule is about, and rules that are needed in
 * many places. All give OUTCOME_RULE with file and line. */
#ifndef QSEAL_POLICY_CONFIG_RULE_H
#define QSEAL_POLICY_CONFIG_RULE_H

#include "policy/config.h"

struct check {
    const struct config *config;
    struct reason *why;
};

/* A JSON pointer into the file. */
struct at {
    char pointer[REASON_CLAIM_SIZE];
};

/* Built like printf does. */
struct at at(const char *format, ...) PRINTF_LIKE(1, 2);

enum outcome check_path(const struct check *check, struct at place, const char *path) MUST_USE;
struct range {
    const char *key;
    uint32_t value;
    uint32_t min;
    uint32_t max;
};

/* Members of the mapping at `section`. */
enum outcome check_ranges(const struct check *check, struct at section, const struct range *ranges,
                          size_t n) MUST_USE;
enum outcome check_name(const struct check *check, struct at place, const char *name) MUST_USE;
/* "PLACE: the same as FIRST" */
enum outcome refuse_twin(const struct check *check, struct at place, struct at first) MUST_USE;

/* Profiles and transport roles of the caller at this index. */
enum outcome check_grants(const struct check *check, size_t index) MUST_USE;
enum outcome check_roles(const struct check *check) MUST_USE;

#endif
