/* SPDX-License-Identifier: Apache-2.0
 * Random bytes and UUIDs. Kernel bytes are fetched by the half kilobyte, per thread, because a UUID
 * per signature would otherwise be a system call per signature. */
#include "base/random.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { UUID_BYTES = 16, POOL_BYTES = 512 };

void random_bytes(void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0) {
            perror("getrandom");
            abort();
        }
        at += got;
        len -= (size_t)got;
    }
}

/* Bytes leave the pool once and are wiped as they leave. The rooms never fork after they have
 * started threads. */
static void pool_take(uint8_t out[UUID_BYTES])
{
    static _Thread_local uint8_t pool[POOL_BYTES];
    static _Thread_local size_t left;
    if (left == 0) {
        random_bytes(pool, sizeof pool);
        left = sizeof pool;
    }
    left -= UUID_BYTES;
    memcpy(out, pool + left, UUID_BYTES);
    explicit_bzero(pool + left, UUID_BYTES);
}

void random_uuid(char out[UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t b[UUID_BYTES];
    pool_take(b);
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40); /* version 4 */
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80); /* variant 10 */
    char *at = out;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        *at++ = hex[b[i] >> 4];
        *at++ = hex[b[i] & 0x0F];
    }
    *at = '\0';
}

bool uuid_is_valid(struct span text)
{
    if (text.len != UUID_TEXT_LEN) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.data[i] != '-' : !isxdigit(text.data[i])) {
            return false;
        }
    }
    return true;
}
