/* SPDX-License-Identifier: Apache-2.0
 * What one loaded instance of the provider knows: libcrypto's upcalls and the settings of its
 * section in openssl.cnf. It is filled once, in OSSL_provider_init(), and only read from then on by
 * any thread; nothing in it changes with a fork. */
#ifndef QSEAL_PROVIDER_PROVIDER_H
#define QSEAL_PROVIDER_PROVIDER_H

#include "provider/sha2.h"
#include "qseal/client.h"

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <pthread.h>
#include <stdbool.h>

struct provider {
    const OSSL_CORE_HANDLE *handle;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_set_error_debug_fn *set_error_debug;
    OSSL_FUNC_core_vset_error_fn *vset_error;
    OSSL_FUNC_BIO_read_ex_fn *bio_read;
    OSSL_FUNC_BIO_gets_fn *bio_gets;
    char socket[QSEAL_MAX_SOCKET_PATH + 1]; /* "": the one of the reference */
    unsigned int timeout_ms;
    bool transcript;       /* the tap is on, and `shelf` holds each thread's last transcript */
    pthread_key_t shelf;   /* see transcript.h */
    struct sha2_speed sha; /* what this processor can */
    char complaint[128];   /* what is wrong with the settings; "" when nothing is */
};

#endif
