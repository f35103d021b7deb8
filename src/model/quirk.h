/* SPDX-License-Identifier: Apache-2.0
 * In what tokens differ from each other, as far as the code under src/pkcs11 meets it and works
 * round it. */
#ifndef QSEAL_MODEL_QUIRK_H
#define QSEAL_MODEL_QUIRK_H

enum quirk {
    QUIRK_LOGIN_NOT_REQUIRED,
    QUIRK_NO_RAW_RSA,
    QUIRK_NO_RAW_ECDSA,
    QUIRK_FEW_SESSIONS,
    QUIRK_MODIFIABLE_REFUSED,
    QUIRK_MODIFIABLE_IGNORED,
    QUIRK_ALLOWED_REFUSED,
    QUIRK_ALLOWED_IGNORED,
    QUIRK_CURVE_BY_OID,
    QUIRK_BARE_POINT,
    QUIRK_ALWAYS_AUTHENTICATE,
    QUIRK_COPY_REFUSED,
    QUIRK_SHORT_MESSAGES,
    QUIRK_LOGIN_LOST,
};
enum { QUIRK_COUNT = QUIRK_LOGIN_LOST + 1 };

/* For programs: "no-raw-ecdsa". */
const char *quirk_name(enum quirk quirk);
/* For people: a sentence that says what the token does, and what follows from it. */
const char *quirk_text(enum quirk quirk);

#endif
