/* SPDX-License-Identifier: Apache-2.0
 * DNS names of a rule against those of a certificate, and its pin. */
#include "pki/peer_name.h"

#include "base/base64url.h"

#include <string.h>

enum { NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63, PIN_TEXT_LEN = 43 };

static bool is_label(struct span label)
{
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || (c == '-' && i > 0 && i + 1 < label.len);
        if (!good) {
            return false;
        }
    }
    return label.len > 0 && label.len <= LABEL_MAX_LEN;
}

static bool is_number(struct span label)
{
    for (size_t i = 0; i < label.len; i++) {
        if (label.data[i] < '0' || label.data[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool has_star(struct span name)
{
    return name.len > 2 && name.data[0] == '*' && name.data[1] == '.';
}

/* What follows the first label and its dot. */
static struct span parent(struct span name)
{
    return span_part(name, span_find(name, '.') + 1, name.len);
}

bool peer_name_is_valid(struct span name)
{
    if (name.len > NAME_MAX_LEN) {
        return false;
    }
    bool star = has_star(name);
    size_t labels = 0;
    struct span rest = star ? parent(name) : name;
    for (; rest.len > 0 || labels == 0; labels++) {
        size_t dot = span_find(rest, '.');
        struct span label = span_part(rest, 0, dot);
        bool is_last = dot == rest.len;
        if (!is_label(label) || dot + 1 == rest.len || (is_last && is_number(label))) {
            return false;
        }
        rest = span_part(rest, dot + 1, rest.len);
    }
    return labels >= (star ? 2 : 1);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool equal_names(struct span a, struct span b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool peer_name_fits(struct span rule, struct span presented)
{
    if (!peer_name_is_valid(rule) || !peer_name_is_valid(presented)) {
        return false;
    }
    if (equal_names(rule, presented)) {
        return true;
    }
    return has_star(rule) != has_star(presented) && equal_names(parent(rule), parent(presented));
}

bool peer_pin_read(struct span text, uint8_t spki_sha256[PEER_PIN_LEN])
{
    BUFFER_CLEANUP struct buffer digest = BUFFER_INIT(PEER_PIN_LEN);
    if (text.len != PIN_TEXT_LEN || !base64url_decode(&digest, text) ||
        digest.len != PEER_PIN_LEN) {
        return false;
    }
    memcpy(spki_sha256, digest.data, PEER_PIN_LEN);
    return true;
}
