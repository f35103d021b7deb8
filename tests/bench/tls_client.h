/* SPDX-License-Identifier: Apache-2.0
 * A TLS client as small as it gets, on a unix socket: one SSL_CTX for all threads, as in the
 * programs that are measured here by proxy. No session is kept: every handshake is a full one. */
#ifndef QSEAL_BENCH_TLS_CLIENT_H
#define QSEAL_BENCH_TLS_CLIENT_H

#include <stdbool.h>

struct tls_client_choice {
    const char *socket; /* the server's */
    const char *ca;     /* PEM file the server's certificate is verified under */
    const char *cert;   /* PEM files; both or none */
    const char *key;
    int version; /* TLS1_2_VERSION or TLS1_3_VERSION, and no other */
};

struct tls_client;

/* NULL with OpenSSL's reasons in its error queue. */
struct tls_client *tls_client_new(const struct tls_client_choice *choice);
void tls_client_free(struct tls_client *client);
/* Connects, shakes hands, sends one request, reads the answer, which must be 200, and closes. */
bool tls_client_exchange(const struct tls_client *client);

#endif
