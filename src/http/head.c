/* SPDX-License-Identifier: Apache-2.0
 * Request heads, counted and judged. */
#include "http/head.h"

#include "signing/signing.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* tchar (RFC 9110 §5.6.2). Above all: no white space between a name and its colon (RFC 9112 §5.1).
 */
static bool is_token(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!isalnum(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return name.len > 0;
}

static bool is_named(struct span name, const char *wanted)
{
    return strlen(wanted) == name.len &&
           strncasecmp((const char *)name.data, wanted, name.len) == 0;
}

/* Content-Length = 1*DIGIT (RFC 9110 §8.6), so no sign, no list, no white space. */
static bool read_length(struct span value, uint64_t *out)
{
    enum { DIGITS_MAX = 18 };
    if (value.len == 0 || value.len > DIGITS_MAX) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!isdigit(value.data[i])) {
            return false;
        }
        *out = *out * 10 + (uint64_t)(value.data[i] - '0');
    }
    return true;
}

void head_field(struct head *head, struct span name, struct span value)
{
    if (!is_token(name)) {
        head->bad_name = true;
        return;
    }
    if (is_named(name, "Host")) {
        head->hosts++;
        return;
    }
    if (is_named(name, "Content-Length")) {
        head->content_lengths++;
        head->bad_length |= !read_length(value, &head->content_length);
        return;
    }
    if (is_named(name, "Transfer-Encoding")) {
        head->transfer_encodings++;
        head->bad_encoding |= !is_named(value, "chunked");
        return;
    }
    if (is_named(name, "Content-Type")) {
        head->content_types++;
        head->content_type = value;
        return;
    }
    if (is_named(name, "Content-Encoding")) {
        head->encoded = true;
        return;
    }
    if (is_named(name, "x-fapi-interaction-id")) {
        head->interaction_ids++;
        head->interaction_id = value;
        return;
    }
    if (is_named(name, "Qseal-Signature-Scheme")) {
        head->schemes++;
        head->scheme = value;
        return;
    }
    if (is_named(name, "Qseal-Key")) {
        head->keys++;
        head->key = value;
    }
}

bool head_has_body(const struct head *head)
{
    return head->transfer_encodings > 0 || head->content_length > 0;
}

static enum outcome malformed(const char **detail, const char *text)
{
    *detail = text;
    return OUTCOME_MALFORMED;
}

/* Our own fields. */
static enum outcome judge_own(const struct head *head, const char **detail)
{
    if (head->schemes > 1) {
        return malformed(detail, "there is more than one Qseal-Signature-Scheme");
    }
    if (head->scheme.len >= SCHEME_SIZE || !span_is_printable(head->scheme)) {
        return malformed(detail, "Qseal-Signature-Scheme is not the name of a SignatureScheme");
    }
    if (head->keys > 1) {
        return malformed(detail, "there is more than one Qseal-Key");
    }
    if (head->keys == 1 && !key_name_is_valid(head->key)) {
        return malformed(detail, "Qseal-Key is not an RFC 7638 thumbprint");
    }
    return OUTCOME_OK;
}

enum outcome head_judge(const struct head *head, const char *version, uint64_t body_max,
                        const char **detail)
{
    if (strcmp(version, "HTTP/1.1") != 0) {
        return malformed(detail, "only HTTP/1.1 is spoken here");
    }
    if (head->bad_name) {
        return malformed(detail, "a header field name is not a token");
    }
    if (head->hosts != 1) { /* RFC 9112 §3.2 */
        return malformed(detail, "there must be exactly one Host");
    }
    if (head->content_lengths > 1) {
        return malformed(detail, "there is more than one Content-Length");
    }
    if (head->content_lengths > 0 && head->transfer_encodings > 0) { /* RFC 9112 §6.1 */
        return malformed(detail, "Content-Length and Transfer-Encoding exclude each other");
    }
    if (head->transfer_encodings > 1) {
        return malformed(detail, "there is more than one Transfer-Encoding");
    }
    if (head->bad_encoding) {
        return malformed(detail, "the only Transfer-Encoding is chunked");
    }
    if (head->bad_length) {
        return malformed(detail, "Content-Length is not a plain number");
    }
    if (head->content_types > 1) {
        return malformed(detail, "there is more than one Content-Type");
    }
    if (head->content_type.len >= CONTENT_TYPE_SIZE) {
        return malformed(detail, "Content-Type is over 127 bytes");
    }
    if (head->encoded) {
        *detail = "a Content-Encoding is not taken here";
        return OUTCOME_MEDIA_TYPE;
    }
    if (head->content_length > body_max) {
        *detail = "Content-Length is over the limit for bodies";
        return OUTCOME_TOO_LARGE;
    }
    return judge_own(head, detail);
}
