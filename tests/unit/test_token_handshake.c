/* SPDX-License-Identifier: Apache-2.0
 * Transport keys in a real token: they sign a TLS client's CertificateVerify, for the keys and
 * algorithms that the handshake's version permits, and nothing else. */
#include "base/random.h"
#include "check.h"
#include "jws.h"
#include "room_fixture.h"
#include "tls_client.h"
#include "token/content.h"

#define ECDSA_ALGS (1U << ALG_ES256 | 1U << ALG_ES384 | 1U << ALG_ES512)
#define RSA_ALGS                                                                                   \
    (1U << ALG_RS256 | 1U << ALG_RS384 | 1U << ALG_RS512 | 1U << ALG_PS256 | 1U << ALG_PS384 |     \
     1U << ALG_PS512)

static const uint8_t hash[48] = {9, 8, 7};

struct transport {
    struct buffer spki, input, signature;
    struct token_sign_request request;
    struct reason why;
};

static void transport_begin(struct transport *transport, struct room_fixture *fixture,
                            enum key_type type, uint32_t algs)
{
    *transport = (struct transport){
        .spki = BUFFER_INIT(SPKI_MAX),
        .input = BUFFER_INIT(RIG_INPUT_MAX),
        .signature = BUFFER_INIT(SIGNATURE_MAX),
        .request = {.purpose = PURPOSE_TRANSPORT, .use = USE_PURPOSE},
    };
    struct token_generate_request wanted = {
        .purpose = PURPOSE_TRANSPORT, .type = type, .algs = algs, .role = "transport"};
    random_bytes(wanted.key_id, sizeof wanted.key_id);
    assert_done(token_generate(fixture->token, &wanted, deadline_in_ms(60000), &transport->spki,
                               &transport->why),
                transport->why);
    memcpy(transport->request.key_id, wanted.key_id, sizeof wanted.key_id);
    jws_spki_digest(buffer_span(&transport->spki), transport->request.spki_digest);
}

static void transport_end(struct transport *transport)
{
    buffer_fini(&transport->spki);
    buffer_fini(&transport->input);
    buffer_fini(&transport->signature);
}

static enum outcome sign(struct transport *transport, struct room_fixture *fixture, enum alg alg)
{
    buffer_reset(&transport->signature);
    transport->request.alg = alg;
    transport->request.input = buffer_span(&transport->input);
    return token_sign(fixture->token, &transport->request, deadline_in_ms(60000),
                      &transport->signature, &transport->why);
}

static void assert_signs(struct transport *transport, struct room_fixture *fixture, enum alg alg)
{
    assert_done(sign(transport, fixture, alg), transport->why);
    if (!jws_verifies(buffer_span(&transport->spki), alg, buffer_span(&transport->input),
                      buffer_span(&transport->signature))) {
        fail_msg("%s does not verify", alg_name(alg));
    }
}

static void test_tls13(void **state)
{
    static const struct {
        enum key_type type;
        uint32_t algs;
        uint32_t good;
    } rows[] = {
        {KEY_P256, ECDSA_ALGS, 1U << ALG_ES256},
        {KEY_P384, ECDSA_ALGS, 1U << ALG_ES384},
        {KEY_RSA_2048, RSA_ALGS, 1U << ALG_PS256 | 1U << ALG_PS384 | 1U << ALG_PS512},
        {KEY_ED25519, 1U << ALG_ED25519, 1U << ALG_ED25519},
    };
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct transport transport;
        transport_begin(&transport, fixture, rows[i].type, rows[i].algs);
        for (size_t len = 32; len <= 48; len += 16) {
            buffer_reset(&transport.input);
            rig_content(&transport.input, "client", hash, len);
            for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
                if ((rows[i].good & 1U << alg) != 0) {
                    assert_signs(&transport, fixture, (enum alg)alg);
                } else {
                    assert_refused(sign(&transport, fixture, (enum alg)alg), OUTCOME_SHAPE,
                                   transport.why, "signs in TLS 1.3");
                }
            }
        }
        transport_end(&transport);
    }
}

static void test_tls12(void **state)
{
    static const struct {
        enum key_type type;
        uint32_t algs;
    } rows[] = {{KEY_P256, ECDSA_ALGS}, {KEY_P384, ECDSA_ALGS}, {KEY_RSA_2048, RSA_ALGS}};
    struct room_fixture *fixture = *state;
    struct rig_identity ca;
    struct rig_identity server;
    const struct rig_certificate ca_how = {.is_ca = true};
    const struct rig_certificate server_how = {.san = "DNS:api.bank.example", .issuer = &ca};
    rig_identity_make(RIG_P256, &ca_how, &ca);
    rig_identity_make(RIG_P256, &server_how, &server);
    room_fixture_ready(fixture);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct transport transport;
        transport_begin(&transport, fixture, rows[i].type, rows[i].algs);
        tls_client_transcript(TLS1_2_VERSION, &server, &ca, buffer_span(&transport.spki),
                              &transport.input);
        for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
            if ((rows[i].algs & 1U << alg) != 0) {
                assert_signs(&transport, fixture, (enum alg)alg);
            } else {
                assert_refused(sign(&transport, fixture, (enum alg)alg), OUTCOME_SHAPE,
                               transport.why, "signs in TLS 1.2");
            }
        }
        /* Of another key's handshake. */
        struct transport other;
        transport_begin(&other, fixture, KEY_P256, ECDSA_ALGS);
        buffer_put_span(&other.input, buffer_span(&transport.input));
        assert_refused(sign(&other, fixture, ALG_ES256), OUTCOME_SHAPE, other.why,
                       "the first one is not of the key that is to sign");
        transport_end(&other);
        transport_end(&transport);
    }
    rig_identity_free(&server);
    rig_identity_free(&ca);
}

/* With a good key and a token that is ready, so that only the content stands in the way. */
static void test_nothing_else(void **state)
{
    struct room_fixture *fixture = *state;
    struct transport transport;
    room_fixture_ready(fixture);
    transport_begin(&transport, fixture, KEY_P256, ECDSA_ALGS);
    buffer_put(&transport.input, hash, 32);
    assert_refused(sign(&transport, fixture, ALG_ES256), OUTCOME_SHAPE, transport.why,
                   "neither a TLS 1.3 client's CertificateVerify content nor");
    buffer_reset(&transport.input);
    jws_input(&transport.input, ALG_ES256);
    assert_refused(sign(&transport, fixture, ALG_ES256), OUTCOME_SHAPE, transport.why,
                   "neither a TLS 1.3 client's CertificateVerify content nor");
    buffer_reset(&transport.input);
    rig_content(&transport.input, "server", hash, 32);
    assert_refused(sign(&transport, fixture, ALG_ES256), OUTCOME_SHAPE, transport.why,
                   "a TLS 1.3 server's CertificateVerify");
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_SignInit", NULL), 0);
    assert_int_equal(transport.signature.len, 0);
    transport_end(&transport);
}

/* One key, one purpose: whoever asks under the other one is told so before any content counts. */
static void test_purposes_do_not_mix(void **state)
{
    struct room_fixture *fixture = *state;
    struct transport transport;
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    room_fixture_ready(fixture);
    transport_begin(&transport, fixture, KEY_P256, ECDSA_ALGS);
    rig_content(&transport.input, "client", hash, 32);
    transport.request.purpose = PURPOSE_SEAL;
    assert_refused(sign(&transport, fixture, ALG_ES256), OUTCOME_SHAPE, transport.why,
                   "header: not base64url");
    buffer_reset(&transport.input);
    jws_input(&transport.input, ALG_ES256);
    assert_refused(sign(&transport, fixture, ALG_ES256), OUTCOME_KEY_MISMATCH, transport.why,
                   "CKA_LABEL: the key is for transport, not for seal");
    const struct token_sign_request seal = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    transport.request = seal;
    transport.request.purpose = PURPOSE_TRANSPORT;
    buffer_reset(&transport.input);
    rig_content(&transport.input, "client", hash, 32);
    assert_refused(sign(&transport, fixture, ALG_ES256), OUTCOME_KEY_MISMATCH, transport.why,
                   "CKA_LABEL: the key is for seal, not for transport");
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_SignInit", NULL), 0);
    transport_end(&transport);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tls13),
        TEST(test_tls12),
        TEST(test_nothing_else),
        TEST(test_purposes_do_not_mix),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
