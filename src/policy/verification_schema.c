/* SPDX-License-Identifier: Apache-2.0
 * JSON Schema of what a caller sends to have something verified. */
#include "jose/json.h"
#include "policy/compiled.h"
#include "policy/verification_file.h"

static void add(json_t *schema, const char *name, const char *type, const char *description,
                bool required)
{
    json_t *property = json_pack("{s:s, s:s}", "type", type, "description", description);
    (void)json_object_set_new(json_object_get(schema, "properties"), name, property);
    if (required) {
        (void)json_array_append_new(json_object_get(schema, "required"), json_string(name));
    }
}

static void add_detached(json_t *schema)
{
    add(schema, "jws", "string", "as received, header..signature", true);
    add(schema, "payload", "string", "BASE64URL of the exact octets that were received", true);
}

static void add_id_token(json_t *schema, const struct id_token_rules *rules)
{
    static const struct {
        const char *name;
        const char *description;
    } hashed[] = {
        [TOKEN_C_HASH] = {"code", "the code that came with it"},
        [TOKEN_S_HASH] = {"state", "the state of the request"},
        [TOKEN_AT_HASH] = {"access_token", "the access token that came with it"},
        [TOKEN_RT_HASH] = {"refresh_token", "the refresh token that came with it"},
    };
    add(schema, "id_token", "string", "as received", true);
    add(schema, "nonce", "string", "the nonce of the request", rules->nonce == NEED_REQUIRED);
    for (size_t i = 0; i < COUNT_OF(hashed); i++) {
        add(schema, hashed[i].name, "string", hashed[i].description,
            rules->hashes[i] == NEED_REQUIRED);
    }
    add(schema, "max_age", "integer", "the max_age of the request, in seconds", false);
    add(schema, "sub", "string", "the sub that was seen before", false);
    add(schema, "iss", "string", "the parameter iss of the authorization response",
        rules->response_iss == NEED_REQUIRED);
    if (rules->intent.n > 0) {
        add(schema, "intent_id", "string", "the intent that was authorized", true);
    }
}

char *verification_schema(const struct verification *verification)
{
    bool pinned = verification->jwks != NULL;
    JSON_CLEANUP json_t *schema = json_pack("{s:s, s:{}, s:[], s:b}", "type", "object",
                                            "properties", "required", "additionalProperties", 0);
    if (verification->kind == VERIFICATION_ID_TOKEN) {
        add_id_token(schema, &verification->id_token);
    } else {
        add_detached(schema);
    }
    add(schema, "jwks", "object",
        pinned ? "ignored: the keys of this profile are pinned" : "the signer's JWK Set", !pinned);
    return schema == NULL ? NULL : text_json(schema);
}
