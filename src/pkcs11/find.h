/* SPDX-License-Identifier: Apache-2.0
 * Objects by class and CKA_ID, and single attributes of them. */
#ifndef QSEAL_PKCS11_FIND_H
#define QSEAL_PKCS11_FIND_H

#include "base/attributes.h"
#include "base/span.h"
#include "pkcs11/session.h"

/* Token objects (never session copies) of this class with this CKA_ID: how many there are, at most
 * two; the first one in *out. False, with session->rv set, when the token fails. */
bool find_by_id(struct session *session, CK_OBJECT_CLASS class, struct span id,
                CK_OBJECT_HANDLE *out, unsigned int *n) MUST_USE;
/* All of this class, but no more than `max`. */
bool find_all(struct session *session, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out, size_t max,
              size_t *n) MUST_USE;

enum find_flag { FIND_FALSE, FIND_TRUE, FIND_ABSENT };
bool find_flag(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
               enum find_flag *out) MUST_USE;
/* The bytes of an attribute; *len is 0 when the object has none. An attribute longer than `size` is
 * a failure; so is a module that says CKR_OK and a length that cannot be: CKR_DEVICE_ERROR. */
bool find_bytes(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *out,
                size_t size, size_t *len) MUST_USE;
bool find_number(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 CK_ULONG *out) MUST_USE;

#endif
