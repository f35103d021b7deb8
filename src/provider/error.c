/* SPDX-License-Identifier: Apache-2.0
 * The reasons and their texts. */
#include "provider/error.h"

#include <stdarg.h>
#include <stdio.h>

static const OSSL_ITEM reasons[] = {
    {REASON_NOT_GRANTED, "transport key not granted to this user"},
    {REASON_UNREACHABLE, "signing service unreachable"},
    {REASON_TIMEOUT, "signing service timed out"},
    {REASON_REFUSED, "signing service refused"},
    {REASON_NO_KEY, "no such transport key at the signing service"},
    {REASON_BUSY, "signing service busy or its token is down"},
    {REASON_PROTOCOL, "unexpected answer of the signing service"},
    {REASON_SCHEME, "signature scheme not possible with this key"},
    {REASON_BARE_DIGEST, "a bare digest is never signed"},
    {REASON_ONE_SHOT, "content is signed in one shot only"},
    {REASON_PRIVATE, "private key stays in the HSM"},
    {REASON_REFERENCE, "key reference is damaged"},
    {REASON_SETTING, "bad setting of qseal in openssl.cnf"},
    {REASON_URI, "not a URI of the form qseal:ROLE"},
    {REASON_TOO_LONG, "content too long"},
    {REASON_MEMORY, "out of memory"},
    {0, NULL},
};

const OSSL_ITEM *error_reasons(void *provider)
{
    (void)provider;
    return reasons;
}

static void vset(const struct provider *provider, enum error_reason reason, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    provider->vset_error(provider->handle, reason, format, list);
    va_end(list);
}

void error_raise(const struct provider *provider, enum error_reason reason, const char *format, ...)
{
    char text[640];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    provider->new_error(provider->handle);
    provider->set_error_debug(provider->handle, "qseal", 0, "");
    vset(provider, reason, "qseal: %s", text);
}

static enum error_reason reason_of_status(unsigned int status)
{
    switch (status) {
    case 403:
        return REASON_NOT_GRANTED;
    case 404:
        return REASON_NO_KEY;
    case 429:
    case 503:
    case 504:
        return REASON_BUSY;
    default:
        return REASON_REFUSED;
    }
}

static enum error_reason reason_of(enum qseal_result result, unsigned int status)
{
    switch (result) {
    case QSEAL_UNREACHABLE:
        return REASON_UNREACHABLE;
    case QSEAL_TIMEOUT:
        return REASON_TIMEOUT;
    case QSEAL_REFUSED:
        return reason_of_status(status);
    case QSEAL_INVALID:
        return REASON_SETTING;
    case QSEAL_MEMORY:
        return REASON_MEMORY;
    case QSEAL_OK:
    case QSEAL_PROTOCOL:
        break;
    }
    return REASON_PROTOCOL;
}

void error_raise_answer(const struct provider *provider, enum qseal_result result,
                        const struct qseal_answer *answer)
{
    error_raise(provider, reason_of(result, answer->status), "%s", answer->error);
}
