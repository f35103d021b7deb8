/* SPDX-License-Identifier: Apache-2.0
 * SHA-256 and SHA-384 (FIPS 180-4) without libcrypto: for thumbprints, and for the tap, through
 * which all of a process's SHA-256 and SHA-384 goes. */
#ifndef QSEAL_PROVIDER_SHA2_H
#define QSEAL_PROVIDER_SHA2_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA384_SIZE = 48, SHA256_BLOCK = 64, SHA512_BLOCK = 128 };

enum sha2_kind { SHA2_256, SHA2_384 };

/* The fastest block functions for this processor, found once by sha2_speed(). */
struct sha2_speed {
    void (*blocks256)(uint32_t state[8], const uint8_t *data, size_t blocks);
    void (*blocks512)(uint64_t state[8], const uint8_t *data, size_t blocks);
};

struct sha2_speed sha2_speed(void);
/* The portable ones, for any processor and for tests against the fast ones. */
struct sha2_speed sha2_portable(void);

struct sha2 {
    struct sha2_speed speed;
    enum sha2_kind kind;
    union {
        uint32_t w32[8];
        uint64_t w64[8];
    } state;
    uint64_t len; /* bytes hashed */
    uint8_t part[SHA512_BLOCK];
};

void sha2_init(struct sha2 *sha, enum sha2_kind kind, struct sha2_speed speed);
void sha2_update(struct sha2 *sha, struct span bytes);
/* Writes sha2_size() bytes; the state is used up. */
void sha2_final(struct sha2 *sha, uint8_t *out);
size_t sha2_size(enum sha2_kind kind);
size_t sha2_block(enum sha2_kind kind);

#endif
