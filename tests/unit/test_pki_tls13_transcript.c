/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.3 transcripts of real handshakes, and what is refused when one thing in them is changed. */
#include "pki/tls_guard.h"

#include "check.h"
#include "tls_change.h"

enum {
    HELLO = 1,
    SERVER = 2,
    EXTENSIONS = 8,
    CERT = 11,
    REQUEST = 13,
    VERIFY = 15,
    FINISHED = 20,
    HASH = 254
};

static const char ec[] = "1.3 P-256";
static const char retry[] = "1.3 retry";
#define VERIFY_FAILS "CertificateVerify: the server's signature does not verify"

static const struct change rows[] = {
    /* order and frame */
    {ec, CHANGE_REMOVE, HELLO, 0, 0, NO_BYTES, "ServerHello where ClientHello should come"},
    {ec, CHANGE_REMOVE, SERVER, 0, 0, NO_BYTES, "EncryptedExtensions where ServerHello should"},
    {ec, CHANGE_REMOVE, EXTENSIONS, 0, 0, NO_BYTES, "CertificateRequest where EncryptedExtens"},
    {ec, CHANGE_REMOVE, REQUEST, 0, 0, NO_BYTES, "Certificate where CertificateRequest should"},
    {ec, CHANGE_REMOVE, CERT, 0, 0, NO_BYTES, "CertificateVerify where Certificate should"},
    {ec, CHANGE_REMOVE, VERIFY, 0, 0, NO_BYTES, "Finished where CertificateVerify should"},
    {ec, CHANGE_REMOVE, FINISHED, 0, 0, NO_BYTES, "Certificate where Finished should come"},
    {ec, CHANGE_REMOVE, CERT, 1, 0, NO_BYTES, "the transcript ends where Certificate should"},
    {ec, CHANGE_TYPE, CERT, 0, 0, BYTES("\x19"), "CompressedCertificate where Certificate should"},
    {ec, CHANGE_CUT, 0, 0, 1, NO_BYTES, "the message that should be Certificate does not fit"},
    {ec, CHANGE_APPEND, 0, 0, 0, BYTES("\x0F\0\0\0"),
     "bytes behind the client's Certificate; post-handshake authentication is not taken"},
    /* hellos */
    {ec, CHANGE_PATCH, HELLO, 0, 0, BYTES("\x03\x04"),
     "ClientHello: legacy_version is not that of TLS 1.2"},
    {ec, CHANGE_BODY, HELLO, 0, 0,
     BYTES("\x03\x03"
           "0123456789abcdef0123456789abcdef"
           "\0\0\x02\x13\x01\x01\0"),
     "ClientHello: it does not offer TLS 1.3"},
    {ec, CHANGE_PATCH, SERVER, 0, 0, BYTES("\x03\x04"), "ServerHello: it does not choose TLS 1.3"},
    {ec, CHANGE_BODY, SERVER, 0, 0,
     BYTES("\x03\x03"
           "0123456789abcdef0123456789abcdef"
           "\0\x13\x01\0"),
     "ServerHello: it does not choose TLS 1.3"},
    {ec, CHANGE_BODY, SERVER, 0, 0,
     BYTES("\x03\x03"
           "0123456789abcdef0123456789abcdef"
           "\0\x13\x01\0\0\x06\0\x2B\0\x02\x03\x05"),
     "ServerHello: it does not choose TLS 1.3"},
    {ec, CHANGE_SUITE, SERVER, 0, 0, BYTES("\xC0\x2B"),
     "ServerHello: not a cipher suite of TLS 1.3"},
    {ec, CHANGE_SUITE, SERVER, 0, 0, BYTES("\x13\x02"),
     "ServerHello: a cipher suite that the ClientHello does not offer"},
    /* retries */
    {retry, CHANGE_REMOVE, HASH, 0, 0, NO_BYTES, "ServerHello where ClientHello should come"},
    {retry, CHANGE_BODY, HASH, 0, 0, BYTES("0123456789abcdef0123456789abcdef0123456789abcdef"),
     "message_hash: not as long as the cipher suite's hash"},
    {retry, CHANGE_REMOVE, SERVER, 0, 0, NO_BYTES, "ClientHello where ServerHello should come"},
    {retry, CHANGE_PATCH, SERVER, 0, 2, BYTES("\0"), "ServerHello: not a HelloRetryRequest"},
    {retry, CHANGE_SUITE, SERVER, 1, 0, BYTES("\x13\x03"),
     "ServerHello: not the cipher suite of the retry"},
    {retry, CHANGE_PATCH, HASH, 0, 0, BYTES("\0\0\0\0\0\0\0\0"), VERIFY_FAILS},
    /* the server's part */
    {ec, CHANGE_BODY, EXTENSIONS, 0, 0, BYTES("\0\x01x"),
     "EncryptedExtensions: an extension's length does not fit"},
    {ec, CHANGE_BODY, REQUEST, 0, 0, BYTES("\x01x\0\x08\0\x0D\0\x04\0\x02\x04\x03"),
     "CertificateRequest: a context, which only post-handshake authentication has"},
    {ec, CHANGE_BODY, REQUEST, 0, 0, BYTES("\0\0\x04\0\x05\0\0"),
     "CertificateRequest: no signature_algorithms"},
    {ec, CHANGE_BODY, REQUEST, 0, 0, BYTES("\0\0\x08\0\x0D\0\x04\0\x02\x08\x04"),
     "the client's Certificate: the server did not ask for this signature scheme"},
    {ec, CHANGE_BODY, CERT, 0, 0, BYTES("\0\0\0\0"), "the server's Certificate: the list is empt"},
    {ec, CHANGE_BODY, CERT, 0, 0, BYTES("\0\0\0\x06\0\0\x01\x30\0\0"),
     "the server's Certificate: it is not DER"},
    {ec, CHANGE_BODY, CERT, 0, 0, BYTES("\x01x\0\0\x06\0\0\x01\x30\0\0"),
     "the server's Certificate: a request context"},
    {ec, CHANGE_BODY, VERIFY, 0, 0, BYTES("\x04\x03\0\x02x"),
     "CertificateVerify: a length does not fit"},
    {ec, CHANGE_PATCH, VERIFY, 0, 0, BYTES("\x01\x01"),
     "CertificateVerify: signed with a scheme that the ClientHello does not offer"},
    {ec, CHANGE_PATCH, VERIFY, 0, 0, BYTES("\x05\x03"),
     "CertificateVerify: signed with a scheme that does not fit the server's key"},
    {"1.3 P-384", CHANGE_PATCH, VERIFY, 0, 0, BYTES("\x04\x03"),
     "CertificateVerify: signed with a scheme that does not fit the server's key"},
    {"1.3 P-521", CHANGE_PATCH, VERIFY, 0, 0, BYTES("\x04\x03"),
     "CertificateVerify: signed with a scheme that does not fit the server's key"},
    {"1.3 RSA", CHANGE_PATCH, VERIFY, 0, 0, BYTES("\x04\x01"),
     "CertificateVerify: signed with a scheme that does not fit the server's key"},
    {"1.3 Ed25519", CHANGE_PATCH, VERIFY, 0, 0, BYTES("\x08\x04"),
     "CertificateVerify: signed with a scheme that does not fit the server's key"},
    {ec, CHANGE_PATCH, VERIFY, 0, -4, BYTES("\0\0\0\0"), VERIFY_FAILS},
    {ec, CHANGE_PATCH, HELLO, 0, 10, BYTES("\0\0\0\0\0\0\0\0"), VERIFY_FAILS},
    {ec, CHANGE_PATCH, SERVER, 0, 10, BYTES("\0\0\0\0\0\0\0\0"), VERIFY_FAILS},
    {"1.3 RSA", CHANGE_PATCH, SERVER, 0, 10, BYTES("\0\0\0\0\0\0\0\0"), VERIFY_FAILS},
    {"1.3 Ed25519", CHANGE_PATCH, SERVER, 0, 10, BYTES("\0\0\0\0\0\0\0\0"), VERIFY_FAILS},
    {"1.3 stapled", CHANGE_PATCH, CERT, 0, -1, BYTES("\0"), VERIFY_FAILS},
    {ec, CHANGE_BODY, FINISHED, 0, 0, BYTES("x"),
     "Finished: not as long as the cipher suite's hash"},
    /* the client's */
    {ec, CHANGE_BODY, CERT, 1, 0, BYTES("\0\0\0\0"), "the client's Certificate: the list is empt"},
    {ec, CHANGE_BODY, CERT, 1, 0, BYTES("\x01x\0\0\x06\0\0\x01\x30\0\0"),
     "the client's Certificate: a request context"},
    {ec, CHANGE_BODY, CERT, 1, 0, BYTES("\0\0\0\x06\0\0\x01\x30\0\0"),
     "the client's Certificate: it is not DER"},
};

static enum outcome guard(const struct tls_key *key, enum alg alg, struct span input,
                          struct buffer *content, struct tls_proof *proof, struct reason *why)
{
    uint8_t bytes[TLS_CONTENT_MAX];
    size_t len = 0;
    enum outcome outcome = tls_guard_transcript(key, alg, input, bytes, &len, proof, why);
    if (outcome == OUTCOME_OK) {
        buffer_put(content, bytes, len);
    }
    return outcome;
}

static struct span original(size_t sample)
{
    return buffer_span(&made.transcripts[sample].messages);
}

static enum outcome guard_of(size_t sample, struct span bytes, struct tls_proof *proof,
                             struct reason *why)
{
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(TLS_CONTENT_MAX);
    struct tls_key key = samples_key(&made, sample);
    return guard(&key, made.transcripts[sample].alg, bytes, &content, proof, why);
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
        if (samples[i].version != TLS1_3_VERSION) {
            continue;
        }
        struct rig_transcript *it = &made.transcripts[i];
        struct tls_key key = samples_key(&made, i);
        struct tls_proof proof;
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer content = BUFFER_INIT(TLS_CONTENT_MAX);
        assert_done(guard(&key, it->alg, buffer_span(&it->messages), &content, &proof, &why), why);
        assert_int_equal(content.len, samples[i].content_len);
        assert_true(span_equal(buffer_span(&content), buffer_span(&it->content)));
        changes_expect_peer(i, TLS_1_3, &proof);
        /* Neither the transcript nor its content passes for the other. */
        assert_refused(tls_guard_check(&key, it->alg, buffer_span(&it->messages), &proof, &why),
                       OUTCOME_SHAPE, why,
                       i == sample_index(retry) || samples[i].groups != NULL
                           ? "neither a TLS 1.3 client's"
                           : "ServerHello: it chooses TLS 1.3");
        assert_refused(guard(&key, it->alg, buffer_span(&it->content), &content, &proof, &why),
                       OUTCOME_SHAPE, why, "the message that should be ClientHello does not fit");
    }
}

/* As it went over the wire, a retry has both ClientHellos: that is not what is hashed. */
static void test_retry_on_the_wire(void **state)
{
    (void)state;
    size_t i = sample_index(retry);
    BUFFER_CLEANUP struct buffer bytes = BUFFER_INIT(RIG_INPUT_MAX);
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(TLS_CONTENT_MAX);
    size_t at;
    size_t len;
    struct span all = buffer_span(&made.transcripts[i].messages);
    assert_true(rig_find(all, HELLO, 0, &at, &len));
    buffer_put(&bytes, all.data + at, len);
    buffer_put(&bytes, all.data + 4 + 32, all.len - 4 - 32);
    struct tls_key key = samples_key(&made, i);
    struct tls_proof proof;
    struct reason why = {0};
    assert_refused(guard(&key, ALG_ES256, buffer_span(&bytes), &content, &proof, &why),
                   OUTCOME_SHAPE, why,
                   "ServerHello: a HelloRetryRequest, and the first ClientHello is not hashed");
}

static void test_resumed(void **state)
{
    (void)state;
    SSL_SESSION *session = NULL;
    struct rig_handshake how = {.version = TLS1_3_VERSION,
                                .server = &made.servers[RIG_P256],
                                .client = &made.clients[RIG_P256],
                                .session = &session};
    struct rig_transcript out;
    struct tls_proof proof;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(TLS_CONTENT_MAX);
    struct tls_key key = {.type = KEY_P256, .spki_sha256 = how.client->spki_sha256};
    rig_shake(&how, &out);
    rig_transcript_free(&out);
    assert_non_null(session);
    rig_shake(&how, &out);
    SSL_SESSION_free(session);
    assert_refused(guard(&key, ALG_ES256, buffer_span(&out.messages), &content, &proof, &why),
                   OUTCOME_SHAPE, why,
                   "ServerHello: a session is resumed: the server shows no certificate");
    rig_transcript_free(&out);
}

static void test_other_keys(void **state)
{
    (void)state;
    size_t i = sample_index("1.3 RSA");
    struct tls_proof proof;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(TLS_CONTENT_MAX);
    struct span input = buffer_span(&made.transcripts[i].messages);
    struct tls_key other = {.type = KEY_RSA_2048, .spki_sha256 = made.servers[0].spki_sha256};
    assert_refused(guard(&other, ALG_PS256, input, &content, &proof, &why), OUTCOME_SHAPE, why,
                   "the client's Certificate: the first one is not of the key that is to sign");
    struct tls_key key = samples_key(&made, i);
    assert_refused(guard(&key, ALG_RS256, input, &content, &proof, &why), OUTCOME_SHAPE, why,
                   "RS256 is nothing that a key of type rsa-2048 signs in TLS 1.3");
    struct tls_key curve = {.type = KEY_P384, .spki_sha256 = key.spki_sha256};
    assert_refused(guard(&curve, ALG_ES256, input, &content, &proof, &why), OUTCOME_SHAPE, why,
                   "ES256 is nothing that a key of type p-384 signs in TLS 1.3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_ones_pass),    cmocka_unit_test(test_changes),
        cmocka_unit_test(test_retry_on_the_wire), cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_other_keys),
    };
    return cmocka_run_group_tests(tests, changes_setup, changes_teardown);
}
