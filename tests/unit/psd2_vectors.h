/* SPDX-License-Identifier: Apache-2.0
 * qcStatements, byte for byte. */
#ifndef QSEAL_TESTS_UNIT_PSD2_VECTORS_H
#define QSEAL_TESTS_UNIT_PSD2_VECTORS_H

#include "base/span.h"

#include <stdlib.h>

/* Decoded from certificates in use; the first two are as TS 119 495 says. */
static const char web_ai[] =
    "305b3013060604008e4601063009060704008e4601060330440606040081982702303a301330110607040081982701"
    "030c065053505f41490c1b46696e616e6369616c20436f6e6475637420417574686f726974790c0647422d464341";
static const char web_pi_ai[] =
    "306e3013060604008e4601063009060704008e4601060330570606040081982702304d302630110607040081982701"
    "020c065053505f504930110607040081982701030c065053505f41490c1b46696e616e6369616c20436f6e64756374"
    "20417574686f726974790c0647422d464341";
/* Both roles in one RoleOfPSP. */
static const char eseal_flattened[] = "306c3013060604008e4601063009060704008e4601060230550606040081"
                                      "982702304b30243022060704008198270102"
                                      "0c065053505f504906070400819827"
                                      "01030c065053505f41490c1b46696e616e6369616c20436f6e6475637420"
                                      "417574686f726974790c0647422d464341";

static inline struct span from_hex(const char *hex, uint8_t out[512])
{
    size_t len = 0;
    for (const char *at = hex; *at != '\0'; at++) {
        if (*at == ' ') {
            continue;
        }
        const char digits[] = {at[0], at[1], '\0'};
        out[len++] = (uint8_t)strtoul(digits, NULL, 16);
        at++;
    }
    return span_of(out, len);
}

#endif
