/* SPDX-License-Identifier: Apache-2.0
 * The shape guard on any bytes. The first byte chooses the algorithm. What passes for a seal key
 * must also satisfy the contract of model/shape.h as base64url_decode() and jansson see it; what
 * passes for an audit key is what the audit log's own reader takes, no more and no less. Nothing
 * passes for both. */
#include "audit/checkpoint.h"
#include "base/base64url.h"
#include "jose/json.h"
#include "model/shape.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_object_like(struct span bytes)
{
    size_t len = bytes.len;
    while (len > 0 && (bytes.data[len - 1] == ' ' || bytes.data[len - 1] == '\t' ||
                       bytes.data[len - 1] == '\r' || bytes.data[len - 1] == '\n')) {
        len--;
    }
    return len >= 2 && bytes.data[0] == '{' && bytes.data[len - 1] == '}';
}

static bool is_plain_text(struct span bytes)
{
    json_t *text = json_stringn((const char *)bytes.data, bytes.len);
    json_decref(text);
    return text != NULL && span_find(bytes, 0) == bytes.len;
}

static bool satisfies(enum alg alg, struct span input)
{
    size_t dot = span_find(input, '.');
    BUFFER_CLEANUP struct buffer header = BUFFER_INIT(8192);
    if (dot == input.len || !base64url_decode(&header, span_part(input, 0, dot))) {
        return false;
    }
    JSON_CLEANUP json_t *json =
        json_loadb(buffer_text(&header), header.len, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(json, "alg"));
    if (name == NULL ||
        (strcmp(name, alg_name(alg)) != 0 && !(alg == ALG_ED25519 && strcmp(name, "EdDSA") == 0))) {
        return false;
    }
    struct span payload = span_part(input, dot + 1, input.len);
    if (json_is_false(json_object_get(json, "b64"))) {
        return is_object_like(payload) && is_plain_text(payload);
    }
    BUFFER_CLEANUP struct buffer decoded = BUFFER_INIT(4 * 1024 * 1024);
    return base64url_decode(&decoded, payload) && is_object_like(buffer_span(&decoded));
}

/* A refusal has its reason. */
static bool passes(enum purpose purpose, enum alg alg, struct span input)
{
    struct reason why = {0};
    enum outcome outcome = shape_check(purpose, alg, input, &why);
    if (outcome != OUTCOME_OK && (outcome != OUTCOME_SHAPE || why.detail[0] == '\0')) {
        abort();
    }
    return outcome == OUTCOME_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    enum alg alg = (enum alg)(data[0] % ALG_COUNT);
    struct span input = span_of(data + 1, size - 1);
    struct checkpoint checkpoint;
    bool is_jws = passes(PURPOSE_SEAL, alg, input);
    bool is_note = passes(PURPOSE_AUDIT, alg, input);
    if (passes(PURPOSE_TRANSPORT, alg, input) || (is_jws && is_note) ||
        (is_jws && !satisfies(alg, input)) ||
        is_note != (checkpoint_read(input, &checkpoint) == NULL)) {
        abort();
    }
    return 0;
}
