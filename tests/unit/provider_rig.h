/* SPDX-License-Identifier: Apache-2.0
 * For tests of qseal.so: a service played by a thread, which signs with plain keys what it is asked
 * to, or does one of the things that a service should not do; a library context in which the
 * provider is active; and handshakes in memory. */
#ifndef QSEAL_TESTS_UNIT_PROVIDER_RIG_H
#define QSEAL_TESTS_UNIT_PROVIDER_RIG_H

#include "check.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum rig_key { RIG_RSA, RIG_PSS, RIG_P256, RIG_P384, RIG_P521, RIG_ED25519 };
enum { RIG_KEYS = RIG_ED25519 + 1 };

/* What the service does with a request for a signature. */
enum rig_manner {
    RIG_SIGNS,
    RIG_FORBIDS,   /* 403 */
    RIG_KNOWS_NOT, /* 404 */
    RIG_IS_BUSY,   /* 503 */
    RIG_REFUSES,   /* 422 */
    RIG_IS_SILENT, /* reads, and waits until the caller has gone */
    RIG_BABBLES,   /* not HTTP */
    RIG_OVERFLOWS, /* a signature that is too long */
    RIG_HANGS_UP,
};

struct rig {
    char folder[64];
    char socket[108];
    char config[108];
    int listener;
    pthread_t thread;
    EVP_PKEY *keys[RIG_KEYS];
    X509 *certificates[RIG_KEYS];
    OSSL_LIB_CTX *plain;     /* of the service: nothing of the provider is in it */
    atomic_int manner;       /* enum rig_manner */
    atomic_uint asked;       /* requests for a signature */
    atomic_uint transcripts; /* of them, with a transcript */
    pthread_mutex_t lock;
    char scheme[64]; /* of the last one */
};

struct rig *rig_open(void);
void rig_close(struct rig *rig);
const char *rig_role(enum rig_key key);
/* The PEM key reference, its DER, and its length; both are the caller's to free. */
char *rig_reference(const struct rig *rig, enum rig_key key, const char *socket);
unsigned char *rig_reference_der(const struct rig *rig, enum rig_key key, const char *socket,
                                 size_t *len);
char *rig_pem(const unsigned char *der, size_t len);

/* A library context as openssl.cnf would make it: default first, then the provider with these lines
 * in its section ("timeout_ms = 100\n"). With `module` that file is loaded, else what is linked in.
 * `properties` is for default_properties, or NULL. */
OSSL_LIB_CTX *rig_context(struct rig *rig, const char *module, const char *lines,
                          const char *properties);
/* The delegated key, NULL with the error on OpenSSL's queue. */
EVP_PKEY *rig_load(OSSL_LIB_CTX *context, const char *pem);

struct rig_shake {
    int version;         /* TLS1_2_VERSION … */
    const char *sigalgs; /* that the server accepts, NULL: OpenSSL's */
    const char *suites;  /* of TLS 1.3, NULL: OpenSSL's */
    const char *groups;  /* of the server, to provoke a HelloRetryRequest */
};
/* One handshake of a client with that key against a server that demands it. True when both sides
 * are done and the server has seen the certificate. */
bool rig_shake(struct rig *rig, OSSL_LIB_CTX *context, enum rig_key key, EVP_PKEY *delegated,
               const struct rig_shake *how);
/* Whether the oldest error on the queue that came from the provider has this reason and, in its
 * data, this fragment; empties the queue. */
bool rig_saw_error(const char *reason, const char *fragment);

#endif
