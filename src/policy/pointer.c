/* SPDX-License-Identifier: Apache-2.0
 * JSON pointers for answers. */
#include "policy/pointer.h"

#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 character that starts here; the text is valid. */
static size_t character_len(const char *at)
{
    size_t len = 1;
    while (((unsigned char)at[len] & 0xc0) == 0x80) {
        len++;
    }
    return len;
}

bool pointer_step(char out[REASON_CLAIM_SIZE], const char *base, const char *step)
{
    size_t len = strlen(base);
    if (len + 2 > REASON_CLAIM_SIZE) {
        (void)snprintf(out, REASON_CLAIM_SIZE, "%s", base);
        return false;
    }
    memcpy(out, base, len);
    out[len++] = '/';
    while (*step != '\0') {
        size_t take = character_len(step);
        bool escaped = *step == '~' || *step == '/';
        if (len + take + (escaped ? 1 : 0) + 1 > REASON_CLAIM_SIZE) {
            out[len] = '\0';
            return false;
        }
        if (escaped) {
            out[len++] = '~';
            out[len++] = *step == '~' ? '0' : '1';
        } else {
            memcpy(out + len, step, take);
            len += take;
        }
        step += take;
    }
    out[len] = '\0';
    return true;
}
