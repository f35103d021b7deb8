/* SPDX-License-Identifier: Apache-2.0
 * What the token holds after a generation. */
#include "check.h"

#include "pkcs11/find.h"
#include "pkcs11/generate.h"
#include "pkcs11/key.h"
#include "room_fixture.h"

static enum outcome generate(struct room_fixture *fixture, struct session *session,
                             enum key_type type, enum alg alg, uint8_t id, struct buffer *spki,
                             struct reason *why)
{
    const struct generate_request request = {
        .type = type, .id = span_of(&id, 1), .label = "qseal:seal:test", .algs = 1U << alg};
    return generate_pair(session, &fixture->room->mechanisms, &request, spki, why);
}

static CK_OBJECT_HANDLE object_of(struct session *session, CK_OBJECT_CLASS class, uint8_t id)
{
    CK_OBJECT_HANDLE object;
    unsigned int n;
    assert_true(find_by_id(session, class, span_of(&id, 1), &object, &n));
    assert_int_equal(n, 1);
    return object;
}

static void assert_flag(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                        enum find_flag wanted)
{
    enum find_flag flag;
    assert_true(find_flag(session, object, type, &flag));
    assert_int_equal(flag, wanted);
}

static void test_attributes(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct reason why = {0};
    assert_done(generate(fixture, &session, KEY_RSA_2048, ALG_PS256, 1, &spki, &why), why);
    CK_OBJECT_HANDLE key = object_of(&session, CKO_PRIVATE_KEY, 1);
    const CK_ATTRIBUTE_TYPE yes[] = {CKA_TOKEN, CKA_PRIVATE,          CKA_SENSITIVE,
                                     CKA_SIGN,  CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
                                     CKA_LOCAL};
    const CK_ATTRIBUTE_TYPE no[] = {CKA_EXTRACTABLE, CKA_DECRYPT,      CKA_UNWRAP,
                                    CKA_DERIVE,      CKA_SIGN_RECOVER, CKA_MODIFIABLE};
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        assert_flag(&session, key, yes[i], FIND_TRUE);
    }
    for (size_t i = 0; i < COUNT_OF(no); i++) {
        assert_flag(&session, key, no[i], FIND_FALSE);
    }
    CK_MECHANISM_TYPE allowed[4];
    size_t len;
    assert_true(find_bytes(&session, key, CKA_ALLOWED_MECHANISMS, allowed, sizeof allowed, &len));
    assert_int_equal(len, 2 * sizeof allowed[0]);
    uint8_t value[512];
    assert_false(find_bytes(&session, key, CKA_PRIVATE_EXPONENT, value, sizeof value, &len));
    assert_int_equal(session.rv, CKR_ATTRIBUTE_SENSITIVE);
    CK_OBJECT_HANDLE public_key = object_of(&session, CKO_PUBLIC_KEY, 1);
    assert_flag(&session, public_key, CKA_VERIFY, FIND_TRUE);
    assert_flag(&session, public_key, CKA_ENCRYPT, FIND_FALSE);
    assert_flag(&session, public_key, CKA_WRAP, FIND_FALSE);
    char label[32];
    assert_true(find_bytes(&session, public_key, CKA_LABEL, label, sizeof label, &len));
    assert_memory_equal(label, "qseal:seal:test", len);
}

/* What TLS may ask of a curve: one raw mechanism for three digests. */
static void test_transport_key(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct reason why = {0};
    const uint8_t id = 0x77;
    const struct generate_request request = {.type = KEY_P384,
                                             .id = span_of(&id, 1),
                                             .label = "qseal:transport:bank",
                                             .algs = 1U << ALG_ES256 | 1U << ALG_ES384 |
                                                     1U << ALG_ES512};
    assert_done(generate_pair(&session, &fixture->room->mechanisms, &request, &spki, &why), why);
    CK_MECHANISM_TYPE allowed[4];
    size_t len;
    assert_true(find_bytes(&session, object_of(&session, CKO_PRIVATE_KEY, id),
                           CKA_ALLOWED_MECHANISMS, allowed, sizeof allowed, &len));
    assert_int_equal(len, sizeof allowed[0]);
    assert_int_equal(allowed[0], CKM_ECDSA);
    struct key key;
    assert_done(key_load(&session, span_of(&id, 1), &key, NULL, &why), why);
    assert_int_equal(key.purpose, PURPOSE_TRANSPORT);
    assert_int_equal(key.type, KEY_P384);
}

/* The token itself refuses another algorithm than those granted. */
static void test_allowed_mechanisms_hold(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct reason why = {0};
    assert_done(generate(fixture, &session, KEY_RSA_2048, ALG_PS256, 2, &spki, &why), why);
    CK_MECHANISM pkcs1 = {.mechanism = CKM_RSA_PKCS};
    assert_int_equal(
        session.calls->C_SignInit(session.handle, &pkcs1, object_of(&session, CKO_PRIVATE_KEY, 2)),
        CKR_MECHANISM_INVALID);
}

static void test_smaller_templates(void **state)
{
    static const struct {
        const char *faults;
        bool modifiable; /* what the key ends up as */
        bool allowed;
    } rows[] = {
        {"C_GenerateKeyPair 1 1 0x12\n", true, true},   /* without CKA_MODIFIABLE */
        {"C_GenerateKeyPair 1 2 0x13\n", false, false}, /* without CKA_ALLOWED_MECHANISMS */
        {"C_GenerateKeyPair 1 3 0xd1\n", true, false},  /* without both */
    };
    struct room_fixture *fixture = *state;
    for (uint8_t i = 0; i < COUNT_OF(rows); i++) {
        room_fixture_ready(fixture);
        struct session session = room_fixture_session(fixture);
        BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
        struct reason why = {0};
        softhsm_set_faults(&fixture->softhsm, rows[i].faults);
        uint8_t id = (uint8_t)(10 + i);
        assert_done(generate(fixture, &session, KEY_P256, ALG_ES256, id, &spki, &why), why);
        assert_flag(&session, object_of(&session, CKO_PRIVATE_KEY, id), CKA_MODIFIABLE,
                    rows[i].modifiable ? FIND_TRUE : FIND_FALSE);
        assert_string_equal(room_fixture_quirk(fixture, QUIRK_MODIFIABLE_REFUSED),
                            rows[i].modifiable ? "found" : "not found");
        assert_string_equal(room_fixture_quirk(fixture, QUIRK_MODIFIABLE_IGNORED),
                            rows[i].modifiable ? "unknown" : "not found");
        assert_string_equal(room_fixture_quirk(fixture, QUIRK_ALLOWED_REFUSED),
                            rows[i].allowed ? "not found" : "found");
        assert_string_equal(room_fixture_quirk(fixture, QUIRK_ALLOWED_IGNORED),
                            rows[i].allowed ? "not found" : "unknown");
        softhsm_set_faults(&fixture->softhsm, "");
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

/* The two attributes that are read behind a generation, to know what became of them. */
static void test_what_is_ignored(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct reason why = {0};
    softhsm_set_faults(&fixture->softhsm,
                       "C_GetAttributeValue 1 1 flip\nC_GetAttributeValue 2 2 empty\n");
    assert_done(generate(fixture, &session, KEY_P256, ALG_ES256, 50, &spki, &why), why);
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_MODIFIABLE_IGNORED), "found");
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_ALLOWED_IGNORED), "found");
    /* Found once, it stays so. */
    assert_done(generate(fixture, &session, KEY_P256, ALG_ES256, 51, &spki, &why), why);
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_MODIFIABLE_IGNORED), "found");
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_CURVE_BY_OID), "unknown");
}

static void test_other_spelling_of_ed25519(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct reason why = {0};
    softhsm_set_faults(&fixture->softhsm, "C_GenerateKeyPair 1 1 0x140\n");
    assert_done(generate(fixture, &session, KEY_ED25519, ALG_ED25519, 20, &spki, &why), why);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_GenerateKeyPair", NULL), 2);
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_CURVE_BY_OID), "found");
}

static void test_refusals(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct reason why = {0};
    softhsm_set_faults(&fixture->softhsm, "C_GenerateKeyPair 1 1 0x70\nC_GenerateKeyPair 2 2 0x31\n"
                                          "C_GenerateKeyPair 3 10 0xd1\n");
    assert_refused(generate(fixture, &session, KEY_P256, ALG_ES256, 30, &spki, &why), OUTCOME_RULE,
                   why, "makes no p-256 key: CKR_MECHANISM_INVALID");
    assert_refused(generate(fixture, &session, KEY_P256, ALG_ES256, 30, &spki, &why),
                   OUTCOME_TOKEN_UNAVAILABLE, why, "CKR_DEVICE_MEMORY");
    assert_refused(generate(fixture, &session, KEY_P256, ALG_ES256, 30, &spki, &why), OUTCOME_RULE,
                   why, "CKR_TEMPLATE_INCONSISTENT");
    softhsm_set_faults(&fixture->softhsm, "");
    assert_done(generate(fixture, &session, KEY_P256, ALG_ES256, 30, &spki, &why), why);
    assert_refused(generate(fixture, &session, KEY_P256, ALG_ES256, 30, &spki, &why), OUTCOME_RULE,
                   why, "an object with this CKA_ID already");
}

/* What cannot be read back and checked does not stay. */
static void test_unchecked_pair_is_destroyed(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct reason why = {0};
    softhsm_set_faults(&fixture->softhsm, "C_GetAttributeValue 1 3 0x30\n");
    assert_refused(generate(fixture, &session, KEY_P256, ALG_ES256, 40, &spki, &why),
                   OUTCOME_TOKEN_UNAVAILABLE, why, "CKR_DEVICE_ERROR");
    assert_int_equal(spki.len, 0);
    CK_OBJECT_HANDLE object;
    unsigned int n;
    uint8_t id = 40;
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, span_of(&id, 1), &object, &n));
    assert_int_equal(n, 0);
    assert_true(find_by_id(&session, CKO_PUBLIC_KEY, span_of(&id, 1), &object, &n));
    assert_int_equal(n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_attributes),
        TEST(test_transport_key),
        TEST(test_allowed_mechanisms_hold),
        TEST(test_smaller_templates),
        TEST(test_what_is_ignored),
        TEST(test_other_spelling_of_ed25519),
        TEST(test_refusals),
        TEST(test_unchecked_pair_is_destroyed),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
