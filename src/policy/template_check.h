/* SPDX-License-Identifier: Apache-2.0
 * What a template must satisfy by itself, whatever it is bound to. */
#ifndef QSEAL_POLICY_TEMPLATE_CHECK_H
#define QSEAL_POLICY_TEMPLATE_CHECK_H

#include "policy/template.h"

#include <jansson.h>

/* OUTCOME_OK, or OUTCOME_RULE with "file:line: …". */
enum outcome template_check(const struct template *template, const char *path,
                            struct reason *why) MUST_USE;
/* The same for header and crit (header_check.c), and for nested, shorthand (nested_check.c). */
enum outcome header_check(const struct template *template, const char *path,
                          struct reason *why) MUST_USE;
enum outcome nested_check(const struct template *template, const char *path,
                          struct reason *why) MUST_USE;

/* A value written as JSON text in a template or binding; NULL when it is none, or when printing it
 * again would lose digits. Owned by the caller. */
json_t *literal_parse(const char *text) MUST_USE;
/* Alg, kid, typ, crit, iss, sub, aud, iat, nbf, exp, jti: never the caller's (design §9). */
bool name_is_service_set(const char *name);

#endif
