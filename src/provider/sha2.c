/* SPDX-License-Identifier: Apache-2.0
 * The frame around the block functions: what is collected, how a message is padded. */
#include "provider/sha2.h"

#include <string.h>

void sha2_init(struct sha2 *sha, enum sha2_kind kind, struct sha2_speed speed)
{
    static const uint32_t initial256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static const uint64_t initial384[8] = {
        0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
        0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};
    sha->speed = speed;
    sha->kind = kind;
    sha->len = 0;
    if (kind == SHA2_256) {
        memcpy(sha->state.w32, initial256, sizeof(initial256));
    } else {
        memcpy(sha->state.w64, initial384, sizeof(initial384));
    }
}

size_t sha2_size(enum sha2_kind kind)
{
    return kind == SHA2_256 ? SHA256_SIZE : SHA384_SIZE;
}

size_t sha2_block(enum sha2_kind kind)
{
    return kind == SHA2_256 ? SHA256_BLOCK : SHA512_BLOCK;
}

static void run(struct sha2 *sha, const uint8_t *data, size_t blocks)
{
    if (sha->kind == SHA2_256) {
        sha->speed.blocks256(sha->state.w32, data, blocks);
    } else {
        sha->speed.blocks512(sha->state.w64, data, blocks);
    }
}

void sha2_update(struct sha2 *sha, struct span bytes)
{
    size_t block = sha2_block(sha->kind);
    size_t had = (size_t)(sha->len % block);
    sha->len += bytes.len;
    if (had > 0) {
        size_t more = bytes.len < block - had ? bytes.len : block - had;
        if (more > 0) {
            memcpy(sha->part + had, bytes.data, more);
        }
        bytes = span_part(bytes, more, bytes.len);
        if (had + more < block) {
            return;
        }
        run(sha, sha->part, 1);
    }
    size_t whole = bytes.len / block;
    if (whole > 0) {
        run(sha, bytes.data, whole);
    }
    bytes = span_part(bytes, whole * block, bytes.len);
    if (bytes.len > 0) {
        memcpy(sha->part, bytes.data, bytes.len);
    }
}

static void put_big_endian(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

void sha2_final(struct sha2 *sha, uint8_t *out)
{
    size_t block = sha2_block(sha->kind);
    size_t length_size = block / 8;
    size_t had = (size_t)(sha->len % block);
    sha->part[had++] = 0x80;
    if (had > block - length_size) {
        memset(sha->part + had, 0, block - had);
        run(sha, sha->part, 1);
        had = 0;
    }
    memset(sha->part + had, 0, block - had);
    put_big_endian(sha->part + block - 8, sha->len << 3, 8);
    if (sha->kind == SHA2_384) {
        sha->part[block - 9] = (uint8_t)(sha->len >> 61);
    }
    run(sha, sha->part, 1);
    for (size_t i = 0; i < sha2_size(sha->kind) / (block / 16); i++) {
        if (sha->kind == SHA2_256) {
            put_big_endian(out + 4 * i, sha->state.w32[i], 4);
        } else {
            put_big_endian(out + 8 * i, sha->state.w64[i], 8);
        }
    }
}
