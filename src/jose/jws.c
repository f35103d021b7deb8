/* SPDX-License-Identifier: Apache-2.0
 * Verifying a JWS, in the order of the domain's rule list, so that a refusal names the first rule
 * that is broken. Nothing of the payload is given out before the signature is good. */
#include "jose/jws.h"

#include "base/base64url.h"
#include "jose/json.h"
#include "jose/jws_header.h"

enum { HEADER_MAX = 64 * 1024, SIGNING_INPUT_MAX = 2 * JWS_MAX };

/* A token taken apart. The spans point into the token. */
struct parts {
    struct span protected; /* BASE64URL(header) */
    struct span payload;   /* the middle, as it stands */
    struct span input;     /* all before the second dot */
    struct buffer signature;
    struct buffer decoded; /* payload of a compact token, decoded unless b64 is false */
    json_t *header;
    bool raw; /* "b64":false, RFC 7797 */
};

static void parts_fini(struct parts *parts)
{
    buffer_fini(&parts->signature);
    buffer_fini(&parts->decoded);
    json_clear_ref(&parts->header);
}

static void key_clear_ref(struct public_key **key)
{
    public_key_free(*key);
}

static enum outcome split(struct span token, struct parts *parts, struct reason *why)
{
    if (token.len > JWS_MAX) {
        return refuse(why, OUTCOME_RULE, "malformed: over %d bytes", JWS_MAX);
    }
    size_t first = span_find(token, '.');
    struct span rest = span_part(token, first + 1, token.len);
    size_t second = span_find(rest, '.');
    struct span signature = span_part(rest, second + 1, rest.len);
    if (first >= token.len || second >= rest.len || span_find(signature, '.') < signature.len) {
        return refuse(why, OUTCOME_RULE, "malformed: not three parts with a dot between them");
    }
    parts->protected = span_part(token, 0, first);
    parts->payload = span_part(rest, 0, second);
    parts->input = span_part(token, 0, first + 1 + second);
    if (!base64url_decode(&parts->signature, signature)) {
        return refuse(why, OUTCOME_RULE, "malformed: the signature is not base64url");
    }
    return OUTCOME_OK;
}

static enum outcome read_header(struct parts *parts, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(HEADER_MAX);
    if (!base64url_decode(&text, parts->protected)) {
        return refuse(why, OUTCOME_RULE,
                      "malformed: the header is not base64url of at most %d bytes", HEADER_MAX);
    }
    struct reason inner;
    if (json_parse_object(buffer_span(&text), &parts->header, &inner) != OUTCOME_OK) {
        return refuse(why, OUTCOME_RULE, "malformed: the header: %.400s", inner.detail);
    }
    const json_t *b64 = json_object_get(parts->header, "b64");
    if (b64 != NULL && !json_is_boolean(b64)) {
        return refuse(why, OUTCOME_RULE, "malformed: \"b64\" must be true or false");
    }
    parts->raw = json_is_false(b64);
    return OUTCOME_OK;
}

static enum outcome read_payload(struct parts *parts, struct span detached, struct reason *why)
{
    if (detached.data != NULL) {
        return parts->payload.len == 0
                   ? OUTCOME_OK
                   : refuse(why, OUTCOME_RULE,
                            "malformed: a detached JWS has nothing between its dots");
    }
    if (parts->raw) {
        buffer_put_span(&parts->decoded, parts->payload);
        return OUTCOME_OK;
    }
    if (!base64url_decode(&parts->decoded, parts->payload)) {
        return refuse(why, OUTCOME_RULE, "malformed: the payload is not base64url");
    }
    return OUTCOME_OK;
}

/* RFC 7515 §5.2 step 8 and Appendix F, RFC 7797 §3. */
static bool signature_is_good(const struct parts *parts, struct span detached, enum alg alg,
                              const struct public_key *key)
{
    struct span signature = buffer_span(&parts->signature);
    if (detached.data == NULL) {
        return public_key_verify(key, alg, parts->input, signature);
    }
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(SIGNING_INPUT_MAX);
    buffer_put_span(&input, parts->protected);
    buffer_put_u8(&input, '.');
    if (parts->raw) {
        buffer_put_span(&input, detached);
    } else {
        base64url_encode(&input, detached);
    }
    return buffer_ok(&input) && public_key_verify(key, alg, buffer_span(&input), signature);
}

static enum outcome check(struct parts *parts, struct span detached, const struct jws_rules *rules,
                          struct reason *why)
{
    enum alg alg;
    CLEANUP(key_clear_ref) struct public_key *key = NULL;
    enum outcome outcome = jws_header_alg(parts->header, rules, &alg, why);
    if (outcome == OUTCOME_OK) {
        outcome = jws_header_key(parts->header, rules, alg, &key, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = jws_header_crit(parts->header, rules, why);
    }
    if (outcome == OUTCOME_OK && !signature_is_good(parts, detached, alg, key)) {
        outcome = refuse(why, OUTCOME_RULE, "signature: does not verify with the key of this kid");
    }
    return outcome;
}

enum outcome jws_verify(struct span token, struct span detached, const struct jws_rules *rules,
                        json_t **header, struct buffer *payload, struct reason *why)
{
    CLEANUP(parts_fini)
    struct parts parts = {.signature = BUFFER_INIT(SIGNATURE_MAX * 2),
                          .decoded = BUFFER_INIT(JWS_MAX)};
    *header = NULL;
    enum outcome outcome = split(token, &parts, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_header(&parts, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = read_payload(&parts, detached, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check(&parts, detached, rules, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    buffer_put_span(payload, detached.data != NULL ? detached : buffer_span(&parts.decoded));
    if (!buffer_ok(payload)) {
        return refuse(why, OUTCOME_RULE, "malformed: the payload is larger than there is room for");
    }
    *header = parts.header;
    parts.header = NULL;
    return OUTCOME_OK;
}
