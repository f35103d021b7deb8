/* SPDX-License-Identifier: Apache-2.0
 * A TLS client as small as it gets. */
#include "tls_client.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_SIZE = 1024 };

static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";

struct tls_client {
    SSL_CTX *context;
    struct sockaddr_un address;
};

static bool set_up(SSL_CTX *context, const struct tls_client_choice *choice)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_min_proto_version(context, choice->version) != 1 ||
        SSL_CTX_set_max_proto_version(context, choice->version) != 1 ||
        SSL_CTX_load_verify_file(context, choice->ca) != 1) {
        return false;
    }
    return choice->cert == NULL ||
           (SSL_CTX_use_certificate_chain_file(context, choice->cert) == 1 &&
            SSL_CTX_use_PrivateKey_file(context, choice->key, SSL_FILETYPE_PEM) == 1);
}

struct tls_client *tls_client_new(const struct tls_client_choice *choice)
{
    struct tls_client *client = calloc(1, sizeof *client);
    if (client == NULL || strlen(choice->socket) >= sizeof client->address.sun_path) {
        free(client);
        return NULL;
    }
    client->address.sun_family = AF_UNIX;
    memcpy(client->address.sun_path, choice->socket, strlen(choice->socket) + 1);
    client->context = SSL_CTX_new(TLS_client_method());
    if (client->context == NULL || !set_up(client->context, choice)) {
        tls_client_free(client);
        return NULL;
    }
    return client;
}

void tls_client_free(struct tls_client *client)
{
    if (client != NULL) {
        SSL_CTX_free(client->context);
        free(client);
    }
}

static bool ask(SSL *ssl)
{
    char answer[ANSWER_SIZE];
    size_t len = 0;
    if (SSL_write(ssl, request, (int)sizeof request - 1) <= 0) {
        return false;
    }
    while (len < sizeof answer - 1) {
        int got = SSL_read(ssl, answer + len, (int)(sizeof answer - 1 - len));
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    answer[len] = '\0';
    return strncmp(answer, "HTTP/1.1 200", strlen("HTTP/1.1 200")) == 0;
}

bool tls_client_exchange(const struct tls_client *client)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL *ssl = SSL_new(client->context);
    bool good =
        fd >= 0 && ssl != NULL &&
        connect(fd, (const struct sockaddr *)&client->address, sizeof client->address) == 0 &&
        SSL_set_tlsext_host_name(ssl, "localhost") == 1 && SSL_set1_host(ssl, "localhost") == 1 &&
        SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1 && ask(ssl);
    if (good) {
        (void)SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}
