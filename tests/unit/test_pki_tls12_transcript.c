/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.2 transcripts of real handshakes, and what is refused when one thing in them is changed. */
#include "pki/tls_guard.h"

#include "check.h"
#include "tls_change.h"

enum { HELLO = 1, SERVER = 2, CERT = 11, SKE = 12, REQUEST = 13, DONE = 14, CKE = 16, STATUS = 22 };

/* In a ServerKeyExchange of X25519: where the scheme stands. */
enum { SCHEME_AT = 36 };

static const char rsa[] = "1.2 RSA";

static const struct change rows[] = {
    /* order and frame */
    {rsa, CHANGE_TYPE, SERVER, 0, 0, BYTES("\x04"),
     "another message where ServerHello should come"},
    {rsa, CHANGE_REMOVE, SERVER, 0, 0, NO_BYTES, "Certificate where ServerHello should come"},
    {rsa, CHANGE_REMOVE, CERT, 0, 0, NO_BYTES, "ServerKeyExchange where Certificate should come"},
    {rsa, CHANGE_REMOVE, SKE, 0, 0, NO_BYTES,
     "CertificateRequest where ServerKeyExchange should come"},
    {rsa, CHANGE_REMOVE, REQUEST, 0, 0, NO_BYTES,
     "ServerHelloDone where CertificateRequest should come"},
    {rsa, CHANGE_REMOVE, DONE, 0, 0, NO_BYTES, "Certificate where ServerHelloDone should come"},
    {rsa, CHANGE_REMOVE, CERT, 1, 0, NO_BYTES, "ClientKeyExchange where Certificate should come"},
    {rsa, CHANGE_REMOVE, CKE, 0, 0, NO_BYTES,
     "the transcript ends where ClientKeyExchange should come"},
    {rsa, CHANGE_REPEAT, HELLO, 0, 0, NO_BYTES, "ClientHello where ServerHello should come"},
    {rsa, CHANGE_REPEAT, CKE, 0, 0, NO_BYTES, "bytes behind the ClientKeyExchange"},
    {rsa, CHANGE_APPEND, 0, 0, 0, BYTES("\x0F\0\0\0"), "bytes behind the ClientKeyExchange"},
    {rsa, CHANGE_APPEND, 0, 0, 0, BYTES("\0"), "bytes behind the ClientKeyExchange"},
    {rsa, CHANGE_CUT, 0, 0, 1, NO_BYTES,
     "the message that should be ClientKeyExchange does not fit"},
    {"1.2 stapled", CHANGE_REPEAT, STATUS, 0, 0, NO_BYTES,
     "CertificateStatus where ServerKeyExchange should come"},
    /* hellos */
    {rsa, CHANGE_PATCH, HELLO, 0, 0, BYTES("\x03\x02"),
     "ClientHello: legacy_version is not that of TLS 1.2"},
    {rsa, CHANGE_PATCH, HELLO, 0, 0, BYTES("\x03\x04"),
     "ClientHello: legacy_version is not that of TLS 1.2"},
    {rsa, CHANGE_BODY, HELLO, 0, 0, BYTES("\x03\x03"), "ClientHello: a length does not fit"},
    {rsa, CHANGE_PATCH, SERVER, 0, 0, BYTES("\x03\x02"), "ServerHello: it does not choose TLS 1.2"},
    {rsa, CHANGE_PATCH, SERVER, 0, 0, BYTES("\x03\x04"), "ServerHello: it does not choose TLS 1.2"},
    {rsa, CHANGE_BODY, SERVER, 0, 0, BYTES("\x03\x03"), "ServerHello: a length does not fit"},
    {rsa, CHANGE_SUITE, SERVER, 0, 0, BYTES("\x00\x9C"),
     "ServerHello: a cipher suite without (EC)DHE"},
    {rsa, CHANGE_SUITE, SERVER, 0, 0, BYTES("\x00\xA6"),
     "ServerHello: a cipher suite without (EC)DHE"},
    {rsa, CHANGE_SUITE, SERVER, 0, 0, BYTES("\x13\x01"),
     "ServerHello: a cipher suite without (EC)DHE"},
    {"1.2 DHE", CHANGE_SUITE, SERVER, 0, 0, BYTES("\xC0\x2F"),
     "ServerHello: a cipher suite that the ClientHello does not offer"},
    /* the server's certificate and its proof */
    {rsa, CHANGE_BODY, CERT, 0, 0, BYTES("\0\0\0"), "the server's Certificate: the list is empty"},
    {rsa, CHANGE_BODY, CERT, 0, 0, BYTES("\0\0\x04\0\0\x01\x30"),
     "the server's Certificate: it is not DER"},
    {rsa, CHANGE_BODY, CERT, 0, 0, BYTES("\0\0\x05\0\0\x01\x30"),
     "the server's Certificate: a length does not fit"},
    {"1.2 stapled", CHANGE_BODY, STATUS, 0, 0, BYTES("\x02\0\0\x01x"),
     "CertificateStatus: not an OCSP response"},
    {"1.2 P-256", CHANGE_SUITE, SERVER, 0, 0, BYTES("\xC0\x2F"),
     "ServerKeyExchange: the server's key does not fit the cipher suite"},
    {rsa, CHANGE_SUITE, SERVER, 0, 0, BYTES("\xC0\x2B"),
     "ServerKeyExchange: the server's key does not fit the cipher suite"},
    {rsa, CHANGE_PATCH, SKE, 0, 0, BYTES("\x01"),
     "ServerKeyExchange: the curve is not one that is taken"},
    {rsa, CHANGE_PATCH, SKE, 0, SCHEME_AT, BYTES("\x01\x01"),
     "ServerKeyExchange: signed with a scheme that the ClientHello does not offer"},
    {rsa, CHANGE_PATCH, SKE, 0, SCHEME_AT, BYTES("\x04\x03"),
     "ServerKeyExchange: signed with a scheme that does not fit the server's key"},
    {rsa, CHANGE_PATCH, SKE, 0, SCHEME_AT, BYTES("\x08\x09"),
     "ServerKeyExchange: signed with a scheme that does not fit the server's key"},
    {"1.2 RSA-PSS", CHANGE_PATCH, SKE, 0, SCHEME_AT, BYTES("\x08\x04"),
     "ServerKeyExchange: signed with a scheme that does not fit the server's key"},
    {"1.2 RSA-PSS", CHANGE_PATCH, SKE, 0, SCHEME_AT, BYTES("\x04\x01"),
     "ServerKeyExchange: signed with a scheme that does not fit the server's key"},
    {rsa, CHANGE_PATCH, SKE, 0, SCHEME_AT, BYTES("\x08\x05"),
     "ServerKeyExchange: the server's signature does not verify"},
    {rsa, CHANGE_PATCH, SKE, 0, -9, BYTES("\0\0\0\0\0\0\0\0"),
     "ServerKeyExchange: the server's signature does not verify"},
    {rsa, CHANGE_PATCH, SKE, 0, 20, BYTES("\0\0\0\0\0\0\0\0"),
     "ServerKeyExchange: the server's signature does not verify"},
    {rsa, CHANGE_PATCH, HELLO, 0, 10, BYTES("\0\0\0\0\0\0\0\0"),
     "ServerKeyExchange: the server's signature does not verify"},
    {rsa, CHANGE_PATCH, SERVER, 0, 10, BYTES("\0\0\0\0\0\0\0\0"),
     "ServerKeyExchange: the server's signature does not verify"},
    {"1.2 DHE", CHANGE_PATCH, SKE, 0, 40, BYTES("\0\0\0\0\0\0\0\0"),
     "ServerKeyExchange: the server's signature does not verify"},
    {"1.2 P-256", CHANGE_PATCH, HELLO, 0, 10, BYTES("\0\0\0\0\0\0\0\0"),
     "ServerKeyExchange: the server's signature does not verify"},
    {"1.2 Ed25519", CHANGE_PATCH, HELLO, 0, 10, BYTES("\0\0\0\0\0\0\0\0"),
     "ServerKeyExchange: the server's signature does not verify"},
    /* what the server asks for and the client shows */
    {rsa, CHANGE_BODY, REQUEST, 0, 0, BYTES("\x01\x01\0\x02\x04\x03\0\0"),
     "the client's Certificate: the server did not ask for this signature scheme"},
    {rsa, CHANGE_BODY, REQUEST, 0, 0, BYTES("\x01\x01\0\x02\x08\x09\0\0"),
     "the client's Certificate: the server did not ask for this signature scheme"},
    {"1.2 RSA-PSS", CHANGE_BODY, REQUEST, 0, 0, BYTES("\x01\x01\0\x02\x08\x04\0\0"),
     "the client's Certificate: the server did not ask for this signature scheme"},
    {rsa, CHANGE_BODY, REQUEST, 0, 0, BYTES("\x01\x01\0\0\0\0"),
     "CertificateRequest: a length does not fit"},
    {rsa, CHANGE_BODY, DONE, 0, 0, BYTES("x"), "ServerHelloDone: it is not empty"},
    {rsa, CHANGE_BODY, CERT, 1, 0, BYTES("\0\0\0"), "the client's Certificate: the list is empty"},
    {rsa, CHANGE_BODY, CERT, 1, 0, BYTES("\0\0\x04\0\0\x01\x30"),
     "the client's Certificate: it is not DER"},
    {rsa, CHANGE_BODY, CKE, 0, 0, BYTES("\x21\x01"), "ClientKeyExchange: a length does not fit"},
};

static struct span original(size_t sample)
{
    return buffer_span(&made.transcripts[sample].content);
}

static enum outcome guard_of(size_t sample, struct span bytes, struct tls_proof *proof,
                             struct reason *why)
{
    struct tls_key key = samples_key(&made, sample);
    return tls_guard_check(&key, made.transcripts[sample].alg, bytes, proof, why);
}

static void test_changes(void **state)
{
    (void)state;
    changes_expect_refused(rows, COUNT_OF(rows), original, guard_of);
}

static void test_real_ones_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_samples; i++) {
        if (samples[i].version != TLS1_2_VERSION) {
            continue;
        }
        struct tls_proof proof;
        struct reason why = {0};
        struct span input = original(i);
        assert_done(guard_of(i, input, &proof, &why), why);
        changes_expect_peer(i, TLS_1_2, &proof);
        assert_true(proof.peer_chain.data > input.data && proof.peer_chain.len > 100);
    }
}

/* The whole of one sample, for another key of the same kind and for other operations. */
static void test_other_keys(void **state)
{
    (void)state;
    struct tls_proof proof;
    struct reason why = {0};
    size_t i = sample_index(rsa);
    struct span input = buffer_span(&made.transcripts[i].content);
    struct tls_key other = {.type = KEY_RSA_2048, .spki_sha256 = made.servers[0].spki_sha256};
    assert_refused(tls_guard_check(&other, made.transcripts[i].alg, input, &proof, &why),
                   OUTCOME_SHAPE, why,
                   "the client's Certificate: the first one is not of the key that is to sign");
    struct tls_key curve = {.type = KEY_P256, .spki_sha256 = other.spki_sha256};
    assert_refused(tls_guard_check(&curve, ALG_PS256, input, &proof, &why), OUTCOME_SHAPE, why,
                   "PS256 is nothing that a key of type p-256 signs in TLS 1.2");
    i = sample_index("1.2 RSA-PSS");
    struct tls_key pss = samples_key(&made, i);
    input = buffer_span(&made.transcripts[i].content);
    assert_refused(tls_guard_check(&pss, ALG_RS256, input, &proof, &why), OUTCOME_SHAPE, why,
                   "an RSA-PSS certificate goes with RSA-PSS signatures alone");
}

static void shake(const struct rig_handshake *how, const char *reason)
{
    struct rig_transcript out;
    struct tls_proof proof;
    struct reason why = {0};
    struct tls_key key = {.type = how->client->type, .spki_sha256 = how->client->spki_sha256};
    rig_shake(how, &out);
    enum alg alg = out.is_signed ? out.alg : ALG_RS256;
    assert_refused(tls_guard_check(&key, alg, buffer_span(&out.messages), &proof, &why),
                   OUTCOME_SHAPE, why, reason);
    rig_transcript_free(&out);
}

/* Handshakes that work, and are not signed all the same. */
static void test_other_handshakes(void **state)
{
    (void)state;
    struct rig_handshake how = {.version = TLS1_2_VERSION,
                                .sni = SAMPLE_SNI,
                                .server = &made.servers[RIG_RSA],
                                .client = &made.clients[RIG_RSA]};
    struct rig_handshake fixed = how;
    fixed.ciphers = "AES128-GCM-SHA256";
    shake(&fixed, "ServerHello: a cipher suite without (EC)DHE");
    struct rig_handshake old = how;
    old.version = TLS1_1_VERSION;
    shake(&old, "ClientHello: legacy_version is not that of TLS 1.2");
    old.version = TLS1_VERSION;
    shake(&old, "ClientHello: legacy_version is not that of TLS 1.2");
    struct rig_handshake sha1 = how;
    sha1.sigalgs = "RSA+SHA1";
    sha1.asked = "RSA+SHA256";
    shake(&sha1, "ServerKeyExchange: signed with MD5, SHA-1 or another scheme");
    struct rig_handshake none = how;
    none.no_client_certificate = true;
    shake(&none, "the client's Certificate: the list is empty");
    struct rig_handshake name = how;
    name.sni = "a b.example";
    shake(&name, "ClientHello: server_name: not a plain DNS name");
}

/* Puts another block of extensions into a hello: the guard's signature is over randoms and
 * parameters alone, so what is changed here is judged, not the proof. */
static void set_extensions(struct buffer *bytes, uint8_t type, const char *block, size_t len)
{
    size_t at = 0;
    size_t whole = 0;
    BUFFER_CLEANUP struct buffer body = BUFFER_INIT(RIG_INPUT_MAX);
    assert_true(rig_find(buffer_span(bytes), type, 0, &at, &whole));
    const uint8_t *hello = bytes->data + at + 4;
    size_t inside = 2 + 32 + 1 + (size_t)hello[34];
    if (type == HELLO) {
        inside += 2 + ((size_t)hello[inside] << 8 | hello[inside + 1]);
        inside += 1 + (size_t)hello[inside];
    } else {
        inside += 3;
    }
    buffer_put(&body, hello, inside);
    buffer_put_u16(&body, (uint16_t)len);
    buffer_put(&body, block, len);
    rig_set_body(bytes, at, buffer_span(&body));
}

#define SCHEMES "\0\x0D\0\x0A\0\x08\x04\x01\x08\x04\x04\x03\x08\x07"
#define OFFERS_13 "\0\x2B\0\x05\x04\x03\x04\x03\x03"
#define SECRET "\0\x17\0\0"
#define FIRST "\xFF\x01\0\x01\0"
#define AGAIN "\xFF\x01\0\x03\x02xy"

/* What the hellos say of another version, and of a handshake before this one. */
static const struct {
    const char *client;
    size_t client_len;
    const char *server;
    size_t server_len;
    const char *end; /* of the server's random; NULL: as it is */
    const char *reason;
} hellos[] = {
    {BYTES(SCHEMES), BYTES(""), NULL, NULL},
    {BYTES(SCHEMES OFFERS_13 FIRST), BYTES(FIRST), NULL, NULL},
    /* marked, and the client does not offer TLS 1.3; another mark */
    {BYTES(SCHEMES), BYTES(""), "DOWNGRD\1", "the server's signature does not verify"},
    {BYTES(SCHEMES OFFERS_13), BYTES(""), "DOWNGRD\2", "the server's signature does not verify"},
    {BYTES(SCHEMES OFFERS_13), BYTES(""), "DOWNGRE\1", "the server's signature does not verify"},
    {BYTES(SCHEMES OFFERS_13), BYTES(""), "DOWNGRD\1",
     "ServerHello: the server knows TLS 1.3, the client offers it, and TLS 1.2 was made of it"},
    {BYTES(SCHEMES OFFERS_13), BYTES(""), "DOWNGRD\0",
     "ServerHello: the server knows TLS 1.3, the client offers it, and TLS 1.2 was made of it"},
    {BYTES(SCHEMES AGAIN SECRET), BYTES(AGAIN SECRET), NULL, NULL},
    {BYTES(SCHEMES AGAIN), BYTES(AGAIN SECRET), NULL,
     "ServerHello: a renegotiation without extended_master_secret on both sides"},
    {BYTES(SCHEMES AGAIN SECRET), BYTES(AGAIN), NULL,
     "ServerHello: a renegotiation without extended_master_secret on both sides"},
    {BYTES(SCHEMES AGAIN), BYTES(""), NULL,
     "ServerHello: a renegotiation without extended_master_secret on both sides"},
    {BYTES(SCHEMES FIRST), BYTES(AGAIN), NULL,
     "ServerHello: a renegotiation without extended_master_secret on both sides"},
    {BYTES(SCHEMES "\xFF\x01\0\0"), BYTES(""), NULL,
     "ServerHello: renegotiation_info: its length does not fit"},
    {BYTES(SCHEMES SECRET), BYTES(SECRET "\xFF\x01\0\x01\x01"), NULL,
     "ServerHello: renegotiation_info: its length does not fit"},
    {BYTES(SCHEMES SECRET), BYTES(SECRET "\xFF\x01\0\x02\0\0"), NULL,
     "ServerHello: renegotiation_info: its length does not fit"},
};

static void test_hellos(void **state)
{
    (void)state;
    size_t sample = sample_index(rsa);
    for (size_t i = 0; i < COUNT_OF(hellos); i++) {
        BUFFER_CLEANUP struct buffer bytes = BUFFER_INIT(RIG_INPUT_MAX);
        buffer_put_span(&bytes, buffer_span(&made.transcripts[sample].content));
        set_extensions(&bytes, HELLO, hellos[i].client, hellos[i].client_len);
        set_extensions(&bytes, SERVER, hellos[i].server, hellos[i].server_len);
        if (hellos[i].end != NULL) {
            const struct change change = {rsa,    CHANGE_PATCH,  SERVER, 0,
                                          2 + 24, hellos[i].end, 8,      NULL};
            change_apply(&change, &bytes);
        }
        struct tls_proof proof;
        struct reason why = {0};
        enum outcome outcome = guard_of(sample, buffer_span(&bytes), &proof, &why);
        if (hellos[i].reason == NULL) {
            assert_done(outcome, why);
        } else {
            assert_refused(outcome, OUTCOME_SHAPE, why, hellos[i].reason);
        }
    }
}

static void test_without_a_name(void **state)
{
    (void)state;
    struct rig_handshake how = {.version = TLS1_2_VERSION,
                                .server = &made.servers[RIG_P256],
                                .client = &made.clients[RIG_P256]};
    struct rig_transcript out;
    struct tls_proof proof;
    struct reason why = {0};
    struct tls_key key = {.type = KEY_P256, .spki_sha256 = how.client->spki_sha256};
    rig_shake(&how, &out);
    assert_done(tls_guard_check(&key, out.alg, buffer_span(&out.content), &proof, &why), why);
    assert_true(proof.has_peer);
    assert_string_equal(proof.server_name, "");
    rig_transcript_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_ones_pass), cmocka_unit_test(test_changes),
        cmocka_unit_test(test_other_keys),     cmocka_unit_test(test_other_handshakes),
        cmocka_unit_test(test_without_a_name), cmocka_unit_test(test_hellos),
    };
    return cmocka_run_group_tests(tests, changes_setup, changes_teardown);
}
