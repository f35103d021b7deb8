/* SPDX-License-Identifier: Apache-2.0
 * Which claim names belong to which artefact. A claim of another artefact is refused by family, not
 * one by one, so that no kind forgets one. */
#include "policy/kinds.h"

#include <string.h>

enum { NAMES_MAX = 20 };

static const struct family {
    enum name_family family;
    const char *names[NAMES_MAX];
} families[] = {
    /* A request inside a request (RFC 9101 §4), a token request (RFC 6749, RFC 7521), a DPoP proof
     * (RFC 9449), a security event (RFC 8417), CIBA (§7.1), and the subject of an assertion (RFC
     * 9101 §10.8). */
    {FAMILY_FOREIGN,
     {"sub", "request", "request_uri", "grant_type", "assertion", "client_assertion",
      "client_assertion_type", "client_secret", "htm", "htu", "ath", "events", "binding_message",
      "login_hint_token", "client_notification_token"}},
    /* RFC 7591 §2, OpenID Connect Dynamic Client Registration §2. */
    {FAMILY_REGISTRATION,
     {"redirect_uris", "request_uris", "jwks", "jwks_uri", "grant_types", "response_types",
      "token_endpoint_auth_method", "client_name", "software_id", "software_version",
      "software_statement"}},
    /* What only a request through a browser has, and the hints CIBA shares with it. */
    {FAMILY_FRONT_CHANNEL,
     {"redirect_uri", "code_challenge", "code_challenge_method", "response_mode", "login_hint",
      "id_token_hint"}},
    /* What OP's exemption assertion shares with an authorization request. */
    {FAMILY_AUTHORIZATION,
     {"response_type", "client_id", "nonce", "state", "claims", "acr_values",
      "authorization_details"}},
    {FAMILY_RIGHTS, {"scope", "acr"}},
};

bool kinds_name_is_of(const char *name, unsigned int wanted)
{
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        const char *const *names = families[i].names;
        for (size_t k = 0; (wanted & families[i].family) != 0 && names[k] != NULL; k++) {
            if (strcmp(name, names[k]) == 0) {
                return true;
            }
        }
    }
    return false;
}
