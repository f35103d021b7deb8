/* SPDX-License-Identifier: Apache-2.0
 * provider-storemgmt(7): two requests at open, objects at load. */
#include "provider/store.h"

#include "base/attributes.h"
#include "base/name.h"
#include "provider/decoder.h"
#include "provider/error.h"
#include "provider/param.h"
#include "provider/pem.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct store {
    const struct provider *provider;
    int expect; /* OSSL_STORE_INFO_*, 0: anything */
    char role[KEY_ROLE_SIZE];
    struct key *key;            /* not given out yet */
    struct qseal_answer answer; /* certificates */
    struct span rest;           /* of them, not given out yet */
    struct pem pem;             /* the next one */
};

static enum qseal_result fetch(const struct store *store, const char *what,
                               struct qseal_answer *answer)
{
    const struct provider *provider = store->provider;
    char path[32 + KEY_ROLE_SIZE];
    struct qseal_options options = {.size = sizeof(options),
                                    .socket = provider->socket[0] != '\0' ? provider->socket : NULL,
                                    .timeout_ms = provider->timeout_ms};
    (void)snprintf(path, sizeof(path), "/v1/keys/%s/%s", store->role, what);
    return qseal_request(&options, "GET", path, NULL, 0, NULL, 0, answer);
}

static struct span take_line(struct span *text)
{
    size_t end = span_find(*text, '\n');
    struct span line = span_part(*text, 0, end);
    *text = span_part(*text, end + 1, text->len);
    return line;
}

/* The next block of this label; false at the end, or when something is wrong with it. */
static bool next_block(struct span *text, const char *label, struct pem *pem)
{
    enum pem_step step = PEM_MORE;
    pem_reset(pem);
    while (step == PEM_MORE && text->len > 0) {
        step = pem_line(pem, label, take_line(text));
    }
    if (step != PEM_DONE) {
        pem_reset(pem);
    }
    return step == PEM_DONE;
}

static bool fetch_key(struct store *store)
{
    struct qseal_answer answer;
    struct pem pem = {.der = NULL};
    const char *why = "its PEM block is damaged";
    enum qseal_result result = fetch(store, "reference", &answer);
    if (result != QSEAL_OK) {
        error_raise_answer(store->provider, result, &answer);
        qseal_answer_free(&answer);
        return false;
    }
    struct span text = span_of(answer.body, answer.body_len);
    if (next_block(&text, PEM_REFERENCE, &pem)) {
        store->key = key_from_reference(store->provider, span_of(pem.der, pem.der_len), &why);
    }
    if (store->key == NULL) {
        error_raise(store->provider, REASON_PROTOCOL, "key reference: %s", why);
    }
    pem_reset(&pem);
    qseal_answer_free(&answer);
    return store->key != NULL;
}

/* A role may have no certificate yet; its key is of use all the same. */
static void fetch_certificates(struct store *store)
{
    if (fetch(store, "certificate", &store->answer) == QSEAL_OK) {
        store->rest = span_of(store->answer.body, store->answer.body_len);
        (void)next_block(&store->rest, PEM_CERTIFICATE, &store->pem);
    }
}

static bool read_uri(struct store *store, const char *uri)
{
    static const char scheme[] = "qseal:";
    const char *role = uri + sizeof(scheme) - 1;
    if (strncasecmp(uri, scheme, sizeof(scheme) - 1) != 0 || !name_is_valid(span_of_text(role))) {
        return false;
    }
    (void)snprintf(store->role, sizeof(store->role), "%s", role);
    return true;
}

static int store_close(void *context)
{
    struct store *store = context;
    key_drop(store->key);
    pem_reset(&store->pem);
    qseal_answer_free(&store->answer);
    free(store);
    return 1;
}

static void *store_open(void *data, const char *uri)
{
    const struct provider *provider = data;
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return NULL;
    }
    store->provider = provider;
    bool good = false;
    if (!read_uri(store, uri)) {
        error_raise(provider, REASON_URI, "the URI is not qseal: and the name of a role");
    } else if (provider->complaint[0] != '\0') {
        error_raise(provider, REASON_SETTING, "%s", provider->complaint);
    } else {
        good = fetch_key(store);
    }
    if (!good) {
        (void)store_close(store);
        return NULL;
    }
    fetch_certificates(store);
    return store;
}

static int store_set(void *context, const OSSL_PARAM *params)
{
    struct store *store = context;
    const OSSL_PARAM *expect = param_find_const(params, OSSL_STORE_PARAM_EXPECT);
    return expect == NULL || param_get_int(expect, &store->expect);
}

static const OSSL_PARAM *store_settable(void *provider)
{
    static const OSSL_PARAM list[] = {PARAM_KIND(OSSL_STORE_PARAM_EXPECT, OSSL_PARAM_INTEGER),
                                      PARAM_LAST};
    (void)provider;
    return list;
}

static int give_certificate(struct store *store, OSSL_CALLBACK *callback, void *argument)
{
    int type = OSSL_OBJECT_CERT;
    const OSSL_PARAM list[] = {
        param_of_int(OSSL_OBJECT_PARAM_TYPE, &type),
        param_of_bytes(OSSL_OBJECT_PARAM_DATA, store->pem.der, store->pem.der_len),
        param_end(),
    };
    int taken = callback(list, argument);
    (void)next_block(&store->rest, PEM_CERTIFICATE, &store->pem);
    return taken;
}

static int store_load(void *context, OSSL_CALLBACK *callback, void *argument,
                      OSSL_PASSPHRASE_CALLBACK *passphrase, void *passphrase_argument)
{
    struct store *store = context;
    (void)passphrase;
    (void)passphrase_argument;
    if (store->key != NULL) {
        struct key *key = store->key;
        store->key = NULL;
        return decoder_give(key, callback, argument);
    }
    return store->pem.der != NULL && give_certificate(store, callback, argument);
}

/* What is not expected is skipped here: libcrypto would take an unexpected object for an error. */
static int store_eof(void *context)
{
    struct store *store = context;
    if (store->expect != 0 && store->expect != OSSL_STORE_INFO_PKEY) {
        key_drop(store->key);
        store->key = NULL;
    }
    if (store->expect != 0 && store->expect != OSSL_STORE_INFO_CERT) {
        pem_reset(&store->pem);
    }
    return store->key == NULL && store->pem.der == NULL;
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        (id), (void (*)(void))(function)                                                           \
    }

static const OSSL_DISPATCH functions[] = {
    FUNCTION(OSSL_FUNC_STORE_OPEN, store_open),
    FUNCTION(OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, store_settable),
    FUNCTION(OSSL_FUNC_STORE_SET_CTX_PARAMS, store_set),
    FUNCTION(OSSL_FUNC_STORE_LOAD, store_load),
    FUNCTION(OSSL_FUNC_STORE_EOF, store_eof),
    FUNCTION(OSSL_FUNC_STORE_CLOSE, store_close),
    {0, NULL}};

const OSSL_ALGORITHM *store_algorithms(void)
{
    static const OSSL_ALGORITHM list[] = {
        {"qseal", "provider=qseal", functions, "keys of the qseal signing service"},
        {NULL, NULL, NULL, NULL}};
    return list;
}
