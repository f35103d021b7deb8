/* SPDX-License-Identifier: Apache-2.0
 * One plan, and its digest. */
#include "base/buffer.h"
#include "base/utc.h"
#include "custody/plans_read.h"
#include "jose/json.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { SHA256_LEN = 32, MEMBERS = 6 };

static bool put_digest(const json_t *body, char out[PLAN_DIGEST_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_LEN];
    char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    bool done =
        text != NULL && EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) == 1;
    free(text);
    for (size_t i = 0; done && i < SHA256_LEN; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 0x0f];
    }
    out[PLAN_DIGEST_LEN] = '\0';
    return done;
}

static bool read_time(const json_t *body, const char *name, int64_t *out)
{
    const json_t *text = json_object_get(body, name);
    return utc_read(json_text(text), out);
}

enum outcome plan_read(json_t *body, struct plan *out, struct reason *why)
{
    const json_t *by = json_object_get(body, "by");
    json_int_t uid = json_integer_value(by);
    *out = (struct plan){
        .verb = json_string_value(json_object_get(body, "verb")),
        .arguments = json_object_get(body, "arguments"),
        .effect = json_object_get(body, "effect"),
        .by = (uint32_t)uid,
    };
    if (out->verb == NULL || !json_is_object(out->arguments) || !json_is_object(out->effect)) {
        return refuse(why, OUTCOME_RULE,
                      "\"verb\" must be a text, \"arguments\" and \"effect\" objects");
    }
    if (!json_is_integer(by) || uid < 0 || uid > UINT32_MAX) {
        return refuse(why, OUTCOME_RULE, "\"by\" must be a uid");
    }
    if (!read_time(body, "made", &out->made) || !read_time(body, "expires", &out->expires)) {
        return refuse(why, OUTCOME_RULE,
                      "\"made\" and \"expires\" must be times like 2026-11-21T09:30:00Z");
    }
    if (json_object_size(body) != MEMBERS) {
        return refuse(why, OUTCOME_RULE,
                      "only verb, arguments, effect, by, made and expires stand in a plan");
    }
    if (!put_digest(body, out->digest)) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    out->body = json_incref(body);
    return OUTCOME_OK;
}

enum outcome plan_make(struct plan *out, const char *verb, const json_t *arguments,
                       const json_t *effect, uint32_t by, int64_t made, int64_t expires,
                       struct reason *why)
{
    char made_text[UTC_SIZE];
    char expires_text[UTC_SIZE];
    JSON_CLEANUP json_t *body =
        json_pack("{s:s, s:o, s:o, s:I, s:s, s:s}", "verb", verb, "arguments",
                  json_deep_copy(arguments), "effect", json_deep_copy(effect), "by", (json_int_t)by,
                  "made", utc_text(made, made_text), "expires", utc_text(expires, expires_text));
    *out = (struct plan){0};
    return body == NULL ? refuse(why, OUTCOME_INTERNAL, "out of memory")
                        : plan_read(body, out, why);
}

void plan_fini(struct plan *plan)
{
    json_decref(plan->body);
    *plan = (struct plan){0};
}

json_t *plan_shown(const struct plan *plan)
{
    json_t *shown = json_copy(plan->body);
    if (shown != NULL && json_object_set_new(shown, "digest", json_string(plan->digest)) != 0) {
        json_clear_ref(&shown);
    }
    return shown;
}
