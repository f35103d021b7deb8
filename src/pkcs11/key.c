/* SPDX-License-Identifier: Apache-2.0
 * Loading and judging a key pair. */
#include "pkcs11/key.h"

#include "pkcs11/find.h"
#include "pkcs11/rv.h"
#include "pkcs11/spki.h"

enum { SPKI_ROOM = 1024 };

struct rule {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    enum find_flag wanted;
    bool may_be_absent;
};

/* Nothing but signing: a key that decrypts or unwraps is an oracle, one that recovers signs what it
 * is given, and one that was ever readable may be elsewhere too. */
static const struct rule rules[] = {
    {CKA_SIGN, "CKA_SIGN", FIND_TRUE, false},
    {CKA_PRIVATE, "CKA_PRIVATE", FIND_TRUE, false},
    {CKA_SENSITIVE, "CKA_SENSITIVE", FIND_TRUE, false},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", FIND_FALSE, false},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", FIND_TRUE, false},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", FIND_TRUE, false},
    {CKA_DECRYPT, "CKA_DECRYPT", FIND_FALSE, true},
    {CKA_UNWRAP, "CKA_UNWRAP", FIND_FALSE, true},
    {CKA_DERIVE, "CKA_DERIVE", FIND_FALSE, true},
    {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", FIND_FALSE, true},
    {CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE", FIND_FALSE, true},
};

static const char *flag_text(enum find_flag flag)
{
    return flag == FIND_TRUE ? "true" : "false";
}

static enum outcome check_rules(struct session *session, CK_OBJECT_HANDLE object,
                                struct reason *why)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        const struct rule *rule = &rules[i];
        enum find_flag flag;
        if (!find_flag(session, object, rule->type, &flag)) {
            return rv_refuse(session->rv, "reading a key", why);
        }
        if (rule->type == CKA_ALWAYS_AUTHENTICATE) {
            quirk_note(session->quirks, QUIRK_ALWAYS_AUTHENTICATE, flag == FIND_TRUE);
        }
        if (flag == FIND_ABSENT && !rule->may_be_absent) {
            return refuse(why, OUTCOME_KEY_MISMATCH, "%s is missing, must be %s", rule->name,
                          flag_text(rule->wanted));
        }
        if (flag != FIND_ABSENT && flag != rule->wanted) {
            return refuse(why, OUTCOME_KEY_MISMATCH, "%s is %s, must be %s", rule->name,
                          flag_text(flag), flag_text(rule->wanted));
        }
    }
    return OUTCOME_OK;
}

static enum outcome read_purpose(struct session *session, CK_OBJECT_HANDLE object,
                                 enum purpose *out, struct reason *why)
{
    char label[LABEL_SIZE];
    size_t len = 0;
    if (!find_bytes(session, object, CKA_LABEL, label, sizeof label, &len)) {
        return session->rv == CKR_BUFFER_TOO_SMALL
                   ? refuse(why, OUTCOME_KEY_MISMATCH, "CKA_LABEL is longer than any of ours")
                   : rv_refuse(session->rv, "reading a key", why);
    }
    if (!purpose_from_label(span_of(label, len), out)) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "CKA_LABEL declares no purpose (qseal:PURPOSE:…)");
    }
    return OUTCOME_OK;
}

/* A session that lost its login sees no private objects: that is not a missing key. */
static bool is_logged_in(struct session *session)
{
    CK_SESSION_INFO info = {0};
    session->rv = session->calls->C_GetSessionInfo(session->handle, &info);
    if (session->rv == CKR_OK && info.state != CKS_RO_USER_FUNCTIONS &&
        info.state != CKS_RW_USER_FUNCTIONS) {
        session->rv = CKR_USER_NOT_LOGGED_IN;
    }
    return session->rv == CKR_OK;
}

enum outcome key_find(struct session *session, CK_OBJECT_CLASS class, const char *what,
                      struct span id, CK_OBJECT_HANDLE *out, struct reason *why)
{
    unsigned int n = 0;
    if (!find_by_id(session, class, id, out, &n)) {
        return rv_refuse(session->rv, "reading a key", why);
    }
    if (n == 1) {
        return OUTCOME_OK;
    }
    if (n > 1) {
        return refuse(why, OUTCOME_KEY_MISMATCH, "more than one %s has this CKA_ID", what);
    }
    if (!is_logged_in(session)) {
        return rv_refuse(session->rv, "reading a key", why);
    }
    return refuse(why, OUTCOME_NO_KEY, "the token has no %s with this CKA_ID", what);
}

static enum outcome check_pair(struct session *session, CK_OBJECT_HANDLE private_key,
                               CK_OBJECT_HANDLE public_key, struct reason *why)
{
    CK_ULONG one = 0;
    CK_ULONG other = 0;
    if (!find_number(session, private_key, CKA_KEY_TYPE, &one) ||
        !find_number(session, public_key, CKA_KEY_TYPE, &other)) {
        return rv_refuse(session->rv, "reading a key", why);
    }
    return one == other ? OUTCOME_OK
                        : refuse(why, OUTCOME_KEY_MISMATCH,
                                 "CKA_KEY_TYPE of the private and the public key differ");
}

enum outcome key_load(struct session *session, struct span id, struct key *out, struct buffer *spki,
                      struct reason *why)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(SPKI_ROOM);
    CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
    struct key key = {.private_key = CK_INVALID_HANDLE};
    enum outcome outcome =
        key_find(session, CKO_PRIVATE_KEY, "private key", id, &key.private_key, why);
    if (outcome == OUTCOME_OK) {
        outcome = key_find(session, CKO_PUBLIC_KEY, "public key", id, &public_key, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_pair(session, key.private_key, public_key, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_rules(session, key.private_key, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_purpose(session, key.private_key, &key.purpose, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = spki_read(session, public_key, &key.type, &der, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!digest_sha256(buffer_span(&der), key.spki_digest)) {
        return refuse(why, OUTCOME_INTERNAL, "SHA-256 failed");
    }
    if (spki != NULL) {
        buffer_put_span(spki, buffer_span(&der));
    }
    *out = key;
    return OUTCOME_OK;
}

bool key_copy(struct session *session, CK_OBJECT_HANDLE private_key, CK_OBJECT_HANDLE *out)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &no, sizeof no}};
    session->rv = session->calls->C_CopyObject(session->handle, private_key, template,
                                               COUNT_OF(template), out);
    quirk_note(session->quirks, QUIRK_COPY_REFUSED, session->rv != CKR_OK);
    return session->rv == CKR_OK;
}
