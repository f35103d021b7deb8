/* SPDX-License-Identifier: Apache-2.0
 * The payload of a JWT, written once, in the template's order: these exact bytes are signed and
 * returned. */
#include "policy/compiled.h"

#include "jose/json.h"
#include "jose/sha256.h"

#include <string.h>

static void put_number(int64_t number, struct buffer *out)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? 0 : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    buffer_put(out, digits + at, sizeof digits - at);
}

static void put_generated(const struct profile *profile, enum generated generated, int64_t now,
                          struct artefact *artefact, struct buffer *out)
{
    static const struct template_lifetime none;
    const struct template_lifetime *lifetime =
        profile->template->lifetime == NULL ? &none : profile->template->lifetime;
    switch (generated) {
    case GENERATED_IAT:
        artefact->iat = now + lifetime->iat_offset_s;
        put_number(artefact->iat, out);
        return;
    case GENERATED_NBF:
        put_number(now - lifetime->nbf_before_s, out);
        return;
    case GENERATED_EXP:
        artefact->exp = now + lifetime->exp_after_s;
        put_number(artefact->exp, out);
        return;
    case GENERATED_JTI:
        random_uuid(artefact->jti);
        buffer_put_u8(out, '"');
        buffer_put(out, artefact->jti, UUID_TEXT_LEN);
        buffer_put_u8(out, '"');
        return;
    }
}

/* RFC 9449 §4.2: ath = BASE64URL(SHA-256(ASCII(access token))). */
static void put_derived(const json_t *from, struct buffer *out)
{
    char digest[SHA256_TEXT_SIZE];
    if (!sha256_text(json_text(from), digest)) {
        out->failed = true;
        return;
    }
    buffer_put_u8(out, '"');
    buffer_put_text(out, digest);
    buffer_put_u8(out, '"');
}

static void put_sent(const struct claim *claim, const json_t *value, struct buffer *out)
{
    if (claim->as == AS_ARRAY1) {
        buffer_put_u8(out, '[');
    }
    if (json_is_string(value)) {
        json_put_string(out, json_text(value));
    } else if (json_is_integer(value) && json_integer_value(value) >= 0) {
        put_number(json_integer_value(value), out);
    } else {
        json_put(out, value);
    }
    if (claim->as == AS_ARRAY1) {
        buffer_put_u8(out, ']');
    }
}

static bool is_given(const struct profile *profile, const struct evaluation *evaluation, size_t at)
{
    const struct claim *claim = &profile->claims[at];
    return claim->rule == CLAIM_GENERATED || claim->literal != NULL ||
           evaluation->values[at] != NULL ||
           (evaluation->shorthand != NULL && profile->shorthand.claim == at);
}

/* The literal, the object that the shorthand stands for, or what was sent. A claim with a shorthand
 * is closed: its rules leave one string open, so the object is written from them in either form. */
static void put_given(const struct profile *profile, const struct evaluation *evaluation, size_t at,
                      struct buffer *out)
{
    const struct claim *claim = &profile->claims[at];
    const json_t *value = evaluation->values[at];
    if (claim->literal != NULL && (value == NULL || claim->rule != CLAIM_CHOICE)) {
        buffer_put_text(out, claim->literal);
    } else if (evaluation->shorthand != NULL && profile->shorthand.claim == at) {
        shorthand_put(&profile->shorthand, evaluation->shorthand, out);
    } else if (claim->rule == CLAIM_DERIVED) {
        put_derived(value, out);
    } else {
        put_sent(claim, value, out);
    }
}

static bool is_open(const struct claim *claim)
{
    return claim->rule == CLAIM_CALLER && (claim->type == TYPE_OBJECT || claim->type == TYPE_ARRAY);
}

enum outcome claims_put(const struct profile *profile, const struct evaluation *evaluation,
                        int64_t now, struct artefact *artefact, struct buffer *out,
                        struct reason *why)
{
    char between = '{';
    for (size_t i = 0; i < profile->n_claims; i++) {
        const struct claim *claim = &profile->claims[i];
        if (claim->rule == CLAIM_FORBIDDEN || !is_given(profile, evaluation, i)) {
            continue;
        }
        buffer_put_u8(out, (uint8_t)between);
        buffer_put_text(out, claim->key);
        between = ',';
        size_t start = out->len;
        if (claim->rule == CLAIM_GENERATED) {
            put_generated(profile, claim->generated, now, artefact, out);
        } else {
            put_given(profile, evaluation, i, out);
        }
        if (is_open(claim) && (!buffer_ok(out) || out->len - start > claim->max_bytes)) {
            return refuse_claim(why, OUTCOME_RULE, claim->pointer,
                                "is longer than %zu bytes as JSON", claim->max_bytes);
        }
    }
    buffer_put_text(out, between == '{' ? "{}" : "}");
    return OUTCOME_OK;
}

void parameters_put(const struct profile *profile, const struct evaluation *evaluation,
                    struct buffer *out)
{
    char between = '{';
    for (size_t i = 0; i < profile->n_parameters; i++) {
        const struct parameter *parameter = &profile->parameters[i];
        if (parameter->literal == NULL && !is_given(profile, evaluation, parameter->claim)) {
            continue;
        }
        buffer_put_u8(out, (uint8_t)between);
        buffer_put_text(out, parameter->key);
        between = ',';
        if (parameter->literal != NULL) {
            buffer_put_text(out, parameter->literal);
        } else {
            put_given(profile, evaluation, parameter->claim, out);
        }
    }
    buffer_put_text(out, between == '{' ? "{}" : "}");
}
