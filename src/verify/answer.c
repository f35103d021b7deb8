/* SPDX-License-Identifier: Apache-2.0
 * The answer's text. */
#include "jose/json.h"
#include "verify/parts.h"

void answer_put(struct buffer *json, const json_t *header, struct span claims)
{
    buffer_put_text(json, "{\"valid\":true,\"alg\":");
    json_put_string(json, json_text(json_object_get(header, "alg")));
    if (json_object_get(header, "kid") != NULL) {
        buffer_put_text(json, ",\"kid\":");
        json_put_string(json, json_text(json_object_get(header, "kid")));
    }
    /* The very text that was signed: a strict JSON object may stand inside another as it is. */
    if (claims.data != NULL) {
        buffer_put_text(json, ",\"claims\":");
        buffer_put_span(json, claims);
    }
    buffer_put_text(json, "}");
}
