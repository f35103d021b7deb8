/* SPDX-License-Identifier: Apache-2.0
 * base64url without padding (RFC 4648 §5 as RFC 7515 §2 uses it), and plain base64 for x5c (RFC
 * 7517 §4.7). */
#ifndef QSEAL_BASE_BASE64URL_H
#define QSEAL_BASE_BASE64URL_H

#include "base/attributes.h"
#include "base/buffer.h"

/* Characters that `len` bytes become. */
size_t base64url_encoded_len(size_t len);
void base64url_encode(struct buffer *out, struct span bytes);
/* Strict: no padding, no other alphabet, no white space, and the unused trailing bits are zero; so
 * each byte string has one spelling only. False, with nothing appended, when the text is none. */
bool base64url_decode(struct buffer *out, struct span text) MUST_USE;
/* Standard alphabet with padding, and as strict. */
void base64_encode(struct buffer *out, struct span bytes);
bool base64_decode(struct buffer *out, struct span text) MUST_USE;

#endif
