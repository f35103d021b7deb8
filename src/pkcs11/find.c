/* SPDX-License-Identifier: Apache-2.0
 * Searching a token. Used when a key is first met, never per signature. */
#include "pkcs11/find.h"

#include "base/log.h"

/* PKCS#11 templates are not const, although nothing writes to them here. */
#define UNCONST(pointer) ((void *)(uintptr_t)(pointer))

enum { FOUND_MAX = 2 };

/* A module that says it wrote more than there was room for has written over something, or lies. */
static bool makes_no_sense(struct session *session, const char *call, size_t said, size_t room)
{
    log_error("%s: the module says %zu where there was room for %zu", call, said, room);
    session->rv = CKR_DEVICE_ERROR;
    return false;
}

static bool search(struct session *session, CK_ATTRIBUTE *template, CK_ULONG n_template,
                   CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *n)
{
    *n = 0;
    session->rv = session->calls->C_FindObjectsInit(session->handle, template, n_template);
    if (session->rv != CKR_OK) {
        return false;
    }
    session->rv = session->calls->C_FindObjects(session->handle, out, max, n);
    CK_RV ended = session->calls->C_FindObjectsFinal(session->handle);
    if (session->rv != CKR_OK || ended != CKR_OK) {
        session->rv = session->rv == CKR_OK ? ended : session->rv;
        return false;
    }
    return *n <= max || makes_no_sense(session, "C_FindObjects", *n, max);
}

bool find_by_id(struct session *session, CK_OBJECT_CLASS class, struct span id,
                CK_OBJECT_HANDLE *out, unsigned int *n)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_ID, UNCONST(id.data), id.len},
    };
    CK_OBJECT_HANDLE found[FOUND_MAX] = {0};
    CK_ULONG count = 0;
    if (!search(session, template, COUNT_OF(template), found, FOUND_MAX, &count)) {
        return false;
    }
    *out = found[0];
    *n = (unsigned int)count;
    return true;
}

bool find_all(struct session *session, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out, size_t max,
              size_t *n)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG count = 0;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_TOKEN, &yes, sizeof yes},
    };
    bool good = search(session, template, COUNT_OF(template), out, max, &count);
    *n = good ? count : 0;
    return good;
}

bool find_bytes(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *out,
                size_t size, size_t *len)
{
    CK_ATTRIBUTE attribute = {type, out, size};
    CK_RV rv = session->calls->C_GetAttributeValue(session->handle, object, &attribute, 1);
    *len = 0;
    if (rv == CKR_ATTRIBUTE_TYPE_INVALID) {
        return true;
    }
    if (rv != CKR_OK) {
        session->rv = rv;
        return false;
    }
    if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
        return true;
    }
    if (attribute.ulValueLen > size) {
        return makes_no_sense(session, "C_GetAttributeValue", attribute.ulValueLen, size);
    }
    *len = attribute.ulValueLen;
    return true;
}

bool find_flag(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
               enum find_flag *out)
{
    CK_BBOOL value = CK_FALSE;
    size_t len = 0;
    if (!find_bytes(session, object, type, &value, sizeof value, &len)) {
        return false;
    }
    *out = len == 0 ? FIND_ABSENT : value == CK_FALSE ? FIND_FALSE : FIND_TRUE;
    return true;
}

bool find_number(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 CK_ULONG *out)
{
    size_t len = 0;
    CK_ULONG value = 0;
    *out = CK_UNAVAILABLE_INFORMATION;
    if (!find_bytes(session, object, type, &value, sizeof value, &len)) {
        return false;
    }
    if (len != 0 && len != sizeof value) {
        return makes_no_sense(session, "C_GetAttributeValue of a number", len, sizeof value);
    }
    *out = len == 0 ? CK_UNAVAILABLE_INFORMATION : value;
    return true;
}
