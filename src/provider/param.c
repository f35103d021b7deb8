/* SPDX-License-Identifier: Apache-2.0
 * Lists that end with a null key. */
#include "provider/param.h"

#include <limits.h>
#include <string.h>

OSSL_PARAM *param_find(OSSL_PARAM *list, const char *name)
{
    for (; list != NULL && list->key != NULL; list++) {
        if (strcmp(list->key, name) == 0) {
            return list;
        }
    }
    return NULL;
}

const OSSL_PARAM *param_find_const(const OSSL_PARAM *list, const char *name)
{
    for (; list != NULL && list->key != NULL; list++) {
        if (strcmp(list->key, name) == 0) {
            return list;
        }
    }
    return NULL;
}

bool param_set_size(OSSL_PARAM *list, const char *name, size_t value)
{
    OSSL_PARAM *param = param_find(list, name);
    if (param == NULL) {
        return true;
    }
    if (param->data_type != OSSL_PARAM_INTEGER && param->data_type != OSSL_PARAM_UNSIGNED_INTEGER) {
        return false;
    }
    uint32_t narrow = (uint32_t)value;
    uint64_t wide = value;
    param->return_size = sizeof(narrow);
    if (param->data == NULL) {
        return true;
    }
    if (value > INT_MAX) {
        return false;
    }
    if (param->data_size == sizeof(narrow)) {
        memcpy(param->data, &narrow, sizeof(narrow));
    } else if (param->data_size == sizeof(wide)) {
        memcpy(param->data, &wide, sizeof(wide));
        param->return_size = sizeof(wide);
    } else {
        return false;
    }
    return true;
}

bool param_set_int(OSSL_PARAM *list, const char *name, int value)
{
    return value >= 0 && param_set_size(list, name, (size_t)value);
}

static bool set_data(OSSL_PARAM *param, struct span bytes)
{
    param->return_size = bytes.len;
    if (param->data == NULL) {
        return true;
    }
    if (param->data_size < bytes.len) {
        return false;
    }
    if (bytes.len > 0) {
        memcpy(param->data, bytes.data, bytes.len);
    }
    return true;
}

bool param_set_text(OSSL_PARAM *list, const char *name, const char *text)
{
    OSSL_PARAM *param = param_find(list, name);
    if (param == NULL) {
        return true;
    }
    if (param->data_type != OSSL_PARAM_UTF8_STRING || !set_data(param, span_of_text(text))) {
        return false;
    }
    if (param->data != NULL && param->data_size > param->return_size) {
        ((char *)param->data)[param->return_size] = '\0';
    }
    return true;
}

bool param_set_bytes(OSSL_PARAM *list, const char *name, struct span bytes)
{
    OSSL_PARAM *param = param_find(list, name);
    return param == NULL || (param->data_type == OSSL_PARAM_OCTET_STRING && set_data(param, bytes));
}

bool param_set_number(OSSL_PARAM *list, const char *name, struct span magnitude)
{
    OSSL_PARAM *param = param_find(list, name);
    if (param == NULL) {
        return true;
    }
    if (param->data_type != OSSL_PARAM_UNSIGNED_INTEGER) {
        return false;
    }
    param->return_size = magnitude.len;
    if (param->data == NULL) {
        return true;
    }
    if (param->data_size < magnitude.len) {
        return false;
    }
    uint8_t *out = param->data;
    param->return_size = param->data_size;
    memset(out, 0, param->data_size);
    for (size_t i = 0; i < magnitude.len; i++) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        out[i] = magnitude.data[magnitude.len - 1 - i];
#else
        out[param->data_size - magnitude.len + i] = magnitude.data[i];
#endif
    }
    return true;
}

bool param_get_text(const OSSL_PARAM *param, struct span *out)
{
    if (param->data_type == OSSL_PARAM_UTF8_STRING) {
        *out = span_of(param->data, param->data_size);
    } else if (param->data_type == OSSL_PARAM_UTF8_PTR && param->data != NULL) {
        const char *text;
        memcpy(&text, param->data, sizeof(text));
        *out = span_of_text(text);
    } else {
        return false;
    }
    if (out->data == NULL) {
        return false;
    }
    out->len = span_find(*out, '\0');
    return true;
}

bool param_get_int(const OSSL_PARAM *param, int *out)
{
    int64_t value = 0;
    int32_t narrow;
    if (param->data == NULL || (param->data_type != OSSL_PARAM_INTEGER &&
                                param->data_type != OSSL_PARAM_UNSIGNED_INTEGER)) {
        return false;
    }
    if (param->data_size == sizeof(narrow)) {
        memcpy(&narrow, param->data, sizeof(narrow));
        value = narrow;
    } else if (param->data_size == sizeof(value)) {
        memcpy(&value, param->data, sizeof(value));
    } else {
        return false;
    }
    *out = (int)value;
    return value >= INT_MIN && value <= INT_MAX;
}

/* OSSL_PARAM has one pointer for reading and for writing; libcrypto only reads these. */
static void *borrowed(const void *data)
{
    union {
        const void *in;
        void *out;
    } cast = {.in = data};
    return cast.out;
}

OSSL_PARAM param_of_text(const char *name, const char *text)
{
    return (OSSL_PARAM){name, OSSL_PARAM_UTF8_STRING, borrowed(text), strlen(text),
                        PARAM_UNMODIFIED};
}

OSSL_PARAM param_of_bytes(const char *name, const void *data, size_t len)
{
    return (OSSL_PARAM){name, OSSL_PARAM_OCTET_STRING, borrowed(data), len, PARAM_UNMODIFIED};
}

OSSL_PARAM param_of_int(const char *name, int *value)
{
    return (OSSL_PARAM){name, OSSL_PARAM_INTEGER, value, sizeof(*value), PARAM_UNMODIFIED};
}

OSSL_PARAM param_end(void)
{
    return (OSSL_PARAM){NULL, 0, NULL, 0, 0};
}
