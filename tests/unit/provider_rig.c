/* SPDX-License-Identifier: Apache-2.0
 * Keys, certificates, references, contexts, handshakes. */
#include "provider_rig.h"

#include "provider/spki.h"
#include "provider/thumbprint.h"
#include "provider_rig_service.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

OSSL_provider_init_fn OSSL_provider_init;

static const char *const roles[RIG_KEYS] = {
    [RIG_RSA] = "rsa",   [RIG_PSS] = "pss",   [RIG_P256] = "p256",
    [RIG_P384] = "p384", [RIG_P521] = "p521", [RIG_ED25519] = "ed25519"};

const char *rig_role(enum rig_key key)
{
    return roles[key];
}

static EVP_PKEY *make_key(enum rig_key key)
{
    static const char *const curves[RIG_KEYS] = {
        [RIG_P256] = "P-256", [RIG_P384] = "P-384", [RIG_P521] = "P-521"};
    if (key == RIG_PSS) {
        EVP_PKEY *out = NULL;
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
        assert_int_equal(EVP_PKEY_keygen_init(context), 1);
        assert_int_equal(EVP_PKEY_generate(context, &out), 1);
        EVP_PKEY_CTX_free(context);
        return out;
    }
    return key == RIG_RSA       ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
           : key == RIG_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                : EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[key]);
}

static X509 *make_certificate(EVP_PKEY *key, const char *name, bool bare)
{
    X509 *out = X509_new();
    assert_int_equal(X509_set_version(out, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(out), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(out), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(out), 3600));
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(out, X509_get_subject_name(out)), 1);
    assert_int_equal(X509_set_pubkey(out, key), 1);
    assert_true(X509_sign(out, key, bare ? NULL : EVP_sha256()) > 0);
    return out;
}

struct rig *rig_open(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(rig->folder, sizeof(rig->folder), P_tmpdir "/qseal-provider-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    (void)snprintf(rig->socket, sizeof(rig->socket), "%s/s", rig->folder);
    (void)snprintf(rig->config, sizeof(rig->config), "%s/openssl.cnf", rig->folder);
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        rig->keys[i] = make_key((enum rig_key)i);
        assert_non_null(rig->keys[i]);
        rig->certificates[i] = make_certificate(rig->keys[i], roles[i], i == RIG_ED25519);
    }
    rig->plain = OSSL_LIB_CTX_new();
    (void)pthread_mutex_init(&rig->lock, NULL);
    memcpy(address.sun_path, rig->socket, sizeof(rig->socket));
    rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(rig->listener, 64), 0);
    assert_int_equal(pthread_create(&rig->thread, NULL, rig_serve, rig), 0);
    return rig;
}

void rig_close(struct rig *rig)
{
    (void)shutdown(rig->listener, SHUT_RDWR);
    (void)pthread_join(rig->thread, NULL);
    (void)close(rig->listener);
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY_free(rig->keys[i]);
        X509_free(rig->certificates[i]);
    }
    OSSL_LIB_CTX_free(rig->plain);
    (void)pthread_mutex_destroy(&rig->lock);
    (void)unlink(rig->socket);
    (void)unlink(rig->config);
    (void)rmdir(rig->folder);
    free(rig);
}

static size_t put_tlv(unsigned char *out, unsigned char tag, const void *data, size_t len)
{
    size_t at = 0;
    out[at++] = tag;
    if (len >= 0x100) {
        out[at++] = 0x82;
        out[at++] = (unsigned char)(len >> 8);
    } else if (len >= 0x80) {
        out[at++] = 0x81;
    }
    out[at++] = (unsigned char)len;
    memcpy(out + at, data, len);
    return at + len;
}

unsigned char *rig_reference_der(const struct rig *rig, enum rig_key key, const char *socket,
                                 size_t *len)
{
    unsigned char body[2048];
    unsigned char *spki = NULL;
    char thumbprint[44];
    struct spki read;
    int spki_len = i2d_PUBKEY(rig->keys[key], &spki);
    assert_true(spki_len > 0);
    assert_true(spki_read(span_of(spki, (size_t)spki_len), &read));
    thumbprint_of(&read, sha2_portable(), thumbprint);
    size_t at = put_tlv(body, 0x0c, "qseal-key-reference-1", 21);
    at += put_tlv(body + at, 0x0c, roles[key], strlen(roles[key]));
    at += put_tlv(body + at, 0x0c, socket, strlen(socket));
    at += put_tlv(body + at, 0x0c, thumbprint, 43);
    memcpy(body + at, spki, (size_t)spki_len);
    OPENSSL_free(spki);
    unsigned char *out = malloc(sizeof(body) + 4);
    *len = put_tlv(out, 0x30, body, at + (size_t)spki_len);
    return out;
}

char *rig_pem(const unsigned char *der, size_t len)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_true(PEM_write_bio(bio, "QSEAL KEY REFERENCE", "", der, (long)len) > 0);
    long text_len = BIO_get_mem_data(bio, &text); /* without a NUL */
    char *out = calloc(1, (size_t)text_len + 1);
    assert_non_null(out);
    memcpy(out, text, (size_t)text_len);
    BIO_free(bio);
    return out;
}

char *rig_reference(const struct rig *rig, enum rig_key key, const char *socket)
{
    size_t len;
    unsigned char *der = rig_reference_der(rig, key, socket, &len);
    char *pem = rig_pem(der, len);
    free(der);
    return pem;
}

OSSL_LIB_CTX *rig_context(struct rig *rig, const char *module, const char *lines,
                          const char *properties)
{
    FILE *file = fopen(rig->config, "w");
    assert_non_null(file);
    (void)fprintf(
        file,
        "openssl_conf = init\n[init]\nproviders = prov\nalg_section = alg\n[alg]\n%s%s\n"
        "[prov]\ndefault = d\nqseal = q\n[d]\nactivate = 1\n[q]\nactivate = 1\n%s%s\n%s\n",
        properties == NULL ? "" : "default_properties = ", properties == NULL ? "" : properties,
        module == NULL ? "" : "module = ", module == NULL ? "" : module, lines);
    assert_int_equal(fclose(file), 0);
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    if (module == NULL) {
        assert_int_equal(OSSL_PROVIDER_add_builtin(context, "qseal", OSSL_provider_init), 1);
    }
    assert_int_equal(OSSL_LIB_CTX_load_config(context, rig->config), 1);
    assert_int_equal(OSSL_PROVIDER_available(context, "qseal"), 1);
    return context;
}

EVP_PKEY *rig_load(OSSL_LIB_CTX *context, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, context, NULL);
    BIO_free(bio);
    return key;
}

static int accept_any(int good, X509_STORE_CTX *store)
{
    (void)good;
    (void)store;
    return 1;
}

static SSL_CTX *server_context(struct rig *rig, const struct rig_shake *how)
{
    SSL_CTX *server = SSL_CTX_new_ex(rig->plain, NULL, TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(server, rig->certificates[RIG_P256]), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server, rig->keys[RIG_P256]), 1);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    assert_int_equal(SSL_CTX_set_min_proto_version(server, how->version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(server, how->version), 1);
    if (how->sigalgs != NULL) {
        assert_int_equal(SSL_CTX_set1_client_sigalgs_list(server, how->sigalgs), 1);
    }
    if (how->suites != NULL) {
        assert_int_equal(SSL_CTX_set_ciphersuites(server, how->suites), 1);
    }
    if (how->groups != NULL) {
        assert_int_equal(SSL_CTX_set1_groups_list(server, how->groups), 1);
    }
    return server;
}

static bool run(SSL *client, SSL *server)
{
    bool client_done = false;
    bool server_done = false;
    for (int i = 0; i < 20 && !(client_done && server_done); i++) {
        int done = SSL_do_handshake(client);
        client_done = done == 1;
        if (done != 1 && SSL_get_error(client, done) != SSL_ERROR_WANT_READ) {
            return false;
        }
        done = SSL_do_handshake(server);
        server_done = done == 1;
        if (done != 1 && SSL_get_error(server, done) != SSL_ERROR_WANT_READ) {
            return false;
        }
    }
    return client_done && server_done;
}

bool rig_shake(struct rig *rig, OSSL_LIB_CTX *context, enum rig_key key, EVP_PKEY *delegated,
               const struct rig_shake *how)
{
    SSL_CTX *server_ctx = server_context(rig, how);
    SSL_CTX *client_ctx = SSL_CTX_new_ex(context, NULL, TLS_client_method());
    bool good = SSL_CTX_use_certificate(client_ctx, rig->certificates[key]) == 1 &&
                SSL_CTX_use_PrivateKey(client_ctx, delegated) == 1 &&
                SSL_CTX_check_private_key(client_ctx) == 1;
    SSL *server = SSL_new(server_ctx);
    SSL *client = SSL_new(client_ctx);
    BIO *one;
    BIO *other;
    assert_int_equal(BIO_new_bio_pair(&one, 0, &other, 0), 1);
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    good = good && run(client, server);
    if (good) {
        X509 *seen = SSL_get1_peer_certificate(server);
        good = seen != NULL && X509_cmp(seen, rig->certificates[key]) == 0 &&
               SSL_version(server) == how->version;
        X509_free(seen);
    }
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return good;
}

bool rig_saw_error(const char *reason, const char *fragment)
{
    char all[2048] = "";
    const char *data;
    int flags;
    unsigned long code;
    bool seen = false;
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *text = ERR_reason_error_string(code);
        text = text == NULL ? "?" : text;
        seen = seen || (strcmp(text, reason) == 0 && strstr(data, fragment) != NULL);
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), " [%s: %s]", text, data);
    }
    if (!seen) {
        print_error("want [%s: %s], got%s\n", reason, fragment, all);
    }
    return seen;
}
