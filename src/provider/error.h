/* SPDX-License-Identifier: Apache-2.0
 * Errors on OpenSSL's queue. Many programs show the reason alone, so that it must be enough; the
 * data text says the particulars, with the service's own words. */
#ifndef QSEAL_PROVIDER_ERROR_H
#define QSEAL_PROVIDER_ERROR_H

#include "base/attributes.h"
#include "provider/provider.h"

/* Values appear in error codes: add at the end. */
enum error_reason {
    REASON_NOT_GRANTED = 1,
    REASON_UNREACHABLE,
    REASON_TIMEOUT,
    REASON_REFUSED,
    REASON_NO_KEY,
    REASON_BUSY,
    REASON_PROTOCOL,
    REASON_SCHEME,
    REASON_BARE_DIGEST,
    REASON_ONE_SHOT,
    REASON_PRIVATE,
    REASON_REFERENCE,
    REASON_SETTING,
    REASON_URI,
    REASON_TOO_LONG,
    REASON_MEMORY,
};

/* Raises; the text gets "qseal: " in front. */
void error_raise(const struct provider *provider, enum error_reason reason, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Raises what a failed call of libqseal means. */
void error_raise_answer(const struct provider *provider, enum qseal_result result,
                        const struct qseal_answer *answer);
/* For OSSL_FUNC_PROVIDER_GET_REASON_STRINGS. */
const OSSL_ITEM *error_reasons(void *provider);

#endif
