/* SPDX-License-Identifier: Apache-2.0
 * The shape guard's rules. What reads base64url and JSON for them (shape_text.c, shape_header.c) is
 * its own, on purpose: it must not inherit a mistake of the code that builds what it judges. */
#include "model/shape.h"

#include "model/shape_checkpoint.h"
#include "model/shape_header.h"
#include "model/shape_text.h"

enum { HEADER_MAX = 8 * 1024 }; /* bytes, decoded */

static bool alg_is(struct span name, enum alg alg)
{
    /* RFC 8037 §3.1: the older name for the same thing, which most verifiers still expect. */
    return span_is_text(name, alg_name(alg)) || (alg == ALG_ED25519 && span_is_text(name, "EdDSA"));
}

static enum outcome check_header(enum alg alg, struct span encoded, bool *raw, struct reason *why)
{
    const char *fault = shape_base64url_fault(encoded);
    if (fault != NULL) {
        return refuse(why, OUTCOME_SHAPE, "header: %s", fault);
    }
    uint8_t json[HEADER_MAX];
    size_t len = shape_decoded_len(encoded);
    if (len > sizeof json) {
        return refuse(why, OUTCOME_SHAPE, "header: longer than %d bytes", HEADER_MAX);
    }
    shape_decode(encoded, json);
    struct shape_header header;
    fault = shape_header_scan(span_of(json, len), &header);
    if (fault != NULL) {
        return refuse(why, OUTCOME_SHAPE, "header: %s", fault);
    }
    if (header.alg.data == NULL) {
        return refuse(why, OUTCOME_SHAPE, "header: no alg");
    }
    if (!alg_is(header.alg, alg)) {
        return refuse(why, OUTCOME_SHAPE, "header: alg is not %s", alg_name(alg));
    }
    *raw = header.raw;
    return OUTCOME_OK;
}

/* RFC 7515 §5.1 step 5. Only the first byte and the last ones are decoded. */
static enum outcome check_encoded(struct span payload, struct reason *why)
{
    if (payload.len > 0 && payload.data[0] == '{') {
        return refuse(why, OUTCOME_SHAPE, "payload: raw, and the header has no \"b64\":false");
    }
    const char *fault = shape_base64url_fault(payload);
    if (fault != NULL) {
        return refuse(why, OUTCOME_SHAPE, "payload: %s", fault);
    }
    size_t len = shape_decoded_len(payload);
    while (len > 0 && shape_is_space(shape_decoded_at(payload, len - 1))) {
        len--;
    }
    if (len < 2 || shape_decoded_at(payload, 0) != '{' ||
        shape_decoded_at(payload, len - 1) != '}') {
        return refuse(why, OUTCOME_SHAPE, "payload: not a JSON object");
    }
    return OUTCOME_OK;
}

/* RFC 7797 §3: the payload itself stands behind the dot. */
static enum outcome check_raw(struct span payload, struct reason *why)
{
    size_t len = payload.len;
    while (len > 0 && shape_is_space(payload.data[len - 1])) {
        len--;
    }
    if (len < 2 || payload.data[0] != '{' || payload.data[len - 1] != '}') {
        return refuse(why, OUTCOME_SHAPE, "payload: not a JSON object");
    }
    const char *fault = shape_text_fault(payload);
    if (fault != NULL) {
        return refuse(why, OUTCOME_SHAPE, "payload: %s", fault);
    }
    return OUTCOME_OK;
}

static enum outcome check_jws(enum alg alg, struct span input, struct reason *why)
{
    size_t dot = span_find(input, '.');
    if (dot == input.len) {
        return refuse(why, OUTCOME_SHAPE, "no dot: not a JWS signing input");
    }
    bool raw = false;
    enum outcome outcome = check_header(alg, span_part(input, 0, dot), &raw, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct span payload = span_part(input, dot + 1, input.len);
    return raw ? check_raw(payload, why) : check_encoded(payload, why);
}

static enum outcome check_checkpoint(struct span input, struct reason *why)
{
    const char *fault = shape_checkpoint_fault(input);
    return fault == NULL ? OUTCOME_OK : refuse(why, OUTCOME_SHAPE, "checkpoint: %s", fault);
}

enum outcome shape_check(enum purpose purpose, enum alg alg, struct span input, struct reason *why)
{
    if (!alg_is_known(alg)) {
        return refuse(why, OUTCOME_SHAPE, "no such algorithm");
    }
    switch (purpose) {
    case PURPOSE_SEAL:
        return check_jws(alg, input, why);
    case PURPOSE_TRANSPORT:
        break; /* what such a key signs needs its public key to be judged: pki/tls_guard.h */
    case PURPOSE_AUDIT:
        return check_checkpoint(input, why);
    }
    return refuse(why, OUTCOME_SHAPE, "no such purpose");
}
