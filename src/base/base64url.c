/* SPDX-License-Identifier: Apache-2.0
 * base64url, strict in both directions. */
#include "base/base64url.h"

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char plain_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64url_encoded_len(size_t len)
{
    return len / 3 * 4 + (len % 3 == 0 ? 0 : len % 3 + 1);
}

static void encode(struct buffer *out, struct span bytes, const char *alphabet)
{
    uint8_t *at = buffer_extend(out, base64url_encoded_len(bytes.len));
    if (at == NULL) {
        return;
    }
    size_t i = 0;
    for (; i + 2 < bytes.len; i += 3) {
        uint32_t group =
            (uint32_t)bytes.data[i] << 16 | (uint32_t)bytes.data[i + 1] << 8 | bytes.data[i + 2];
        *at++ = (uint8_t)alphabet[group >> 18];
        *at++ = (uint8_t)alphabet[group >> 12 & 63];
        *at++ = (uint8_t)alphabet[group >> 6 & 63];
        *at++ = (uint8_t)alphabet[group & 63];
    }
    size_t left = bytes.len - i;
    if (left > 0) {
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left == 2 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        *at++ = (uint8_t)alphabet[group >> 18];
        *at++ = (uint8_t)alphabet[group >> 12 & 63];
        if (left == 2) {
            *at = (uint8_t)alphabet[group >> 6 & 63];
        }
    }
}

void base64url_encode(struct buffer *out, struct span bytes)
{
    encode(out, bytes, url_alphabet);
}

void base64_encode(struct buffer *out, struct span bytes)
{
    encode(out, bytes, plain_alphabet);
    for (size_t i = bytes.len % 3; i % 3 != 0; i++) {
        buffer_put_u8(out, '=');
    }
}

static int digit_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '-') {
        return 62;
    }
    return c == '_' ? 63 : -1;
}

bool base64url_decode(struct buffer *out, struct span text)
{
    if (text.len % 4 == 1) {
        return false;
    }
    size_t start = out->len;
    uint8_t *at = buffer_extend(out, text.len / 4 * 3 + (text.len % 4 == 0 ? 0 : text.len % 4 - 1));
    if (at == NULL) {
        return false;
    }
    uint32_t bits = 0;
    unsigned int have = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit_value(text.data[i]);
        if (value < 0) {
            buffer_cut(out, start);
            return false;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFFFU;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *at++ = (uint8_t)(bits >> have);
        }
    }
    if ((bits & ((1U << have) - 1)) != 0) {
        buffer_cut(out, start);
        return false;
    }
    return true;
}
