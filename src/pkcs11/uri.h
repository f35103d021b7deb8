/* SPDX-License-Identifier: Apache-2.0
 * The RFC 7512 URI that names one token and where its PIN is. p11-kit parses it, but lets pass what
 * we must not: attributes given twice, unknown ones, and a URI that matches every token. Those, and
 * a PIN written into the URI, are refused here. */
#ifndef QSEAL_PKCS11_URI_H
#define QSEAL_PKCS11_URI_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

struct uri;

/* OUTCOME_RULE with the reason; *out is owned by the caller. */
enum outcome uri_parse(const char *text, struct uri **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void uri_free(struct uri *uri);

bool uri_matches(const struct uri *uri, const CK_TOKEN_INFO *token);
/* Decoded; NULL when there is none. */
const char *uri_pin_source(const struct uri *uri);

#endif
