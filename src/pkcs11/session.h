/* SPDX-License-Identifier: Apache-2.0
 * One PKCS#11 session, used by one thread at a time. */
#ifndef QSEAL_PKCS11_SESSION_H
#define QSEAL_PKCS11_SESSION_H

#include "pkcs11/quirks.h"

#include <p11-kit/pkcs11.h>

struct session {
    CK_FUNCTION_LIST *calls;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE handle;
    struct quirks *quirks; /* borrowed; NULL: what is noticed is not kept */
    CK_RV rv;              /* of the call that failed last, for rv_class(); CKR_OK before any */
};

#endif
