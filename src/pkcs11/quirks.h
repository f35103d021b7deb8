/* SPDX-License-Identifier: Apache-2.0
 * What was noticed of a token's quirks in the course of the work; nothing is tried for their sake.
 * Noted by all threads. */
#ifndef QSEAL_PKCS11_QUIRKS_H
#define QSEAL_PKCS11_QUIRKS_H

#include "model/quirk.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Bit (1 << enum quirk). */
struct quirks {
    atomic_uint_least32_t looked; /* it would have shown */
    atomic_uint_least32_t found;  /* and did, at least once */
};

/* Accepts NULL: nobody wants to know. */
void quirk_note(struct quirks *quirks, enum quirk quirk, bool found);

#endif
