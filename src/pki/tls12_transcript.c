/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.2 (RFC 5246 §7.3, §7.4.8): the whole handshake so far, in the client's role. */
#include "pki/transcript.h"

#include "model/tls_key_exchange.h"

enum { SIGNED_MAX = 2 * TLS_RANDOM_LEN + 4096 };

/* RFC 8446 §4.1.3: a server that knows TLS 1.3 marks its choice of an older version so, and who
 * offered TLS 1.3 must not go on: somebody in between took the offer away. */
static bool is_downgraded(const struct transcript *it)
{
    static const char mark[] = "DOWNGRD";
    enum { MARK_LEN = sizeof mark - 1, MARK_AT = TLS_RANDOM_LEN - MARK_LEN - 1 };
    return tls_list_has(it->client.versions, TLS_1_3) &&
           span_is_text(span_part(it->server.random, MARK_AT, MARK_LEN), mark) &&
           it->server.random.data[TLS_RANDOM_LEN - 1] <= 1;
}

/* RFC 5746 §3.2: empty in a first handshake. */
static const char *read_renegotiation(struct span extensions, bool *renegotiates)
{
    struct span content;
    if (!tls_extension_find(extensions, TLS_EXT_RENEGOTIATION_INFO, &content)) {
        return NULL;
    }
    struct reader reader = reader_of(content);
    *renegotiates = tls_vector(&reader, 1, 0).len > 0 || *renegotiates;
    return reader_done(&reader) ? NULL : "renegotiation_info: its length does not fit";
}

/* Without RFC 7627 two connections can be brought to share a master secret, and the certificate
 * that is shown in the second handshake on one counts on the other (§1). */
static const char *renegotiation_fault(const struct transcript *it)
{
    struct span content;
    bool renegotiates = false;
    const char *fault = read_renegotiation(it->client.extensions, &renegotiates);
    if (fault == NULL) {
        fault = read_renegotiation(it->server.extensions, &renegotiates);
    }
    if (fault != NULL || !renegotiates) {
        return fault;
    }
    return tls_extension_find(it->client.extensions, TLS_EXT_EXTENDED_MASTER_SECRET, &content) &&
                   tls_extension_find(it->server.extensions, TLS_EXT_EXTENDED_MASTER_SECRET,
                                      &content)
               ? NULL
               : "a renegotiation without extended_master_secret on both sides";
}

static enum outcome take_server_hello(struct transcript *it, const struct tls_suite **suite)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_SERVER_HELLO, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_read_server_hello(body, &it->server);
    if (fault == NULL && it->server.selected != 0) {
        fault = "it chooses TLS 1.3 and this is not what TLS 1.3 signs";
    }
    if (fault == NULL && it->server.version != TLS_1_2) {
        fault = "it does not choose TLS 1.2";
    }
    if (fault == NULL && is_downgraded(it)) {
        fault = "the server knows TLS 1.3, the client offers it, and TLS 1.2 was made of it";
    }
    if (fault == NULL) {
        fault = renegotiation_fault(it);
    }
    *suite = tls_suite_12(it->server.suite);
    if (fault == NULL && *suite == NULL) {
        fault = "a cipher suite without (EC)DHE that a certificate signs: the server proves "
                "nothing";
    }
    if (fault == NULL && !tls_list_has(it->client.suites, it->server.suite)) {
        fault = "a cipher suite that the ClientHello does not offer";
    }
    return fault == NULL ? OUTCOME_OK : transcript_refuse(it, TLS_SERVER_HELLO, fault);
}

static enum outcome take_status(struct transcript *it)
{
    struct span body;
    if (!transcript_is_next(it, TLS_CERTIFICATE_STATUS)) {
        return OUTCOME_OK;
    }
    enum outcome outcome = transcript_take(it, TLS_CERTIFICATE_STATUS, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_certificate_status_fault(body);
    return fault == NULL ? OUTCOME_OK : transcript_refuse(it, TLS_CERTIFICATE_STATUS, fault);
}

static bool suits(const struct tls_suite *suite, enum certificate_key_kind kind)
{
    bool is_rsa = kind == CERTIFICATE_RSA || kind == CERTIFICATE_RSA_PSS;
    return is_rsa == (suite->auth == TLS_AUTH_RSA);
}

static enum outcome take_key_exchange(struct transcript *it, const struct tls_suite *suite,
                                      struct tls_server_key_exchange *exchange)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_SERVER_KEY_EXCHANGE, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_read_server_key_exchange(body, suite->exchange, exchange);
    if (fault == NULL && !suits(suite, it->server_key.kind)) {
        fault = "the server's key does not fit the cipher suite";
    }
    return fault == NULL ? OUTCOME_OK : transcript_refuse(it, TLS_SERVER_KEY_EXCHANGE, fault);
}

/* RFC 5246 §7.4.3: both randoms are signed with the parameters, so the signature is of this
 * handshake. */
static enum outcome prove(struct transcript *it, const struct tls_server_key_exchange *exchange)
{
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(SIGNED_MAX);
    buffer_put_span(&content, it->client.random);
    buffer_put_span(&content, it->server.random);
    buffer_put_span(&content, exchange->params);
    if (!buffer_ok(&content)) {
        return refuse(it->why, OUTCOME_INTERNAL, "no memory");
    }
    return transcript_prove(it, TLS_SERVER_KEY_EXCHANGE, buffer_span(&content), &exchange->proof);
}

static enum outcome take_done(struct transcript *it)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_SERVER_HELLO_DONE, &body);
    if (outcome == OUTCOME_OK && body.len > 0) {
        return transcript_refuse(it, TLS_SERVER_HELLO_DONE, "it is not empty");
    }
    return outcome;
}

static enum outcome take_last(struct transcript *it, const struct tls_suite *suite)
{
    struct span body;
    enum outcome outcome = transcript_take(it, TLS_CLIENT_KEY_EXCHANGE, &body);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *fault = tls_client_key_exchange_fault(body, suite->exchange);
    if (fault != NULL) {
        return transcript_refuse(it, TLS_CLIENT_KEY_EXCHANGE, fault);
    }
    if (!reader_done(&it->messages)) {
        return refuse(it->why, OUTCOME_SHAPE, "bytes behind the ClientKeyExchange");
    }
    return OUTCOME_OK;
}

/* From the server's first message to its last. */
static enum outcome take_server(struct transcript *it, const struct tls_suite **suite,
                                struct tls_server_key_exchange *exchange)
{
    enum outcome outcome = take_server_hello(it, suite);
    if (outcome == OUTCOME_OK) {
        outcome = transcript_take_server_chain(it);
    }
    if (outcome == OUTCOME_OK) {
        outcome = take_status(it);
    }
    if (outcome == OUTCOME_OK) {
        outcome = take_key_exchange(it, *suite, exchange);
    }
    if (outcome == OUTCOME_OK) {
        outcome = transcript_take_request(it);
    }
    return outcome == OUTCOME_OK ? take_done(it) : outcome;
}

/* All is read before a signature is verified, which costs a hundred times as much. */
enum outcome tls12_transcript_check(struct transcript *it)
{
    const struct tls_suite *suite = NULL;
    struct tls_server_key_exchange exchange;
    enum outcome outcome = transcript_take_client_hello(it);
    if (outcome == OUTCOME_OK) {
        outcome = take_server(it, &suite, &exchange);
    }
    if (outcome == OUTCOME_OK) {
        outcome = transcript_take_own_chain(it);
    }
    if (outcome == OUTCOME_OK) {
        outcome = take_last(it, suite);
    }
    return outcome == OUTCOME_OK ? prove(it, &exchange) : outcome;
}
