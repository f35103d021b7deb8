/* SPDX-License-Identifier: Apache-2.0
 * A strict walk over a checkpoint's note. It begins with a word and a space, which nothing else
 * that is ever signed does: a JWS begins with base64url, a handshake with 64 spaces or a byte below
 * them, a certificate request with 0x30. */
#include "model/shape_checkpoint.h"

#include "model/shape_text.h"

#include <string.h>

enum {
    NOTE_MAX = 16 * 1024, /* bytes */
    USES_MAX = 64,        /* lines */
    HASH_LEN = 43,        /* base64url of a SHA-256 */
    TOKEN_MAX = 63,
};

static const char largest[] = "9223372036854775807"; /* 2^63 - 1 */

struct walk {
    const uint8_t *at;
    const uint8_t *end;
};

static bool pass(struct walk *walk, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(walk->end - walk->at) < len || memcmp(walk->at, text, len) != 0) {
        return false;
    }
    walk->at += len;
    return true;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_of_name(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
}

/* As far as the characters are of this kind, and no more than `most`; how many they are. */
static size_t run(struct walk *walk, bool (*is_one)(uint8_t c), size_t most)
{
    size_t n = 0;
    while (n < most && walk->at < walk->end && is_one(*walk->at)) {
        walk->at++;
        n++;
    }
    return n;
}

/* Up to 2^63 - 1, without a zero in front. */
static bool pass_number(struct walk *walk, bool may_be_zero)
{
    const uint8_t *start = walk->at;
    size_t n = run(walk, is_digit, sizeof largest - 1);
    if (n == 0 || (*start == '0' && (n > 1 || !may_be_zero))) {
        return false;
    }
    return n < sizeof largest - 1 || memcmp(start, largest, n) <= 0;
}

static bool pass_hash(struct walk *walk)
{
    struct span hash = {.data = walk->at, .len = HASH_LEN};
    if (walk->end - walk->at < HASH_LEN || shape_base64url_fault(hash) != NULL) {
        return false;
    }
    walk->at += HASH_LEN;
    return true;
}

static bool pass_uuid(struct walk *walk)
{
    static const size_t groups[] = {8, 4, 4, 4, 12};
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        if ((i > 0 && !pass(walk, "-")) || run(walk, is_hex, groups[i]) != groups[i]) {
            return false;
        }
    }
    return true;
}

/* TOKEN KID COUNT SINCE; *key is set to the first two. */
static bool pass_use(struct walk *walk, struct span *key)
{
    const uint8_t *start = walk->at;
    if (start < walk->end && *start == '.') {
        return false;
    }
    if (run(walk, is_of_name, TOKEN_MAX) == 0 || !pass(walk, " ") || !pass_hash(walk)) {
        return false;
    }
    *key = (struct span){.data = start, .len = (size_t)(walk->at - start)};
    return pass(walk, " ") && pass_number(walk, true) && pass(walk, " ") &&
           pass_number(walk, true) && pass(walk, "\n");
}

/* The space behind the token sorts before all that a name has, so that this is the order of tokens
 * and then of kids. */
static bool is_before(struct span a, struct span b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order < 0 || (order == 0 && a.len < b.len);
}

static const char *uses_fault(struct walk *walk)
{
    struct span last = {0};
    for (size_t n = 0; walk->at < walk->end; n++) {
        struct span key;
        if (n == USES_MAX) {
            return "more than 64 lines of uses";
        }
        if (!pass(walk, "uses ")) {
            return "something else than lines of uses behind the time";
        }
        if (!pass_use(walk, &key)) {
            return "a line of uses is not TOKEN KID COUNT SINCE";
        }
        if (n > 0 && !is_before(last, key)) {
            return "the lines of uses are not in order";
        }
        last = key;
    }
    return NULL;
}

const char *shape_checkpoint_fault(struct span note)
{
    if (note.len == 0 || note.len > NOTE_MAX) {
        return note.len == 0 ? "empty" : "longer than 16384 bytes";
    }
    struct walk walk = {.at = note.data, .end = note.data + note.len};
    if (!pass(&walk, "qseal audit checkpoint v1\n")) {
        return "another first line";
    }
    if (!pass(&walk, "chain ") || !pass_uuid(&walk) || !pass(&walk, "\n")) {
        return "no line of the chain";
    }
    if (!pass(&walk, "sequence ") || !pass_number(&walk, false) || !pass(&walk, "\n")) {
        return "no line of the sequence";
    }
    if (!pass(&walk, "head ") || !pass_hash(&walk) || !pass(&walk, "\n")) {
        return "no line of the head";
    }
    if (!pass(&walk, "time ") || !pass_number(&walk, true) || !pass(&walk, "\n")) {
        return "no line of the time";
    }
    return uses_fault(&walk);
}
