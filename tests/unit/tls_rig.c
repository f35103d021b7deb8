/* SPDX-License-Identifier: Apache-2.0
 * Real handshakes for the transport guard's tests. */
#include "tls_rig.h"

#include "check.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define CHECK(call) assert_int_equal((call), 1)

/* ---- identities ---- */

static EVP_PKEY *make_key(enum rig_kind kind)
{
    switch (kind) {
    case RIG_RSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    case RIG_P256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case RIG_P384:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    case RIG_P521:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
    case RIG_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case RIG_RSA_PSS:
        break;
    }
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    CHECK(EVP_PKEY_keygen_init(ctx));
    CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048));
    CHECK(EVP_PKEY_generate(ctx, &pkey));
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    CHECK(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *pkey, const struct rig_certificate *how)
{
    static long serial; /* issuer and serial are one certificate's */
    X509 *made = X509_new();
    char name[32];
    (void)snprintf(name, sizeof name, "rig %ld", ++serial);
    CHECK(X509_set_version(made, X509_VERSION_3));
    CHECK(ASN1_INTEGER_set(X509_get_serialNumber(made), serial));
    CHECK(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                     (const unsigned char *)name, -1, -1, 0));
    CHECK(X509_set_issuer_name(
        made, X509_get_subject_name(how->issuer ? how->issuer->certificate : made)));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -7200));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), how->expired ? -3600 : 86400));
    CHECK(X509_set_pubkey(made, pkey));
    add_extension(made, NID_basic_constraints, how->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (how->san != NULL) {
        add_extension(made, NID_subject_alt_name, how->san);
    }
    if (how->client_only) {
        add_extension(made, NID_ext_key_usage, "clientAuth");
    }
    EVP_PKEY *signer = how->issuer ? how->issuer->pkey : pkey;
    const EVP_MD *md = EVP_PKEY_is_a(signer, "ED25519") ? NULL
                       : how->sha1                      ? EVP_sha1()
                                                        : EVP_sha256();
    assert_true(X509_sign(made, signer, md) > 0);
    return made;
}

void rig_certificate_digest(const X509 *certificate, uint8_t out[32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    assert_true(len > 0);
    CHECK(EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL));
    OPENSSL_free(der);
}

/* The same numbers as rsaEncryption: what PKCS#11 knows of an RSA key. */
static void pss_digest(EVP_PKEY *pss, uint8_t out[32])
{
    static const uint8_t head[] = {0x30, 0x82, 0x01, 0x22, 0x30, 0x0D, 0x06, 0x09,
                                   0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01,
                                   0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0F, 0x00};
    unsigned char *spki = NULL;
    uint8_t plain[294];
    int len = i2d_PUBKEY(pss, &spki);
    assert_true(len > 270); /* a key of 2048 bits and the exponent 65537 */
    memcpy(plain, head, sizeof head);
    memcpy(plain + sizeof head, spki + len - 270, 270);
    CHECK(EVP_Digest(plain, sizeof plain, out, NULL, EVP_sha256(), NULL));
    OPENSSL_free(spki);
}

void rig_identity_make(enum rig_kind kind, const struct rig_certificate *how,
                       struct rig_identity *out)
{
    static const enum key_type types[] = {
        [RIG_RSA] = KEY_RSA_2048, [RIG_RSA_PSS] = KEY_RSA_2048, [RIG_P256] = KEY_P256,
        [RIG_P384] = KEY_P384,    [RIG_P521] = KEY_P521,        [RIG_ED25519] = KEY_ED25519,
    };
    out->type = types[kind];
    out->pkey = make_key(kind);
    assert_non_null(out->pkey);
    out->certificate = make_certificate(out->pkey, how);
    if (kind == RIG_RSA_PSS) {
        pss_digest(out->pkey, out->spki_sha256);
    } else {
        rig_certificate_digest(out->certificate, out->spki_sha256);
    }
}

void rig_identity_free(struct rig_identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->pkey);
}

/* ---- the handshake ---- */

struct taking {
    struct rig_transcript *out;
    struct buffer verify; /* the client's CertificateVerify */
};

static void put_hash_of_first_hello(struct buffer *messages)
{
    size_t at;
    size_t len;
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    assert_true(rig_find(buffer_span(messages), 2, 0, &at, &len));
    size_t suite = at + 4 + 2 + 32;
    suite += 1 + messages->data[suite];
    const EVP_MD *md = messages->data[suite + 1] == 0x02 ? EVP_sha384() : EVP_sha256();
    CHECK(EVP_Digest(messages->data, at, hash, &hash_len, md, NULL));
    uint8_t whole[4 + EVP_MAX_MD_SIZE] = {0xFE, 0, 0, (uint8_t)hash_len};
    memcpy(whole + 4, hash, hash_len);
    rig_splice(messages, 0, at, span_of(whole, 4 + hash_len));
}

static void on_message(int sent, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
    (void)version, (void)ssl;
    struct taking *taking = arg;
    struct buffer *messages = &taking->out->messages;
    const uint8_t *bytes = data;
    if (type != SSL3_RT_HANDSHAKE || taking->verify.len > 0 || bytes[0] == 0 || bytes[0] == 4) {
        return;
    }
    if (sent && bytes[0] == SSL3_MT_CERTIFICATE_VERIFY) {
        buffer_put(&taking->verify, data, len);
        return;
    }
    if (sent && bytes[0] == SSL3_MT_CLIENT_HELLO && messages->len > 0) {
        put_hash_of_first_hello(messages);
    }
    buffer_put(messages, data, len);
}

static int on_staple(SSL *ssl, void *arg)
{
    (void)arg;
    unsigned char *response = OPENSSL_memdup("\x30\x03\x0A\x01\x06", 5); /* unauthorized */
    SSL_set_tlsext_status_ocsp_resp(ssl, response, 5);
    return SSL_TLSEXT_ERR_OK;
}

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok, (void)ctx;
    return 1;
}

static SSL_CTX *make_context(const struct rig_handshake *how, bool server)
{
    const struct rig_identity *own = server ? how->server : how->client;
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    assert_non_null(ctx);
    SSL_CTX_set_security_level(ctx, 0);
    CHECK(SSL_CTX_set_min_proto_version(ctx, how->version));
    CHECK(SSL_CTX_set_max_proto_version(ctx, how->version));
    if (how->ciphers != NULL) {
        CHECK(how->version == TLS1_3_VERSION ? SSL_CTX_set_ciphersuites(ctx, how->ciphers)
                                             : SSL_CTX_set_cipher_list(ctx, how->ciphers));
    }
    if (server && how->sigalgs != NULL) {
        CHECK(SSL_CTX_set1_sigalgs_list(ctx, how->sigalgs));
    }
    if (server && how->asked != NULL) {
        CHECK(SSL_CTX_set1_client_sigalgs_list(ctx, how->asked));
    }
    CHECK(SSL_CTX_set1_groups_list(ctx, server && how->groups ? how->groups
                                                              : "X25519:P-256:P-384:P-521"));
    if (server || !how->no_client_certificate) {
        CHECK(SSL_CTX_use_certificate(ctx, own->certificate));
        CHECK(SSL_CTX_use_PrivateKey(ctx, own->pkey));
    }
    if (server) {
        static uint8_t ticket_keys[80]; /* the same in every server: it can resume */
        CHECK(SSL_CTX_set_tlsext_ticket_keys(ctx, ticket_keys, sizeof ticket_keys));
        CHECK(SSL_CTX_set_dh_auto(ctx, 1));
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_any);
        CHECK(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"rig", 3));
        if (how->staple) {
            SSL_CTX_set_tlsext_status_cb(ctx, on_staple);
        }
        if (how->server_issuer != NULL) {
            CHECK(SSL_CTX_add1_chain_cert(ctx, how->server_issuer->certificate));
        }
    }
    return ctx;
}

static void drive(SSL *client, SSL *server)
{
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    bool done = false;
    for (int i = 0; i < 20 && !done; i++) {
        int a = SSL_do_handshake(client);
        int b = SSL_do_handshake(server);
        done = a == 1 && b == 1;
    }
    if (!done) {
        ERR_print_errors_fp(stderr);
    }
    assert_true(done);
    char byte;
    (void)SSL_read(client, &byte, 1); /* session tickets */
}

/* What was taken down is what was signed. */
static void verify_signature(const struct rig_handshake *how, struct taking *taking)
{
    struct rig_transcript *out = taking->out;
    const uint8_t *verify = taking->verify.data;
    enum tls_scheme scheme;
    if (taking->verify.len < 8 || how->version < TLS1_2_VERSION ||
        !tls_scheme_from_code((uint16_t)(verify[4] << 8 | verify[5]), &scheme)) {
        return;
    }
    static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
    out->alg = tls_scheme_alg(scheme);
    const char *md = out->alg == ALG_ED25519 ? NULL : digests[(alg_digest_len(out->alg) - 32) / 16];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    CHECK(EVP_DigestVerifyInit_ex(ctx, &pctx, md, NULL, NULL, how->client->pkey, NULL));
    if (alg_family(out->alg) == FAMILY_RSA_PSS) {
        CHECK(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING));
    }
    CHECK(EVP_DigestVerify(ctx, verify + 8, taking->verify.len - 8, out->content.data,
                           out->content.len));
    EVP_MD_CTX_free(ctx);
    out->is_signed = true;
}

void rig_content(struct buffer *out, const char *side, const uint8_t *hash, size_t len)
{
    memset(buffer_extend(out, 64), 0x20, 64);
    buffer_put_format(out, "TLS 1.3, %s CertificateVerify", side);
    buffer_put_u8(out, 0);
    buffer_put(out, hash, len);
}

static void fill_content(struct rig_transcript *out, const SSL *client)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (SSL_version(client) != TLS1_3_VERSION) {
        buffer_put_span(&out->content, buffer_span(&out->messages));
        return;
    }
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(client));
    CHECK(EVP_Digest(out->messages.data, out->messages.len, hash, &len, md, NULL));
    rig_content(&out->content, "client", hash, len);
}

void rig_shake(const struct rig_handshake *how, struct rig_transcript *out)
{
    *out = (struct rig_transcript){.messages = BUFFER_INIT(RIG_INPUT_MAX),
                                   .content = BUFFER_INIT(RIG_INPUT_MAX)};
    struct taking taking = {.out = out, .verify = BUFFER_INIT(RIG_INPUT_MAX)};
    SSL_CTX *contexts[] = {make_context(how, false), make_context(how, true)};
    SSL *client = SSL_new(contexts[0]);
    SSL *server = SSL_new(contexts[1]);
    BIO *a = NULL;
    BIO *b = NULL;
    CHECK(BIO_new_bio_pair(&a, RIG_INPUT_MAX, &b, RIG_INPUT_MAX));
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    SSL_set_msg_callback(client, on_message);
    SSL_set_msg_callback_arg(client, &taking);
    if (how->sni != NULL) {
        CHECK(SSL_set_tlsext_host_name(client, how->sni));
    }
    if (how->staple) {
        CHECK(SSL_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp));
    }
    if (how->session != NULL && *how->session != NULL) {
        CHECK(SSL_set_session(client, *how->session));
    }
    drive(client, server);
    fill_content(out, client);
    verify_signature(how, &taking);
    if (how->session != NULL && *how->session == NULL) {
        *how->session = SSL_get1_session(client);
    }
    buffer_fini(&taking.verify);
    (void)SSL_shutdown(client); /* or the session counts as broken */
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    ERR_clear_error();
}

void rig_transcript_free(struct rig_transcript *transcript)
{
    buffer_fini(&transcript->messages);
    buffer_fini(&transcript->content);
}

/* ---- changing one ---- */

bool rig_find(struct span messages, uint8_t type, int nth, size_t *at, size_t *len)
{
    for (size_t i = 0; i + 4 <= messages.len; i += *len) {
        const uint8_t *head = messages.data + i;
        *at = i;
        *len = 4 + ((size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3]);
        if (head[0] == type && nth-- == 0) {
            return *len <= messages.len - i;
        }
    }
    return false;
}

void rig_splice(struct buffer *bytes, size_t at, size_t drop, struct span insert)
{
    size_t tail = bytes->len - at - drop;
    BUFFER_CLEANUP struct buffer kept = BUFFER_INIT(RIG_INPUT_MAX);
    buffer_put_span(&kept, insert);
    buffer_put(&kept, bytes->data + at + drop, tail);
    buffer_cut(bytes, at);
    buffer_put_span(bytes, buffer_span(&kept));
    assert_true(buffer_ok(bytes) && buffer_ok(&kept));
}

void rig_set_body(struct buffer *messages, size_t at, struct span body)
{
    uint8_t *head = messages->data + at;
    size_t old = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    head[1] = (uint8_t)(body.len >> 16);
    head[2] = (uint8_t)(body.len >> 8);
    head[3] = (uint8_t)body.len;
    rig_splice(messages, at + 4, old, body);
}
