/* SPDX-License-Identifier: Apache-2.0
 * The JOSE header, in the template's order: literal texts made once, and kid, time and jwk put
 * between them per request. */
#include "policy/compiled.h"

#include "base/base64url.h"
#include "jose/json.h"
#include "model/shape.h"
#include "policy/template_check.h"
#include "policy/yaml.h"

#include <string.h>

static void put_crit(const struct template *template, struct buffer *out)
{
    buffer_put_u8(out, '[');
    for (uint32_t i = 0; i < template->crit_count; i++) {
        buffer_put_text(out, i == 0 ? "" : ",");
        json_put_string(out, span_of_text(template->crit[i]));
    }
    buffer_put_u8(out, ']');
}

static void put_fixed(const struct profile *profile, const struct template_header *source,
                      struct buffer *out)
{
    if (source->source == HEADER_ALG) {
        json_put_string(out, span_of_text(profile->alg_name));
        return;
    }
    if (source->source == HEADER_CRIT) {
        put_crit(profile->template, out);
        return;
    }
    if (source->value != NULL) {
        json_put_string(out, span_of_text(source->value));
        return;
    }
    JSON_CLEANUP json_t *value = source->json != NULL
                                     ? literal_parse(source->json)
                                     : binding_json(profile->binding, source->config);
    json_put(out, value);
}

static bool is_per_request(enum header_source source)
{
    return source == HEADER_KID || source == HEADER_NOW || source == HEADER_JWK;
}

/* An optional binding that was not given leaves its member out. */
static bool is_left_out(const struct profile *profile, const struct template_header *source)
{
    if (source->source != HEADER_CONFIG) {
        return false;
    }
    JSON_CLEANUP json_t *value = binding_json(profile->binding, source->config);
    return value == NULL;
}

void header_put(const struct profile *profile, const struct signing_key *key, int64_t now,
                struct buffer *out)
{
    for (size_t i = 0; i < profile->n_header; i++) {
        const struct header_part *part = &profile->header[i];
        buffer_put_text(out, part->literal);
        switch (part->source) {
        case HEADER_KID:
            json_put_string(out, span_of_text(key->kid));
            break;
        case HEADER_NOW:
            buffer_put_format(out, "%lld", (long long)now);
            break;
        case HEADER_JWK:
            buffer_put_text(out, key->jwk);
            break;
        case HEADER_ALG:
        case HEADER_CONST:
        case HEADER_CONFIG:
        case HEADER_CRIT:
            break;
        }
    }
    buffer_put_u8(out, '}');
}

/* What the shape guard would refuse of every artefact is refused once, here, with the file's name.
 */
static enum outcome check_shape(const struct profile *profile, const char *path, struct reason *why)
{
    static const struct signing_key sample = {.kid = "kid", .jwk = "{}"};
    BUFFER_CLEANUP struct buffer header = BUFFER_INIT(HEADER_MAX);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(SIGNING_INPUT_MAX);
    header_put(profile, &sample, 0, &header);
    base64url_encode(&input, buffer_span(&header));
    buffer_put_text(&input, profile->template->payload == PAYLOAD_BODY_RAW ? ".{}" : ".e30");
    struct reason shape = {.detail = ""};
    if (!buffer_ok(&header) ||
        shape_check(PURPOSE_SEAL, profile->alg, buffer_span(&input), &shape) != OUTCOME_OK) {
        return yaml_refuse(why, path, "", "the tokens would refuse this header: %s",
                           buffer_ok(&header) ? shape.detail : "it is too long");
    }
    return OUTCOME_OK;
}

enum outcome header_compile(struct profile *profile, const char *path, struct reason *why)
{
    size_t n = 0;
    const char *between = "{";
    for (uint32_t i = 0; i < profile->template->header_count; i++) {
        const struct template_header *source = &profile->template->header[i];
        if (is_left_out(profile, source)) {
            continue;
        }
        struct buffer out = BUFFER_INIT(HEADER_MAX);
        buffer_put_text(&out, between);
        json_put_string(&out, span_of_text(source->name));
        buffer_put_u8(&out, ':');
        if (!is_per_request(source->source)) {
            put_fixed(profile, source, &out);
        }
        profile->header[n] =
            (struct header_part){.literal = text_steal(&out), .source = source->source};
        if (profile->header[n].literal == NULL) {
            return yaml_refuse(why, path, "", "a header member is over %d bytes", HEADER_MAX);
        }
        between = ",";
        n++;
    }
    profile->n_header = n;
    return check_shape(profile, path, why);
}
