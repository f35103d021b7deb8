/* SPDX-License-Identifier: Apache-2.0
 * OSSL_PARAM (core.h) by its layout: what libcrypto's own functions would do. Setting a parameter
 * that is not in the list is no error; setting one whose type or room does not fit is. */
#ifndef QSEAL_PROVIDER_PARAM_H
#define QSEAL_PROVIDER_PARAM_H

#include "base/attributes.h"
#include "base/span.h"

#include <openssl/core.h>
#include <stdbool.h>

/* NULL when it is not there. */
OSSL_PARAM *param_find(OSSL_PARAM *list, const char *name);
const OSSL_PARAM *param_find_const(const OSSL_PARAM *list, const char *name);

bool param_set_int(OSSL_PARAM *list, const char *name, int value) MUST_USE;
bool param_set_size(OSSL_PARAM *list, const char *name, size_t value) MUST_USE;
bool param_set_text(OSSL_PARAM *list, const char *name, const char *text) MUST_USE;
bool param_set_bytes(OSSL_PARAM *list, const char *name, struct span bytes) MUST_USE;
/* A big-endian magnitude, as a native unsigned integer. */
bool param_set_number(OSSL_PARAM *list, const char *name, struct span magnitude) MUST_USE;

/* A text's characters; a NUL inside ends it. */
bool param_get_text(const OSSL_PARAM *param, struct span *out) MUST_USE;
bool param_get_int(const OSSL_PARAM *param, int *out) MUST_USE;

/* Makers for lists of our own. The data is borrowed, not const because OSSL_PARAM is not. */
OSSL_PARAM param_of_text(const char *name, const char *text);
OSSL_PARAM param_of_bytes(const char *name, const void *data, size_t len);
OSSL_PARAM param_of_int(const char *name, int *value);
OSSL_PARAM param_end(void);
/* For lists of what may be asked: no data. */
#define PARAM_KIND(name, type)                                                                     \
    {                                                                                              \
        (name), (type), NULL, 0, PARAM_UNMODIFIED                                                  \
    }
#define PARAM_UNMODIFIED ((size_t)-1)
#define PARAM_LAST                                                                                 \
    {                                                                                              \
        NULL, 0, NULL, 0, 0                                                                        \
    }

#endif
