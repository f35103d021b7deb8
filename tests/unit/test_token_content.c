/* SPDX-License-Identifier: Apache-2.0
 * What is refused before any key is looked for, and certificate requests on a real token. */
#include "token/content.h"

#include "check.h"
#include "jws.h"
#include "room_fixture.h"

#include <openssl/sha.h>

enum { INFO_MAX = 2048 };

/* CertificationRequestInfo around these bytes, with an empty subject. */
static void put_info(struct buffer *out, struct span spki)
{
    static const uint8_t before[] = {0x02, 0x01, 0x00, 0x30, 0x00};
    static const uint8_t after[] = {0xa0, 0x00};
    size_t len = sizeof before + spki.len + sizeof after;
    buffer_put_u8(out, 0x30);
    if (len > 0xff) {
        buffer_put_u8(out, 0x82);
        buffer_put_u16(out, (uint16_t)len);
    } else {
        if (len > 0x7f) {
            buffer_put_u8(out, 0x81);
        }
        buffer_put_u8(out, (uint8_t)len);
    }
    buffer_put(out, before, sizeof before);
    buffer_put_span(out, spki);
    buffer_put(out, after, sizeof after);
    assert_true(buffer_ok(out));
}

static void test_only_its_own_key(void **state)
{
    (void)state;
    static const uint8_t spki[] = {0x30, 0x03, 1, 2, 3};
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(INFO_MAX);
    put_info(&info, span_of(spki, sizeof spki));
    struct token_sign_request request = {.use = USE_CSR, .input = buffer_span(&info)};
    struct reason why = {0};
    (void)SHA256(spki, sizeof spki, request.spki_digest);
    for (unsigned int purpose = 0; purpose < PURPOSE_COUNT; purpose++) {
        request.purpose = (enum purpose)purpose;
        assert_done(content_check(&request, &why), why);
    }
    request.spki_digest[0] ^= 1;
    assert_refused(content_check(&request, &why), OUTCOME_SHAPE, why,
                   "certificate request: for another key than this one");
    request.spki_digest[0] ^= 1;
    request.use = USE_PURPOSE;
    request.purpose = PURPOSE_SEAL;
    assert_refused(content_check(&request, &why), OUTCOME_SHAPE, why, "not a JWS signing input");
    request.purpose = PURPOSE_AUDIT;
    assert_refused(content_check(&request, &why), OUTCOME_SHAPE, why,
                   "checkpoint: another first line");
    request.use = USE_CSR;
    request.input = span_of_text("eyJhbGciOiJFUzI1NiJ9.e30");
    assert_refused(content_check(&request, &why), OUTCOME_SHAPE, why, "not one SEQUENCE");
    request.use = (enum token_use)TOKEN_USE_COUNT;
    assert_refused(content_check(&request, &why), OUTCOME_SHAPE, why, "no such use of a key");
}

static const struct {
    enum purpose purpose;
    enum key_type type;
    enum alg alg;
    uint32_t algs;
} keys[] = {
    {PURPOSE_SEAL, KEY_P256, ALG_ES256, 1U << ALG_ES256},
    {PURPOSE_AUDIT, KEY_P256, ALG_ES256, 1U << ALG_ES256},
    {PURPOSE_AUDIT, KEY_RSA_2048, ALG_PS256, 1U << ALG_PS256},
    {PURPOSE_TRANSPORT, KEY_P256, ALG_ES256, 1U << ALG_ES256 | 1U << ALG_ES384 | 1U << ALG_ES512},
    {PURPOSE_TRANSPORT, KEY_P384, ALG_ES384, 1U << ALG_ES256 | 1U << ALG_ES384 | 1U << ALG_ES512},
    {PURPOSE_TRANSPORT, KEY_RSA_2048, ALG_RS256,
     1U << ALG_RS256 | 1U << ALG_RS384 | 1U << ALG_RS512 | 1U << ALG_PS256 | 1U << ALG_PS384 |
         1U << ALG_PS512},
    {PURPOSE_TRANSPORT, KEY_ED25519, ALG_ED25519, 1U << ALG_ED25519},
};

/* Generated with all that TLS may ask of it, found by its label, and signing its own request. */
static void test_requests_are_signed(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
        BUFFER_CLEANUP struct buffer info = BUFFER_INIT(INFO_MAX);
        BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
        struct token_generate_request wanted = {.purpose = keys[i].purpose,
                                                .type = keys[i].type,
                                                .algs = keys[i].algs,
                                                .role = "bank",
                                                .key_id = {0xc5, (uint8_t)i}};
        struct reason why = {0};
        struct deadline deadline = deadline_in_ms(60000);
        assert_done(token_generate(fixture->token, &wanted, deadline, &spki, &why), why);
        put_info(&info, buffer_span(&spki));
        struct token_sign_request request = {.purpose = keys[i].purpose,
                                             .use = USE_CSR,
                                             .alg = keys[i].alg,
                                             .input = buffer_span(&info)};
        memcpy(request.key_id, wanted.key_id, sizeof request.key_id);
        (void)SHA256(spki.data, spki.len, request.spki_digest);
        assert_done(token_sign(fixture->token, &request, deadline, &signature, &why), why);
        assert_true(jws_verifies(buffer_span(&spki), keys[i].alg, buffer_span(&info),
                                 buffer_span(&signature)));
        /* The purpose in the label counts for this, too. */
        for (unsigned int other = 0; other < PURPOSE_COUNT; other++) {
            request.purpose = (enum purpose)other;
            if (request.purpose != keys[i].purpose) {
                assert_refused(token_sign(fixture->token, &request, deadline, &signature, &why),
                               OUTCOME_KEY_MISMATCH, why, "CKA_LABEL: the key is for ");
            }
        }
    }
}

static void test_what_does_not_fit_is_not_generated(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct token_generate_request wanted = {.purpose = PURPOSE_SEAL,
                                            .type = KEY_P256,
                                            .algs = 1U << ALG_ES256 | 1U << ALG_ES384,
                                            .role = "bank",
                                            .key_id = {0xc6}};
    struct reason why = {0};
    struct deadline deadline = deadline_in_ms(60000);
    assert_refused(token_generate(fixture->token, &wanted, deadline, &spki, &why), OUTCOME_RULE,
                   why, "a p-256 key does not sign ES384");
    wanted.purpose = PURPOSE_AUDIT;
    assert_refused(token_generate(fixture->token, &wanted, deadline, &spki, &why), OUTCOME_RULE,
                   why, "a p-256 key does not sign ES384");
    wanted.purpose = PURPOSE_TRANSPORT;
    wanted.algs = 1U << ALG_PS256;
    assert_refused(token_generate(fixture->token, &wanted, deadline, &spki, &why), OUTCOME_RULE,
                   why, "a p-256 key does not sign PS256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_its_own_key),
        cmocka_unit_test_setup_teardown(test_requests_are_signed, room_fixture_setup,
                                        room_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_does_not_fit_is_not_generated, room_fixture_setup,
                                        room_fixture_teardown),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
