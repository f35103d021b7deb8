/* SPDX-License-Identifier: Apache-2.0
 * qseal.so: the door from libcrypto, and the settings. */
#include "provider/provider.h"

#include "base/attributes.h"
#include "provider/decoder.h"
#include "provider/digest.h"
#include "provider/error.h"
#include "provider/keymgmt.h"
#include "provider/param.h"
#include "provider/signature.h"
#include "provider/store.h"
#include "provider/transcript.h"

#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

OSSL_provider_init_fn OSSL_provider_init;

struct settings {
    char *socket;
    char *timeout_ms;
    char *transcript;
};

static void complain(struct provider *provider, const char *text)
{
    if (provider->complaint[0] == '\0') {
        (void)snprintf(provider->complaint, sizeof(provider->complaint), "%s", text);
    }
}

static void set_socket(struct provider *provider, const char *text)
{
    size_t len = strlen(text);
    if (text[0] != '/' || len >= sizeof(provider->socket)) {
        complain(provider, "socket is no absolute path of at most 107 bytes");
        return;
    }
    memcpy(provider->socket, text, len + 1);
}

static void set_timeout(struct provider *provider, const char *text)
{
    unsigned int value = 0;
    for (const char *at = text; *at != '\0' && value <= QSEAL_MAX_TIMEOUT_MS; at++) {
        value = *at < '0' || *at > '9' ? QSEAL_MAX_TIMEOUT_MS + 1
                                       : value * 10 + (unsigned int)(*at - '0');
    }
    if (value == 0 || value > QSEAL_MAX_TIMEOUT_MS) {
        complain(provider, "timeout_ms is no number from 1 to 600000");
        return;
    }
    provider->timeout_ms = value;
}

static void set_transcript(struct provider *provider, const char *text)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
        complain(provider, "transcript is neither 0 nor 1");
        return;
    }
    provider->transcript = text[0] == '1' && transcript_open(&provider->shelf);
    if (text[0] == '1' && !provider->transcript) {
        complain(provider,
                 "transcript = 1 is not possible: the process has no thread-specific key left");
    }
}

/* A wrong setting does not keep the provider from loading, since libcrypto would not tell anybody;
 * the keys say it when they are used. */
static void read_settings(struct provider *provider, OSSL_FUNC_core_get_params_fn *get_params)
{
    struct settings settings = {.socket = NULL};
    OSSL_PARAM list[] = {
        {"socket", OSSL_PARAM_UTF8_PTR, (void *)&settings.socket, sizeof(char *), 0},
        {"timeout_ms", OSSL_PARAM_UTF8_PTR, (void *)&settings.timeout_ms, sizeof(char *), 0},
        {"transcript", OSSL_PARAM_UTF8_PTR, (void *)&settings.transcript, sizeof(char *), 0},
        PARAM_LAST};
    provider->timeout_ms = QSEAL_DEFAULT_TIMEOUT_MS;
    if (get_params == NULL || get_params(provider->handle, list) != 1) {
        return;
    }
    if (settings.socket != NULL) {
        set_socket(provider, settings.socket);
    }
    if (settings.timeout_ms != NULL) {
        set_timeout(provider, settings.timeout_ms);
    }
    if (settings.transcript != NULL) {
        set_transcript(provider, settings.transcript);
    }
}

static const OSSL_ALGORITHM *provider_query(void *data, int operation, int *no_cache)
{
    const struct provider *provider = data;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return keymgmt_algorithms();
    case OSSL_OP_SIGNATURE:
        return signature_algorithms();
    case OSSL_OP_DECODER:
        return decoder_algorithms();
    case OSSL_OP_STORE:
        return store_algorithms();
    case OSSL_OP_DIGEST:
        return provider->transcript ? digest_algorithms() : NULL;
    default:
        return NULL;
    }
}

static const OSSL_PARAM *provider_gettable(void *data)
{
    static const OSSL_PARAM list[] = {PARAM_KIND(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR),
                                      PARAM_KIND(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR),
                                      PARAM_KIND(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR),
                                      PARAM_KIND(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER),
                                      PARAM_LAST};
    (void)data;
    return list;
}

static bool set_pointer(OSSL_PARAM *params, const char *name, const char *text)
{
    OSSL_PARAM *param = param_find(params, name);
    if (param == NULL) {
        return true;
    }
    if (param->data_type != OSSL_PARAM_UTF8_PTR || param->data == NULL) {
        return false;
    }
    memcpy(param->data, &text, sizeof(text));
    param->return_size = strlen(text);
    return true;
}

static int provider_get_params(void *data, OSSL_PARAM *params)
{
    (void)data;
    return set_pointer(params, OSSL_PROV_PARAM_NAME, "qseal transport keys") &&
           set_pointer(params, OSSL_PROV_PARAM_VERSION, QSEAL_VERSION) &&
           set_pointer(params, OSSL_PROV_PARAM_BUILDINFO, QSEAL_VERSION) &&
           param_set_int(params, OSSL_PROV_PARAM_STATUS, 1);
}

static void provider_teardown(void *data)
{
    struct provider *provider = data;
    if (provider->transcript) {
        transcript_close(provider->shelf);
    }
    free(provider);
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        (id), (void (*)(void))(function)                                                           \
    }

static const OSSL_DISPATCH functions[] = {
    FUNCTION(OSSL_FUNC_PROVIDER_TEARDOWN, provider_teardown),
    FUNCTION(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, provider_gettable),
    FUNCTION(OSSL_FUNC_PROVIDER_GET_PARAMS, provider_get_params),
    FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, provider_query),
    FUNCTION(OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, error_reasons),
    {0, NULL}};

/* The upcalls, each by its number; false when one is missing that nothing can do without. */
static bool take_upcalls(struct provider *provider, const OSSL_DISPATCH *in,
                         OSSL_FUNC_core_get_params_fn **get_params)
{
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_GET_PARAMS:
            *get_params = OSSL_FUNC_core_get_params(in);
            break;
        case OSSL_FUNC_CORE_NEW_ERROR:
            provider->new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
            provider->set_error_debug = OSSL_FUNC_core_set_error_debug(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            provider->vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        case OSSL_FUNC_BIO_READ_EX:
            provider->bio_read = OSSL_FUNC_BIO_read_ex(in);
            break;
        case OSSL_FUNC_BIO_GETS:
            provider->bio_gets = OSSL_FUNC_BIO_gets(in);
            break;
        default:
            break;
        }
    }
    return provider->new_error != NULL && provider->set_error_debug != NULL &&
           provider->vset_error != NULL && provider->bio_read != NULL && provider->bio_gets != NULL;
}

__attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE *handle,
                                                              const OSSL_DISPATCH *in,
                                                              const OSSL_DISPATCH **out,
                                                              void **context)
{
    OSSL_FUNC_core_get_params_fn *get_params = NULL;
    struct provider *provider = calloc(1, sizeof(*provider));
    if (provider == NULL) {
        return 0;
    }
    provider->handle = handle;
    if (!take_upcalls(provider, in, &get_params)) {
        free(provider);
        return 0;
    }
    provider->sha = sha2_speed();
    read_settings(provider, get_params);
    *context = provider;
    *out = functions;
    return 1;
}
