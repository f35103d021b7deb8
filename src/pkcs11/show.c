/* SPDX-License-Identifier: Apache-2.0
 * Reading a key to show it. */
#include "pkcs11/show.h"

#include "pkcs11/key.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/rv.h"
#include "pkcs11/spki.h"

enum { SPKI_ROOM = 1024, MECHANISMS_MAX = 64 };

static bool read_mechanisms(struct session *session, CK_OBJECT_HANDLE object, struct shown_key *out)
{
    CK_MECHANISM_TYPE allowed[MECHANISMS_MAX];
    size_t len = 0;
    if (!find_bytes(session, object, CKA_ALLOWED_MECHANISMS, allowed, sizeof allowed, &len)) {
        return false;
    }
    out->has_mechanisms = len > 0;
    for (size_t i = 0; i < len / sizeof allowed[0]; i++) {
        const char *name = mechanism_name(allowed[i]);
        buffer_put_text(&out->mechanisms, i == 0 ? "" : " ");
        if (name != NULL) {
            buffer_put_text(&out->mechanisms, name);
        } else {
            buffer_put_format(&out->mechanisms, "0x%lx", allowed[i]);
        }
    }
    return true;
}

static bool read_private(struct session *session, CK_OBJECT_HANDLE object,
                         const CK_ATTRIBUTE_TYPE *types, size_t n_types, struct shown_key *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n_types; i++) {
        if (!find_flag(session, object, types[i], &out->flags[i])) {
            return false;
        }
    }
    if (!find_bytes(session, object, CKA_LABEL, out->label, sizeof out->label - 1, &len)) {
        return false;
    }
    out->label[len] = '\0';
    return read_mechanisms(session, object, out);
}

static enum outcome read_public(struct session *session, CK_OBJECT_HANDLE object,
                                struct shown_key *out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(SPKI_ROOM);
    enum key_type type;
    enum outcome outcome = spki_read(session, object, &type, &der, why);
    if (outcome == OUTCOME_OK && !digest_sha256(buffer_span(&der), out->spki_digest)) {
        outcome = refuse(why, OUTCOME_INTERNAL, "SHA-256 failed");
    }
    return outcome;
}

enum outcome show_key(struct session *session, struct span id, const CK_ATTRIBUTE_TYPE *types,
                      size_t n_types, struct shown_key *out, struct reason *why)
{
    CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
    enum outcome outcome = key_find(session, CKO_PRIVATE_KEY, "private key", id, &private_key, why);
    if (outcome == OUTCOME_OK) {
        outcome = key_find(session, CKO_PUBLIC_KEY, "public key", id, &public_key, why);
    }
    if (outcome == OUTCOME_OK && !read_private(session, private_key, types, n_types, out)) {
        outcome = rv_refuse(session->rv, "reading a key", why);
    }
    return outcome == OUTCOME_OK ? read_public(session, public_key, out, why) : outcome;
}

bool show_is_at(struct session *session, CK_OBJECT_HANDLE public_key, struct span spki_digest,
                struct buffer *id)
{
    uint8_t bytes[SHOW_ID_MAX];
    size_t len = 0;
    struct reason unused;
    struct shown_key shown;
    if (read_public(session, public_key, &shown, &unused) != OUTCOME_OK ||
        !span_equal(span_of(shown.spki_digest, sizeof shown.spki_digest), spki_digest) ||
        !find_bytes(session, public_key, CKA_ID, bytes, sizeof bytes, &len)) {
        return false;
    }
    buffer_reset(id);
    buffer_put(id, bytes, len);
    return buffer_ok(id);
}
