/* SPDX-License-Identifier: Apache-2.0
 * Quirks, as rows. */
#include "model/quirk.h"

#include "base/attributes.h"

#include <assert.h>

static const struct {
    const char *name;
    const char *text;
} rows[] = {
    [QUIRK_LOGIN_NOT_REQUIRED] = {"login-not-required",
                                  "The token says that it needs no login; it is logged in to all "
                                  "the same, since private keys are only seen so."},
    [QUIRK_NO_RAW_RSA] = {"no-raw-rsa", "RSA signatures over a digest (CKM_RSA_PKCS or "
                                        "CKM_RSA_PKCS_PSS) are missing: the token hashes the whole "
                                        "message itself."},
    [QUIRK_NO_RAW_ECDSA] = {"no-raw-ecdsa", "ECDSA over a digest (CKM_ECDSA) is missing: the token "
                                            "hashes the whole message itself."},
    [QUIRK_FEW_SESSIONS] = {"few-sessions", "The token gives fewer sessions than `sessions:` asks "
                                            "for: workers without one refuse."},
    [QUIRK_MODIFIABLE_REFUSED] = {"modifiable-refused",
                                  "CKA_MODIFIABLE=false is refused: keys are made without it, and "
                                  "who is logged in may change their attributes."},
    [QUIRK_MODIFIABLE_IGNORED] = {"modifiable-ignored",
                                  "CKA_MODIFIABLE=false is taken and ignored: the keys say that "
                                  "their attributes may be changed."},
    [QUIRK_ALLOWED_REFUSED] = {"allowed-mechanisms-refused",
                               "CKA_ALLOWED_MECHANISMS is refused: the token does not bind keys to "
                               "mechanisms, qseal alone does."},
    [QUIRK_ALLOWED_IGNORED] = {"allowed-mechanisms-ignored",
                               "CKA_ALLOWED_MECHANISMS is taken and not kept: the token does not "
                               "bind keys to mechanisms, qseal alone does."},
    [QUIRK_CURVE_BY_OID] = {"curve-by-oid", "Ed25519 is taken by its OID only, not by its name as "
                                            "PKCS#11 2.40 has it."},
    [QUIRK_BARE_POINT] = {"bare-point", "CKA_EC_POINT is the bare point, without the OCTET STRING "
                                        "around it; both forms are read."},
    [QUIRK_ALWAYS_AUTHENTICATE] = {"always-authenticate",
                                   "A key asks for the PIN at each signature "
                                   "(CKA_ALWAYS_AUTHENTICATE): such keys are refused."},
    [QUIRK_COPY_REFUSED] = {"session-copy-refused", "No session copies of keys are made: with "
                                                    "`session_copy: true` it signs with the keys "
                                                    "themselves."},
    [QUIRK_SHORT_MESSAGES] = {"short-messages", "Where the token hashes itself, a long message at "
                                                "once was too much for it."},
    [QUIRK_LOGIN_LOST] = {"login-lost", "The token forgot a login while it was signing."},
};
static_assert(COUNT_OF(rows) == QUIRK_COUNT, "a row for every quirk");

const char *quirk_name(enum quirk quirk)
{
    return rows[quirk].name;
}

const char *quirk_text(enum quirk quirk)
{
    return rows[quirk].text;
}
