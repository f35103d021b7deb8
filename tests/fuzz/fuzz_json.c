/* SPDX-License-Identifier: Apache-2.0
 * The JSON front door and the rules behind it: the first byte chooses one of the shipped profiles,
 * the rest is the body. */
#include "base/buffer.h"
#include "jose/json.h"
#include "model/shape.h"
#include "policy/compiled.h"
#include "policy_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The folder above tests/, from this file's own name. */
static void source_folder(char out[512])
{
    (void)snprintf(out, 512, "%s", __FILE__);
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr(out, '/');
        MUST(slash != NULL);
        *slash = '\0';
    }
}

static struct profiles *load(void)
{
    char root[512];
    char templates[600];
    char bindings[600];
    source_folder(root);
    (void)snprintf(templates, sizeof templates, "%s/src/policy/templates", root);
    (void)snprintf(bindings, sizeof bindings, "%s/hsm-config/profiles.d", root);
    struct config_role roles[] = {
        {.name = (char *)"seal", .algs = 1U << ALG_RS256 | 1U << ALG_PS256},
        {.name = (char *)"seal-ec", .algs = 1U << ALG_ES256},
    };
    char *folders[] = {templates};
    struct config config = {.template_dirs = folders,
                            .n_template_dirs = 1,
                            .profiles_dir = bindings,
                            .roles = roles,
                            .n_roles = COUNT_OF(roles)};
    struct profiles *profiles = NULL;
    struct reason why = {.detail = ""};
    if (profiles_load(&config, &profiles, &why) != OUTCOME_OK) {
        (void)fprintf(stderr, "%s\n", why.detail);
        abort();
    }
    return profiles;
}

/* Const and config claims have the profile's value, whatever was sent. */
static void check_constants(const struct profile *profile, const struct artefact *artefact)
{
    struct span input = buffer_span(&artefact->signing_input);
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(1 << 22);
    MUST(base64url_decode(&payload, span_part(input, artefact->header_len + 1, input.len)));
    JSON_CLEANUP json_t *claims = oracle_object(buffer_span(&payload));
    for (size_t i = 0; i < profile->n_claims; i++) {
        const struct claim *claim = &profile->claims[i];
        json_t *value = json_object_get(claims, claim->name);
        if (claim->rule == CLAIM_FORBIDDEN) {
            MUST(value == NULL);
        }
        if (claim->rule == CLAIM_CONST || claim->rule == CLAIM_CONFIG) {
            json_t *held = claim->as == AS_ARRAY1 ? json_array_get(value, 0) : value;
            MUST(claim->constant == NULL ? value == NULL : json_equal(claim->constant, held) == 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct profiles *profiles;
    static struct artefact artefact;
    if (profiles == NULL) {
        profiles = load();
        artefact_init(&artefact);
    }
    if (len == 0) {
        return 0;
    }
    const struct profile *profile = profiles_at(profiles, data[0] % profiles_count(profiles));
    oracle_try(profile, span_of(data + 1, len - 1), &artefact);
    if (artefact.signing_input.len > 0 && profile->template->payload == PAYLOAD_CLAIMS) {
        check_constants(profile, &artefact);
    }
    return 0;
}
