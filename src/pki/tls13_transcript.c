/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.3 (RFC 8446 §2, §4.4.1): the whole handshake as it is hashed, up to the client's
 * Certificate. */
#include "pki/transcript.h"

#include "model/tls_key_exchange.h"
#include "pki/tls13_content.h"

#include <openssl/err.h>
#include <openssl/evp.h>

enum { HASH_MAX = 48 };

/* What the server signed, to be verified when all is read. */
struct server_proof {
    uint8_t content[TLS_CONTENT_MAX];
    size_t len;
    struct tls_signed made;
};

static bool hash_so_far(const struct transcript *it, size_t hash_len, uint8_t out[HASH_MAX])
{
    size_t len = (size_t)(it->messages.at - it->input.data);
    unsigned int written = 0;
    const EVP_MD *md = hash_len == 48 ? EVP_sha384() : EVP_sha256();
    bool done = EVP_Digest(it->input.data, len, out, &written, md, NULL) == 1;
    if (!done) {
        ERR_clear_error();
    }
    return done && written == hash_len;
}

/* A ServerHello or, with `retry`, a HelloRetryRequest, which is written as one. */
static enum outcome take_server_hello(struct transcript *it, bool retry)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_SERVER_HELLO, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_read_server_hello(body, &it->server);
    if (fault == NULL && (it->server.version != TLS_1_2 || it->server.selected != TLS_1_3)) {
        fault = "it does not choose TLS 1.3";
    }
    if (fault == NULL && it->server.retry != retry) {
        fault = retry ? "not a HelloRetryRequest, and only that follows a message_hash"
                      : "a HelloRetryRequest, and the first ClientHello is not hashed";
    }
    if (fault == NULL && it->server.resumes) {
        fault = "a session is resumed: the server shows no certificate";
    }
    if (fault == NULL && tls_suite_13_hash_len(it->server.suite) == 0) {
        fault = "not a cipher suite of TLS 1.3";
    }
    return fault == NULL ? OUTCOME_OK : transcript_refuse(it, TLS_SERVER_HELLO, fault);
}

/* RFC 8446 §4.4.1: message_hash, HelloRetryRequest; *suite is then what it chose. */
static enum outcome take_retry(struct transcript *it, uint16_t *suite)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_MESSAGE_HASH, &body);
    if (outcome == OUTCOME_OK) {
        outcome = take_server_hello(it, true);
    }
    if (outcome == OUTCOME_OK && body.len != tls_suite_13_hash_len(it->server.suite)) {
        return transcript_refuse(it, TLS_MESSAGE_HASH, "not as long as the cipher suite's hash");
    }
    *suite = it->server.suite;
    return outcome;
}

static enum outcome take_hellos(struct transcript *it)
{
    uint16_t retried = 0;
    enum outcome outcome = OUTCOME_OK;
    if (transcript_is_next(it, TLS_MESSAGE_HASH)) {
        outcome = take_retry(it, &retried);
    }
    if (outcome == OUTCOME_OK) {
        outcome = transcript_take_client_hello(it);
    }
    if (outcome == OUTCOME_OK) {
        outcome = take_server_hello(it, false);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (retried != 0 && it->server.suite != retried) {
        return transcript_refuse(it, TLS_SERVER_HELLO, "not the cipher suite of the retry");
    }
    if (!tls_list_has(it->client.suites, it->server.suite)) {
        return transcript_refuse(it, TLS_SERVER_HELLO,
                                 "a cipher suite that the ClientHello does not offer");
    }
    return OUTCOME_OK;
}

static enum outcome take_extensions(struct transcript *it)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_ENCRYPTED_EXTENSIONS, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_encrypted_extensions_fault(body);
    return fault == NULL ? OUTCOME_OK : transcript_refuse(it, TLS_ENCRYPTED_EXTENSIONS, fault);
}

static enum outcome take_verify(struct transcript *it, size_t hash_len, struct server_proof *out)
{
    uint8_t hash[HASH_MAX];
    struct span body;
    bool hashed = hash_so_far(it, hash_len, hash);
    enum outcome outcome = transcript_take(it, TLS_CERTIFICATE_VERIFY, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!hashed) {
        return refuse(it->why, OUTCOME_INTERNAL, "no transcript hash");
    }
    const char *fault = tls_read_certificate_verify(body, &out->made);
    if (fault != NULL) {
        return transcript_refuse(it, TLS_CERTIFICATE_VERIFY, fault);
    }
    out->len = tls13_content_write(TLS13_SERVER, span_of(hash, hash_len), out->content);
    return OUTCOME_OK;
}

/* Its MAC cannot be checked without the secrets of the handshake: what it would prove, the hash
 * that is signed in the end holds together. */
static enum outcome take_finished(struct transcript *it, size_t hash_len)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_FINISHED, &body);
    if (outcome == OUTCOME_OK && body.len != hash_len) {
        return transcript_refuse(it, TLS_FINISHED, "not as long as the cipher suite's hash");
    }
    return outcome;
}

static enum outcome take_end(struct transcript *it, size_t hash_len,
                             uint8_t content[TLS_CONTENT_MAX], size_t *content_len)
{
    uint8_t hash[HASH_MAX];
    if (!reader_done(&it->messages)) {
        return refuse(it->why, OUTCOME_SHAPE,
                      "bytes behind the client's Certificate; post-handshake authentication is "
                      "not taken");
    }
    if (!hash_so_far(it, hash_len, hash)) {
        return refuse(it->why, OUTCOME_INTERNAL, "no transcript hash");
    }
    *content_len = tls13_content_write(TLS13_CLIENT, span_of(hash, hash_len), content);
    return OUTCOME_OK;
}

static enum outcome take_server(struct transcript *it, size_t hash_len, struct server_proof *out)
{
    enum outcome outcome = take_extensions(it);
    if (outcome == OUTCOME_OK) {
        outcome = transcript_take_request(it);
    }
    if (outcome == OUTCOME_OK) {
        outcome = transcript_take_server_chain(it);
    }
    if (outcome == OUTCOME_OK) {
        outcome = take_verify(it, hash_len, out);
    }
    return outcome == OUTCOME_OK ? take_finished(it, hash_len) : outcome;
}

/* All is read before a signature is verified. */
enum outcome tls13_transcript_check(struct transcript *it, uint8_t content[TLS_CONTENT_MAX],
                                    size_t *content_len)
{
    struct server_proof proof = {.len = 0};
    enum outcome outcome = take_hellos(it);
    size_t hash_len = outcome == OUTCOME_OK ? tls_suite_13_hash_len(it->server.suite) : 0;
    if (outcome == OUTCOME_OK) {
        outcome = take_server(it, hash_len, &proof);
    }
    if (outcome == OUTCOME_OK) {
        outcome = transcript_take_own_chain(it);
    }
    if (outcome == OUTCOME_OK) {
        outcome = take_end(it, hash_len, content, content_len);
    }
    if (outcome == OUTCOME_OK) {
        outcome = transcript_prove(it, TLS_CERTIFICATE_VERIFY, span_of(proof.content, proof.len),
                                   &proof.made);
    }
    return outcome;
}
