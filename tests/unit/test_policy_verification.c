/* SPDX-License-Identifier: Apache-2.0
 * Profiles that verify: the shipped ones, the keys that are pinned, and what is refused of a set.
 */
#include "policy/verification.h"

#include "policy_support.h"

#include "policy/verification_file.h"

static struct test_files files;

#define EC_KEY                                                                                     \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","      \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define TEMPLATE                                                                                   \
    "template: t\noperation: verify-detached-jws\nalgorithms: [ES256, PS256]\n"                    \
    "detached: {payload: body-b64}\n"

static enum outcome load_binding(const char *binding, struct verification **out, struct reason *why)
{
    char template_path[PATH_MAX];
    char path[PATH_MAX];
    write_file(files.templates, "t.yaml", TEMPLATE);
    write_file(files.bindings, "p.yaml", binding);
    (void)snprintf(template_path, sizeof template_path, "%s/t.yaml", files.templates);
    (void)snprintf(path, sizeof path, "%s/p.yaml", files.bindings);
    return verification_load(template_path, "t", path, "p", out, why);
}

static void expect_set(const char *jwks, const char *detail)
{
    char binding[2000];
    struct verification *profile = NULL;
    struct reason why = {.detail = ""};
    (void)snprintf(binding, sizeof binding, "profile: p\ntemplate: t\njwks: '%s'\n", jwks);
    enum outcome outcome = load_binding(binding, &profile, &why);
    if (detail == NULL) {
        assert_int_equal(outcome, OUTCOME_OK);
        assert_non_null(profile->rules.made[0]);
        assert_ptr_equal(profile->rules.jwks, profile->jwks);
    } else {
        assert_int_equal(outcome, OUTCOME_RULE);
        assert_non_null(strstr(why.detail, "p.yaml:3: "));
        if (strstr(why.detail, detail) == NULL) {
            fail_msg("got \"%s\", want \"%s\"", why.detail, detail);
        }
    }
    verification_free(profile);
}

static void a_pinned_set_is_read_strictly(void **state)
{
    (void)state;
    expect_set("{\"keys\":[{" EC_KEY "}]}", NULL);
    expect_set("{\"keys\":[{" EC_KEY "},{\"kty\":\"new\"}]}", NULL);
    expect_set("{", "no JWK Set: ");
    expect_set("{}", "it has no array \"keys\"");
    expect_set("{\"keys\":[]}", "no key of the set fits");
    expect_set("{\"keys\":[1]}", "key 0 is no JSON object");
    expect_set("{\"keys\":[{" EC_KEY ",\"d\":\"AA\"}]}", "key 0 is a private or symmetric key");
    expect_set("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}", "key 0 is a private or symmetric");
    expect_set("{\"keys\":[{" EC_KEY ",\"kid\":\"a\"},{" EC_KEY ",\"kid\":\"a\"}]}",
               "keys 0 and 1 of the set have the same kid");
    expect_set("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
               "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
               "no key of the set fits");
}

static void a_file_is_read_like_a_text(void **state)
{
    (void)state;
    char binding[400];
    struct verification *profile = NULL;
    struct reason why = {.detail = ""};
    write_file(files.folder, "bank.json", "{\"keys\":[{" EC_KEY ",\"kid\":\"a\"}]}");
    (void)snprintf(binding, sizeof binding, "profile: p\ntemplate: t\njwks_file: %s/bank.json\n",
                   files.folder);
    assert_int_equal(load_binding(binding, &profile, &why), OUTCOME_OK);
    assert_int_equal(profile->n_made, 1);
    assert_int_equal(profile->rules.algs, 1U << ALG_ES256 | 1U << ALG_PS256);
    assert_true(profile->rules.require_kid);
    assert_non_null(strstr(profile->input_schema, "ignored"));
    verification_free(profile);
    assert_int_equal(
        load_binding("profile: p\ntemplate: t\njwks_file: /nowhere/at-all\n", &profile, &why),
        OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "p.yaml:3: the file cannot be read: No such file"));
}

static void algorithms_are_the_template_s(void **state)
{
    (void)state;
    struct verification *profile = NULL;
    struct reason why = {.detail = ""};
    assert_int_equal(load_binding("profile: p\ntemplate: t\nalgorithms: [PS256]\n"
                                  "jwks_from_caller: true\n",
                                  &profile, &why),
                     OUTCOME_OK);
    assert_int_equal(profile->rules.algs, 1U << ALG_PS256);
    assert_null(profile->rules.jwks);
    assert_non_null(strstr(profile->input_schema, "\"required\":[\"jws\",\"payload\",\"jwks\"]"));
    verification_free(profile);
    assert_int_equal(load_binding("profile: p\ntemplate: t\nalgorithms: [RS256]\n"
                                  "jwks_from_caller: true\n",
                                  &profile, &why),
                     OUTCOME_RULE);
    assert_non_null(strstr(why.detail, "p.yaml:3: the template does not allow one of these"));
}

/* An ID token has an issuer and a client; a detached JWS has neither. */
static void parties_belong_to_id_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *template;
        const char *more;
        const char *detail; /* NULL: good */
    } rows[] = {
        {"op-id-token", "issuer: https://a\nclient_id: b\n", NULL},
        {"op-id-token", "issuer: https://a\n", "wants issuer and client_id"},
        {"op-id-token", "client_id: b\n", "wants issuer and client_id"},
        {"op-response-jws", "issuer: https://a\n", "are for ID tokens"},
        {"op-response-jws", "max_age_s: 60\n", "are for ID tokens"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char template_path[PATH_MAX];
        char path[PATH_MAX];
        char binding[400];
        struct verification *profile = NULL;
        struct reason why = {.detail = ""};
        (void)snprintf(template_path, sizeof template_path, SHIPPED_TEMPLATES "/%s.yaml",
                       rows[i].template);
        (void)snprintf(path, sizeof path, "%s/p.yaml", files.bindings);
        (void)snprintf(binding, sizeof binding,
                       "profile: p\ntemplate: %s\njwks_from_caller: true\n%s", rows[i].template,
                       rows[i].more);
        write_file(files.bindings, "p.yaml", binding);
        enum outcome outcome =
            verification_load(template_path, rows[i].template, path, "p", &profile, &why);
        if (rows[i].detail == NULL) {
            assert_int_equal(outcome, OUTCOME_OK);
            verification_free(profile);
        } else {
            assert_int_equal(outcome, OUTCOME_RULE);
            assert_non_null(strstr(why.detail, "p.yaml:2: "));
            assert_non_null(strstr(why.detail, rows[i].detail));
        }
    }
}

static void the_shipped_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum verification_kind kind;
    } rows[] = {{"fapi2-id-token", VERIFICATION_ID_TOKEN},
                {"op-id-token", VERIFICATION_ID_TOKEN},
                {"op-id-token-front", VERIFICATION_ID_TOKEN},
                {"op-response-jws", VERIFICATION_DETACHED_JWS},
                {"paynet-id-token", VERIFICATION_ID_TOKEN},
                {"paynet-id-token-refresh", VERIFICATION_ID_TOKEN}};
    struct profiles *profiles = load_shipped();
    assert_int_equal(profiles_verifications(profiles), COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct verification *profile = profiles_verification_at(profiles, i);
        assert_string_equal(profile->name, rows[i].name);
        assert_ptr_equal(profiles_verification(profiles, rows[i].kind, rows[i].name), profile);
        JSON_CLEANUP json_t *schema =
            json_loads(profile->input_schema, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(schema);
    }
    assert_null(profiles_verification(profiles, VERIFICATION_DETACHED_JWS, "op-detached"));
    assert_null(profiles_verification(profiles, VERIFICATION_DETACHED_JWS, "op-id-token"));
    profiles_free(profiles);
}

/* What the files say, and what holds where they say nothing. */
static void rules_of_an_id_token(void **state)
{
    (void)state;
    struct profiles *profiles = load_shipped();
    const struct verification *op =
        profiles_verification(profiles, VERIFICATION_ID_TOKEN, "op-id-token-front");
    assert_non_null(op);
    assert_string_equal(op->id_token.client_id, "cu096Eiii4i2c5CeThpf");
    assert_int_equal(op->id_token.leeway_s, 60);
    assert_int_equal(op->id_token.max_iat_age_s, 600);
    assert_int_equal(*op->id_token.max_age_s, 86400);
    assert_int_equal(op->id_token.nonce, NEED_REQUIRED);
    assert_int_equal(op->id_token.auth_time, NEED_IF_PRESENT);
    assert_int_equal(op->id_token.response_iss, NEED_WHEN_SENT);
    assert_int_equal(op->id_token.hashes[TOKEN_C_HASH], NEED_REQUIRED);
    assert_int_equal(op->id_token.hashes[TOKEN_S_HASH], NEED_REQUIRED);
    assert_int_equal(op->id_token.hashes[TOKEN_AT_HASH], NEED_IF_PRESENT);
    assert_int_equal(op->id_token.intent.n, 2);
    assert_string_equal(op->id_token.acr.items[0], "urn:openbanking:psd2:sca");
    assert_int_equal(op->rules.b64, JWS_B64_TRUE);
    JSON_CLEANUP json_t *schema = json_loads(op->input_schema, JSON_REJECT_DUPLICATES, NULL);
    JSON_CLEANUP json_t *required =
        json_pack("[s,s,s,s,s,s]", "id_token", "nonce", "code", "state", "intent_id", "jwks");
    assert_true(json_equal(json_object_get(schema, "required"), required));
    profiles_free(profiles);
}

static int setup(void **state)
{
    (void)state;
    test_files_init(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_files_fini(&files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pinned_set_is_read_strictly),
        cmocka_unit_test(a_file_is_read_like_a_text),
        cmocka_unit_test(algorithms_are_the_template_s),
        cmocka_unit_test(parties_belong_to_id_tokens),
        cmocka_unit_test(the_shipped_ones),
        cmocka_unit_test(rules_of_an_id_token),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
