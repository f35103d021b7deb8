/* SPDX-License-Identifier: Apache-2.0
 * A signer that trusts everybody: for tests only. */
#include "provider_rig_service.h"

#include "provider_rig.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 2 * 1024 * 1024, MOST_SIGNATURE = 8192 };

struct request {
    char *text; /* NUL behind */
    size_t len;
    const char *body;
    size_t body_len;
};

static bool read_request(int fd, struct request *out)
{
    out->text = malloc(MOST + 1);
    out->len = 0;
    for (;;) {
        ssize_t got = recv(fd, out->text + out->len, MOST - out->len, 0);
        if (got <= 0) {
            return false;
        }
        out->len += (size_t)got;
        out->text[out->len] = '\0';
        char *end = strstr(out->text, "\r\n\r\n");
        const char *length = strcasestr(out->text, "\r\nContent-Length: ");
        if (end == NULL || length == NULL) {
            continue;
        }
        out->body = end + 4;
        out->body_len = strtoul(length + 18, NULL, 10);
        if (out->len - (size_t)(out->body - out->text) >= out->body_len) {
            return true;
        }
    }
}

static bool header_of(const struct request *request, const char *name, char out[64])
{
    char line[96];
    (void)snprintf(line, sizeof(line), "\r\n%s: ", name);
    const char *at = strcasestr(request->text, line);
    if (at == NULL || at > request->body) {
        return false;
    }
    at += strlen(line);
    (void)snprintf(out, 64, "%.*s", (int)strcspn(at, "\r"), at);
    return true;
}

static void answer(int fd, int status, const char *type, const void *body, size_t len)
{
    char head[256];
    int head_len = snprintf(head, sizeof(head),
                            "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Type: %s\r\n"
                            "Qseal-Request-Id: r1\r\nContent-Length: %zu\r\n\r\n",
                            status, type, len);
    (void)!send(fd, head, (size_t)head_len, MSG_NOSIGNAL);
    (void)!send(fd, body, len, MSG_NOSIGNAL);
}

static void problem(int fd, int status, const char *detail)
{
    char body[512];
    int len = snprintf(
        body, sizeof(body),
        "{\"type\":\"urn:qseal:problem:x\",\"title\":\"No\",\"status\":%d,\"detail\":\"%s\"}",
        status, detail);
    answer(fd, status, "application/problem+json", body, (size_t)len);
}

static int key_of_path(const char *path, const char *before)
{
    size_t len = strlen(before);
    for (int i = 0; i < RIG_KEYS && strncmp(path, before, len) == 0; i++) {
        const char *role = rig_role((enum rig_key)i);
        size_t role_len = strlen(role);
        if (strncmp(path + len, role, role_len) == 0 &&
            (path[len + role_len] == ' ' || path[len + role_len] == '/')) {
            return i;
        }
    }
    return -1;
}

/* The suite of the last ServerHello decides the hash (RFC 8446 §4.4.1). */
static const char *hash_of_transcript(const unsigned char *data, size_t len)
{
    const char *name = NULL;
    for (size_t at = 0; at + 4 <= len;) {
        size_t length = (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 | data[at + 3];
        if (data[at] == 2) {
            const unsigned char *body = data + at + 4;
            unsigned int suite = (unsigned int)body[35 + body[34]] << 8 | body[36 + body[34]];
            name = suite == 0x1302 ? "SHA2-384" : "SHA2-256";
        }
        at += 4 + length;
    }
    return name;
}

static size_t content_of_transcript(struct rig *rig, const struct request *request,
                                    unsigned char out[256])
{
    static const char context[] = "TLS 1.3, client CertificateVerify";
    unsigned int hash_len = 0;
    memset(out, ' ', 64);
    memcpy(out + 64, context, sizeof(context));
    EVP_MD *md = EVP_MD_fetch(
        rig->plain, hash_of_transcript((const unsigned char *)request->body, request->body_len),
        NULL);
    assert_int_equal(EVP_Digest(request->body, request->body_len, out + 64 + sizeof(context),
                                &hash_len, md, NULL),
                     1);
    EVP_MD_free(md);
    return 64 + sizeof(context) + hash_len;
}

static size_t sign(struct rig *rig, enum rig_key key, const char *scheme, const void *content,
                   size_t len, unsigned char out[MOST_SIGNATURE])
{
    size_t out_len = MOST_SIGNATURE;
    EVP_PKEY_CTX *parameters;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const char *md = strstr(scheme, "sha512") != NULL   ? "SHA512"
                     : strstr(scheme, "sha384") != NULL ? "SHA384"
                                                        : "SHA256";
    bool good = EVP_DigestSignInit_ex(context, &parameters, key == RIG_ED25519 ? NULL : md,
                                      rig->plain, NULL, rig->keys[key], NULL) == 1;
    if (strstr(scheme, "_pss_") != NULL) {
        good = good && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    good = good && EVP_DigestSign(context, out, &out_len, content, len) == 1;
    EVP_MD_CTX_free(context);
    return good ? out_len : 0;
}

static void sign_request(struct rig *rig, int fd, enum rig_key key, const struct request *request)
{
    char scheme[64] = "";
    char type[64] = "";
    char thumbprint[64] = "";
    unsigned char built[256];
    unsigned char signature[MOST_SIGNATURE];
    const void *content = request->body;
    size_t len = request->body_len;
    if (!header_of(request, "Qseal-Signature-Scheme", scheme) ||
        !header_of(request, "Content-Type", type) || !header_of(request, "Qseal-Key", thumbprint) ||
        strlen(thumbprint) != 43) {
        problem(fd, 400, "a header is missing");
        return;
    }
    (void)pthread_mutex_lock(&rig->lock);
    (void)snprintf(rig->scheme, sizeof(rig->scheme), "%s", scheme);
    (void)pthread_mutex_unlock(&rig->lock);
    if (strcmp(type, "application/vnd.qseal.tls-transcript") == 0) {
        rig->transcripts++;
        len = content_of_transcript(rig, request, built);
        content = built;
    }
    size_t signature_len = sign(rig, key, scheme, content, len, signature);
    answer(fd, 200, "application/octet-stream", signature, signature_len);
}

static void get(struct rig *rig, int fd, enum rig_key key, const char *path)
{
    if (strstr(path, "/reference") != NULL) {
        char *pem = rig_reference(rig, key, rig->socket);
        answer(fd, 200, "application/x-pem-file", pem, strlen(pem));
        free(pem);
        return;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_X509(bio, rig->certificates[key]), 1);
    long len = BIO_get_mem_data(bio, &text);
    answer(fd, 200, "application/pem-certificate-chain", text, (size_t)len);
    BIO_free(bio);
}

static void misbehave(struct rig *rig, int fd)
{
    static const char long_signature[4000];
    char byte;
    switch ((enum rig_manner)rig->manner) {
    case RIG_SIGNS:
    case RIG_HANGS_UP:
        break;
    case RIG_FORBIDS:
        problem(fd, 403, "transport key p256 is not granted to caller x (uid 1001)");
        break;
    case RIG_KNOWS_NOT:
        problem(fd, 404, "there is no transport role of that name");
        break;
    case RIG_IS_BUSY:
        problem(fd, 503, "no token of role p256 is up");
        break;
    case RIG_REFUSES:
        problem(fd, 422, "the peer is not \\\"bank.example\\\"");
        break;
    case RIG_IS_SILENT:
        (void)!recv(fd, &byte, 1, 0);
        break;
    case RIG_BABBLES:
        (void)!send(fd, "SSH-2.0-x\r\n\r\n", 13, MSG_NOSIGNAL);
        break;
    case RIG_OVERFLOWS:
        answer(fd, 200, "application/octet-stream", long_signature, sizeof(long_signature));
        break;
    }
}

static void serve_one(struct rig *rig, int fd)
{
    struct request request;
    if (!read_request(fd, &request)) {
        free(request.text);
        return;
    }
    int signing = key_of_path(request.text, "POST /v1/tls-signature/");
    int reading = key_of_path(request.text, "GET /v1/keys/");
    if (signing >= 0) {
        rig->asked++;
        if (rig->manner != RIG_SIGNS) {
            misbehave(rig, fd);
        } else {
            sign_request(rig, fd, (enum rig_key)signing, &request);
        }
    } else if (reading >= 0) {
        get(rig, fd, (enum rig_key)reading, request.text);
    } else {
        problem(fd, 404, "there is no transport role of that name");
    }
    free(request.text);
}

void *rig_serve(void *data)
{
    struct rig *rig = data;
    for (;;) {
        int fd = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        serve_one(rig, fd);
        (void)close(fd);
    }
}
