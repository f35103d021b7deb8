/* SPDX-License-Identifier: Apache-2.0
 * Notes of quirks. */
#include "pkcs11/quirks.h"

#include <stddef.h>

void quirk_note(struct quirks *quirks, enum quirk quirk, bool found)
{
    if (quirks == NULL) {
        return;
    }
    (void)atomic_fetch_or_explicit(&quirks->looked, 1U << quirk, memory_order_relaxed);
    if (found) {
        (void)atomic_fetch_or_explicit(&quirks->found, 1U << quirk, memory_order_relaxed);
    }
}
