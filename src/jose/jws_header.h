/* SPDX-License-Identifier: Apache-2.0
 * Inside src/jose only: the header's part of verifying a JWS (steps 2 of the domain's rule list):
 * algorithm, key, critical members. */
#ifndef QSEAL_JOSE_JWS_HEADER_H
#define QSEAL_JOSE_JWS_HEADER_H

#include "jose/jws.h"

/* Refuses in the manner of jws_verify: OUTCOME_RULE and "rule: …". */
enum outcome jws_header_alg(const json_t *header, const struct jws_rules *rules, enum alg *out,
                            struct reason *why) MUST_USE;
/* The one JWK that may verify this; *out is owned by the caller. */
enum outcome jws_header_key(const json_t *header, const struct jws_rules *rules, enum alg alg,
                            struct public_key **out, struct reason *why) MUST_USE;
enum outcome jws_header_crit(const json_t *header, const struct jws_rules *rules,
                             struct reason *why) MUST_USE;

#endif
