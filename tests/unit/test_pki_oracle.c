/* SPDX-License-Identifier: Apache-2.0
 * The signing oracle that must not be: contents of all kinds, changed in all ways, and none passes
 * the guard that is not a TLS client's CertificateVerify for this key. What passes is judged again
 * by other means: a tiny reader of its own, libssl's table of cipher suites, and the server's key
 * as the handshake was made with it, not as a certificate says.
 *
 * A TLS 1.2 transcript has bytes that no signature covers (extensions, the ClientKeyExchange, …);
 * a change there may pass and is counted apart. 100,000 contents, with QSEAL_LONG=1 1,000,000. */
#include "pki/tls_guard.h"

#include "check.h"
#include "tls_samples.h"

#include <openssl/err.h>

#include <stdlib.h>

static struct samples made;
static struct rig_transcript old; /* of TLS 1.1 */
static SSL *cipher_table;         /* for SSL_CIPHER_find() */

static uint32_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 32);
}

/* ---- the second opinion ---- */

struct part {
    uint8_t type;
    struct span body;
};

static size_t split(struct span input, struct part parts[10])
{
    size_t n = 0;
    size_t at = 0;
    for (; at + 4 <= input.len && n < 10; n++) {
        const uint8_t *head = input.data + at;
        size_t len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        if (len > input.len - at - 4) {
            return 0;
        }
        parts[n] = (struct part){head[0], span_of(head + 4, len)};
        at += 4 + len;
    }
    return at == input.len ? n : 0;
}

static bool holds(struct span bytes, X509 *certificate)
{
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    bool found = memmem(bytes.data, bytes.len, spki, (size_t)len) != NULL;
    OPENSSL_free(spki);
    return found;
}

/* Signed by one of the servers there are, whose key stands in the Certificate. */
static bool is_proven(const struct part *parts, struct span chain, struct span exchange)
{
    size_t params = 0;
    if (exchange.data[0] == 3) { /* a named curve */
        params = 4 + (size_t)exchange.data[3];
    } else {
        for (int i = 0; i < 3; i++) {
            params += 2 + ((size_t)exchange.data[params] << 8 | exchange.data[params + 1]);
        }
    }
    const uint8_t *tail = exchange.data + params;
    static const char *const digests[] = {[4] = "SHA256", [5] = "SHA384", [6] = "SHA512"};
    bool modern = tail[0] == 8;
    size_t number = modern ? (tail[1] - 4U) % 5 % 3 + 4 : tail[0];
    const char *md = modern && tail[1] == 7 ? NULL : digests[number];
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(RIG_INPUT_MAX);
    buffer_put(&content, parts[0].body.data + 2, 32);
    buffer_put(&content, parts[1].body.data + 2, 32);
    buffer_put(&content, exchange.data, params);
    for (int i = 0; i < RIG_KINDS; i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *pctx = NULL;
        bool good =
            holds(chain, made.servers[i].certificate) &&
            EVP_DigestVerifyInit_ex(ctx, &pctx, md, NULL, NULL, made.servers[i].pkey, NULL) == 1 &&
            (!modern || tail[1] == 7 ||
             EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1) &&
            EVP_DigestVerify(ctx, tail + 4, exchange.len - params - 4, content.data, content.len) ==
                1;
        EVP_MD_CTX_free(ctx);
        if (good) {
            return true;
        }
    }
    ERR_clear_error();
    return false;
}

static bool is_ephemeral(struct span server_hello)
{
    const uint8_t *suite = server_hello.data + 35 + server_hello.data[34];
    const SSL_CIPHER *cipher = SSL_CIPHER_find(cipher_table, suite);
    int exchange = cipher != NULL ? SSL_CIPHER_get_kx_nid(cipher) : NID_undef;
    int proof = cipher != NULL ? SSL_CIPHER_get_auth_nid(cipher) : NID_undef;
    return (exchange == NID_kx_ecdhe || exchange == NID_kx_dhe) &&
           (proof == NID_auth_rsa || proof == NID_auth_ecdsa);
}

static bool is_handshake(size_t sample, struct span input)
{
    struct part parts[10];
    static const uint8_t plain[] = {1, 2, 11, 12, 13, 14, 11, 16};
    static const uint8_t stapled[] = {1, 2, 11, 22, 12, 13, 14, 11, 16};
    size_t n = split(input, parts);
    bool has_staple = n == sizeof stapled;
    const uint8_t *order = has_staple ? stapled : plain;
    if (n != sizeof plain && n != sizeof stapled) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (parts[i].type != order[i] || (parts[i].body.len < 3 && order[i] != 14)) {
            return false;
        }
    }
    return parts[0].body.data[0] == 3 && parts[0].body.data[1] == 3 && parts[1].body.data[0] == 3 &&
           parts[1].body.data[1] == 3 && is_ephemeral(parts[1].body) &&
           holds(parts[n - 2].body, made.clients[samples[sample].client].certificate) &&
           is_proven(parts, parts[2].body, parts[has_staple ? 4 : 3].body);
}

static bool is_content(struct span input)
{
    BUFFER_CLEANUP struct buffer head = BUFFER_INIT(RIG_INPUT_MAX);
    rig_content(&head, "client", NULL, 0);
    return (input.len == 130 || input.len == 146) &&
           span_equal(span_part(input, 0, 98), buffer_span(&head));
}

/* ---- what is tried ---- */

static void fill(struct buffer *out, size_t len, uint64_t *seed)
{
    for (size_t i = 0; i < len; i++) {
        buffer_put_u8(out, (uint8_t)next_random(seed));
    }
}

/* What other protocols sign, or someone would like to have signed. */
static void put_foreign(struct buffer *out, uint64_t *seed)
{
    static const size_t lens[] = {20, 32, 48, 64, 130, 146};
    static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    size_t len = 32 + next_random(seed) % 2 * 16;
    uint8_t hash[48];
    for (size_t i = 0; i < sizeof hash; i++) {
        hash[i] = (uint8_t)next_random(seed);
    }
    switch (next_random(seed) % 8) {
    case 0: /* a bare digest */
        fill(out, lens[next_random(seed) % COUNT_OF(lens)], seed);
        break;
    case 1: /* DigestInfo, RFC 8017 §9.2 */
        buffer_put(out, info, sizeof info);
        fill(out, 32, seed);
        break;
    case 2: /* a JWS signing input */
        buffer_put_text(out, "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJjbGllbnQiLCJhdWQiOiJodHRwczovL2EifQ");
        break;
    case 3: /* CertificationRequestInfo */
        buffer_put_text(out, "0\x82\x01\x10\x02\x01");
        fill(out, 270, seed);
        break;
    case 4: /* a TLS 1.3 server's */
        rig_content(out, "server", hash, len);
        break;
    case 5: /* a TLS 1.2 server's: two randoms and the parameters */
        fill(out, 64, seed);
        buffer_put(out, "\x03\x00\x1D\x20", 4);
        fill(out, 32, seed);
        break;
    case 6: /* a TLS 1.1 client's, before MD5 and SHA-1 */
        buffer_put_span(out, buffer_span(&old.messages));
        break;
    default: /* exported authenticators, RFC 9261 §5.2.2 */
        memset(buffer_extend(out, 64), ' ', 64);
        buffer_put_text(out, "Exported Authenticator");
        buffer_put_u8(out, 0);
        buffer_put(out, hash, len);
    }
}

static void change_length(struct buffer *bytes, uint64_t *seed)
{
    size_t at = 0;
    size_t len = 0;
    static const uint8_t types[] = {1, 2, 11, 12, 13, 14, 16, 22};
    uint8_t type = types[next_random(seed) % sizeof types];
    if (bytes->data[0] == 1 &&
        rig_find(buffer_span(bytes), type, (int)(next_random(seed) % 2), &at, &len)) {
        bytes->data[at + 1 + next_random(seed) % 3] = (uint8_t)next_random(seed);
    }
}

/* A run of one becomes a run of another, most often whole messages. */
static void splice_from(struct buffer *bytes, struct span other, uint64_t *seed)
{
    size_t at;
    size_t len;
    size_t from;
    size_t from_len;
    static const uint8_t types[] = {1, 2, 11, 12, 13, 14, 11, 16, 22};
    uint8_t type = types[next_random(seed) % sizeof types];
    int nth = (int)(next_random(seed) % 2);
    if (bytes->data[0] == 1 && other.data[0] == 1 &&
        rig_find(buffer_span(bytes), type, nth, &at, &len) &&
        rig_find(other, type, nth, &from, &from_len)) {
        rig_splice(bytes, at, len, span_part(other, from, from_len));
        return;
    }
    at = next_random(seed) % bytes->len;
    buffer_cut(bytes, at);
    buffer_put_span(bytes, span_part(other, next_random(seed) % other.len, other.len));
}

static void mutate(struct buffer *bytes, struct span other, uint64_t *seed)
{
    size_t at = next_random(seed) % bytes->len;
    switch (next_random(seed) % 8) {
    case 0:
    case 1:
        bytes->data[at] ^= (uint8_t)(1U << next_random(seed) % 8);
        break;
    case 2:
        bytes->data[at] = (uint8_t)next_random(seed);
        break;
    case 3:
        buffer_cut(bytes, at + 1);
        break;
    case 4:
        rig_splice(bytes, at, 1 + next_random(seed) % (bytes->len - at), span_of(NULL, 0));
        break;
    case 5: {
        uint8_t more[3] = {(uint8_t)next_random(seed), 0, 0xFF};
        rig_splice(bytes, at, 0, span_of(more, 1 + next_random(seed) % 3));
        break;
    }
    case 6:
        change_length(bytes, seed);
        break;
    default:
        splice_from(bytes, other, seed);
    }
    if (bytes->len == 0) {
        buffer_put_u8(bytes, 0);
    }
}

/* One content; true when it is unlike the sample's own. */
static bool put_content(struct buffer *out, size_t sample, uint64_t *seed)
{
    size_t other = next_random(seed) % n_samples;
    struct span own = buffer_span(&made.transcripts[sample].content);
    uint32_t choice = next_random(seed) % 8;
    if (choice == 0) {
        put_foreign(out, seed);
    } else if (choice == 1) { /* another key's, or a TLS 1.3 transcript */
        const struct rig_transcript *it = &made.transcripts[other];
        buffer_put_span(out, buffer_span(next_random(seed) % 2 ? &it->content : &it->messages));
    } else {
        buffer_put_span(out, own);
    }
    for (uint32_t n = choice > 1 ? 1 + next_random(seed) % 2 : next_random(seed) % 2; n > 0; n--) {
        mutate(out, buffer_span(&made.transcripts[other].content), seed);
    }
    assert_true(buffer_ok(out));
    return !span_equal(buffer_span(out), own);
}

/* In memory of exactly its size, so that a sanitizer sees a read past the end. */
static bool passes(const struct tls_key *key, enum alg alg, struct span input, bool *has_peer)
{
    uint8_t *exact = malloc(input.len);
    assert_non_null(exact);
    memcpy(exact, input.data, input.len);
    struct tls_proof proof;
    struct reason why = {0};
    enum outcome outcome = tls_guard_check(key, alg, span_of(exact, input.len), &proof, &why);
    free(exact);
    *has_peer = proof.has_peer;
    assert_true(outcome == OUTCOME_OK || outcome == OUTCOME_SHAPE);
    assert_int_equal(outcome == OUTCOME_OK, why.detail[0] == '\0');
    assert_int_equal(ERR_peek_error(), 0);
    return outcome == OUTCOME_OK;
}

static void test_oracle(void **state)
{
    (void)state;
    const unsigned long rounds = getenv("QSEAL_LONG") != NULL ? 1000000 : 100000;
    uint64_t seed = 0x9E3779B97F4A7C15U;
    unsigned long tried = 0;
    unsigned long outside = 0;
    unsigned long contents = 0;
    unsigned long handshakes = 0;
    while (tried < rounds) {
        size_t sample = next_random(&seed) % n_samples;
        BUFFER_CLEANUP struct buffer input = BUFFER_INIT(2 * RIG_INPUT_MAX);
        if (!put_content(&input, sample, &seed)) {
            continue;
        }
        struct tls_key key = samples_key(&made, sample);
        bool has_peer = false;
        bool pass = passes(&key, made.transcripts[sample].alg, buffer_span(&input), &has_peer);
        tried++;
        if (pass && !has_peer && is_content(buffer_span(&input))) {
            contents++;
        } else if (pass && has_peer && is_handshake(sample, buffer_span(&input))) {
            handshakes++;
        } else if (pass) {
            outside++;
            print_error("sample %s, %lu tried\n", samples[sample].name, tried);
        }
    }
    print_message("tried %lu, signed %lu outside the rules\n", tried, outside);
    print_message("inside them: %lu TLS 1.3 client contents with another hash, %lu TLS 1.2 client "
                  "handshakes changed where no signature covers them\n",
                  contents, handshakes);
    assert_int_equal(outside, 0);
    /* Some pass: the changes are worth their time, and the second opinion is asked. */
    assert_true(contents > rounds / 1000 && handshakes > rounds / 1000);
}

/* The server's CertificateVerify covers all that stands before it: what passes begins as one of the
 * real handshakes does. Only its own signature, its Finished and the client's chain are free. */
static bool begins_as_one(struct span input)
{
    for (size_t i = 0; i < n_samples; i++) {
        struct span real = buffer_span(&made.transcripts[i].messages);
        size_t at;
        size_t len;
        if (samples[i].version == TLS1_3_VERSION && rig_find(real, 11, 0, &at, &len) &&
            span_equal(span_part(real, 0, at + len), span_part(input, 0, at + len))) {
            return true;
        }
    }
    return false;
}

static bool has_hash(struct span content, struct span input)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    const EVP_MD *md = content.len == 130 ? EVP_sha256() : EVP_sha384();
    return is_content(content) && EVP_Digest(input.data, input.len, hash, &len, md, NULL) == 1 &&
           span_equal(span_part(content, 98, content.len), span_of(hash, len));
}

static void test_transcripts(void **state)
{
    (void)state;
    const unsigned long rounds = getenv("QSEAL_LONG") != NULL ? 250000 : 25000;
    uint64_t seed = 0xD1B54A32D192ED03U;
    unsigned long tried = 0;
    unsigned long outside = 0;
    unsigned long inside = 0;
    while (tried < rounds) {
        size_t sample = next_random(&seed) % n_samples;
        struct span own = buffer_span(&made.transcripts[sample].messages);
        size_t other = next_random(&seed) % n_samples;
        BUFFER_CLEANUP struct buffer input = BUFFER_INIT(2 * RIG_INPUT_MAX);
        buffer_put_span(&input, own);
        mutate(&input, buffer_span(&made.transcripts[other].messages), &seed);
        if (samples[sample].version != TLS1_3_VERSION || span_equal(buffer_span(&input), own)) {
            continue;
        }
        uint8_t content[TLS_CONTENT_MAX];
        size_t len = 0;
        struct tls_key key = samples_key(&made, sample);
        struct tls_proof proof;
        struct reason why = {0};
        tried++;
        if (tls_guard_transcript(&key, made.transcripts[sample].alg, buffer_span(&input), content,
                                 &len, &proof, &why) != OUTCOME_OK) {
            continue;
        }
        bool good = proof.has_peer && begins_as_one(buffer_span(&input)) &&
                    has_hash(span_of(content, len), buffer_span(&input));
        inside += good;
        outside += !good;
    }
    print_message("tried %lu transcripts, signed %lu outside the rules, %lu changed behind what "
                  "the server signed\n",
                  tried, outside, inside);
    assert_int_equal(outside, 0);
    assert_true(inside > rounds / 1000);
}

static int setup(void **state)
{
    (void)state;
    samples_make(&made);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    cipher_table = SSL_new(ctx);
    const struct rig_handshake how = {.version = TLS1_1_VERSION,
                                      .server = &made.servers[RIG_RSA],
                                      .client = &made.clients[RIG_RSA]};
    rig_shake(&how, &old);
    SSL_CTX_free(ctx);
    return cipher_table == NULL;
}

static int teardown(void **state)
{
    (void)state;
    SSL_free(cipher_table);
    rig_transcript_free(&old);
    samples_free(&made);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_oracle),
                                       cmocka_unit_test(test_transcripts)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
