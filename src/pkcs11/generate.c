/* SPDX-License-Identifier: Apache-2.0
 * Key generation, with the templates that tokens accept. */
#include "pkcs11/generate.h"

#include "base/log.h"
#include "pkcs11/find.h"
#include "pkcs11/key.h"
#include "pkcs11/rv.h"
#include "pkcs11/spki.h"

#include <string.h>

/* PKCS#11 templates are not const, although nothing writes to them here. */
#define UNCONST(pointer) ((void *)(uintptr_t)(pointer))

enum { TEMPLATE_MAX = 16, ALLOWED_ROOM = 64 };

struct template
{
    CK_ATTRIBUTE attributes[TEMPLATE_MAX];
    CK_ULONG n;
};

struct pair {
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
};

/* What some tokens do not take in a template, so that it is tried with and without: first both, and
 * the ban on later changes is given up before the list of mechanisms. */
struct extras {
    bool modifiable;
    bool allowed;
    const char *without;
};

static const struct extras variants[] = {
    {true, true, NULL},
    {false, true, "CKA_MODIFIABLE"},
    {true, false, "CKA_ALLOWED_MECHANISMS"},
    {false, false, "CKA_MODIFIABLE and CKA_ALLOWED_MECHANISMS"},
};

static void put(struct template *template, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    template->attributes[template->n++] = (CK_ATTRIBUTE){type, UNCONST(value), len};
}

static void put_flag(struct template *template, CK_ATTRIBUTE_TYPE type, bool value)
{
    static const CK_BBOOL yes = CK_TRUE;
    static const CK_BBOOL no = CK_FALSE;
    put(template, type, value ? &yes : &no, sizeof yes);
}

static void put_name(struct template *template, const struct generate_request *request)
{
    put(template, CKA_ID, request->id.data, request->id.len);
    put(template, CKA_LABEL, request->label, strlen(request->label));
}

static CK_MECHANISM_TYPE generator_of(enum key_type type)
{
    switch (type) {
    case KEY_RSA_2048:
    case KEY_RSA_3072:
    case KEY_RSA_4096:
        return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case KEY_P256:
    case KEY_P384:
    case KEY_P521:
        return CKM_EC_KEY_PAIR_GEN;
    case KEY_ED25519:
        return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    }
    return CKM_RSA_PKCS_KEY_PAIR_GEN;
}

static void private_template(const struct generate_request *request, const struct extras *extras,
                             const CK_MECHANISM_TYPE *allowed, size_t n_allowed,
                             struct template *out)
{
    *out = (struct template){.n = 0};
    put_flag(out, CKA_TOKEN, true);
    put_flag(out, CKA_PRIVATE, true);
    put_flag(out, CKA_SENSITIVE, true);
    put_flag(out, CKA_EXTRACTABLE, false);
    put_flag(out, CKA_SIGN, true);
    put_flag(out, CKA_SIGN_RECOVER, false);
    put_flag(out, CKA_DECRYPT, false);
    put_flag(out, CKA_UNWRAP, false);
    put_flag(out, CKA_DERIVE, false);
    put_name(out, request);
    if (extras->modifiable) {
        put_flag(out, CKA_MODIFIABLE, false);
    }
    if (extras->allowed && n_allowed > 0) {
        put(out, CKA_ALLOWED_MECHANISMS, allowed, n_allowed * sizeof *allowed);
    }
}

static CK_RV generate_once(struct session *session, const struct generate_request *request,
                           struct template *private_key, bool curve_as_name, struct pair *out)
{
    static const uint8_t exponent[] = {0x01, 0x00, 0x01};
    CK_MECHANISM mechanism = {.mechanism = generator_of(request->type)};
    CK_ULONG bits = key_type_bits(request->type);
    struct span curve = spki_curve_params(request->type, curve_as_name);
    struct template public_key = {.n = 0};
    put_flag(&public_key, CKA_TOKEN, true);
    put_flag(&public_key, CKA_PRIVATE, false);
    put_flag(&public_key, CKA_VERIFY, true);
    put_flag(&public_key, CKA_ENCRYPT, false);
    put_flag(&public_key, CKA_WRAP, false);
    put_name(&public_key, request);
    if (curve.len > 0) {
        put(&public_key, CKA_EC_PARAMS, curve.data, curve.len);
    } else {
        put(&public_key, CKA_MODULUS_BITS, &bits, sizeof bits);
        put(&public_key, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
    }
    return session->calls->C_GenerateKeyPair(session->handle, &mechanism, public_key.attributes,
                                             public_key.n, private_key->attributes, private_key->n,
                                             &out->public_key, &out->private_key);
}

/* What the token took, and what it made of that: two attributes more are read. */
static void note_made(struct session *session, const struct generate_request *request,
                      const struct extras *taken, CK_OBJECT_HANDLE private_key)
{
    struct quirks *quirks = session->quirks;
    CK_MECHANISM_TYPE allowed[ALLOWED_ROOM];
    enum find_flag modifiable = FIND_ABSENT;
    size_t len = 0;
    if (taken->without != NULL) {
        log_info("the key %s was made without %s%s", request->label, taken->without,
                 request->copyable ? " (for session copies)" : ", which the token refuses");
    }
    if (!request->copyable) {
        quirk_note(quirks, QUIRK_MODIFIABLE_REFUSED, !taken->modifiable);
    }
    quirk_note(quirks, QUIRK_ALLOWED_REFUSED, !taken->allowed);
    if (taken->modifiable && find_flag(session, private_key, CKA_MODIFIABLE, &modifiable) &&
        modifiable != FIND_ABSENT) {
        quirk_note(quirks, QUIRK_MODIFIABLE_IGNORED, modifiable == FIND_TRUE);
    }
    if (taken->allowed &&
        find_bytes(session, private_key, CKA_ALLOWED_MECHANISMS, allowed, sizeof allowed, &len)) {
        quirk_note(quirks, QUIRK_ALLOWED_IGNORED, len == 0);
    }
}

/* Each form of template, and for Ed25519 each spelling of the curve, until the token takes one. */
static CK_RV generate_any(struct session *session, const struct mechanisms *mechanisms,
                          const struct generate_request *request, struct pair *out)
{
    CK_MECHANISM_TYPE allowed[2 * ALG_COUNT];
    size_t n_allowed = mechanism_allowed(mechanisms, request->algs, allowed);
    CK_RV rv = CKR_TEMPLATE_INCONSISTENT;
    for (size_t i = 0; i < COUNT_OF(variants); i++) {
        if (request->copyable && variants[i].modifiable) {
            continue;
        }
        struct template private_key;
        private_template(request, &variants[i], allowed, n_allowed, &private_key);
        rv = generate_once(session, request, &private_key, true, out);
        bool by_oid = rv_is_template(rv) && request->type == KEY_ED25519;
        if (by_oid) {
            rv = generate_once(session, request, &private_key, false, out);
        }
        if (rv == CKR_OK) {
            note_made(session, request, &variants[i], out->private_key);
        }
        if (rv == CKR_OK && request->type == KEY_ED25519) {
            quirk_note(session->quirks, QUIRK_CURVE_BY_OID, by_oid);
        }
        if (!rv_is_template(rv)) {
            return rv;
        }
    }
    return rv;
}

static enum outcome check_id_is_free(struct session *session, struct span id, struct reason *why)
{
    const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        CK_OBJECT_HANDLE found;
        unsigned int n = 0;
        if (!find_by_id(session, classes[i], id, &found, &n)) {
            return rv_refuse(session->rv, "looking for the CKA_ID", why);
        }
        if (n > 0) {
            return refuse(why, OUTCOME_RULE, "the token has an object with this CKA_ID already");
        }
    }
    return OUTCOME_OK;
}

enum outcome generate_pair(struct session *session, const struct mechanisms *mechanisms,
                           const struct generate_request *request, struct buffer *spki,
                           struct reason *why)
{
    enum outcome outcome = check_id_is_free(session, request->id, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct pair pair = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};
    CK_RV rv = generate_any(session, mechanisms, request, &pair);
    session->rv = rv;
    if (rv != CKR_OK) {
        bool cannot = rv_class(rv) == RV_REFUSED || rv_is_template(rv);
        return refuse(why, cannot ? OUTCOME_RULE : OUTCOME_TOKEN_UNAVAILABLE,
                      "the token makes no %s key: %s", key_type_name(request->type),
                      rv_text(rv).text);
    }
    struct key key;
    size_t before = spki->len;
    outcome = key_load(session, request->id, &key, spki, why);
    if (outcome == OUTCOME_OK && key.type != request->type) {
        outcome = refuse(why, OUTCOME_KEY_MISMATCH, "the token made a %s key instead of %s",
                         key_type_name(key.type), key_type_name(request->type));
    }
    if (outcome != OUTCOME_OK) {
        buffer_cut(spki, before);
        (void)session->calls->C_DestroyObject(session->handle, pair.private_key);
        (void)session->calls->C_DestroyObject(session->handle, pair.public_key);
    }
    return outcome;
}
