/* SPDX-License-Identifier: Apache-2.0
 * The families of claim names, and that no kind's template takes a claim of another artefact. */
#include "policy_support.h"

#include "policy/kinds.h"

static struct test_files files;

static enum outcome load(const char *path, const char *name, struct reason *why)
{
    TEMPLATE_CLEANUP struct template *template = NULL;
    return template_load(path, name, NULL, &template, why);
}

#define ALL                                                                                        \
    (FAMILY_FOREIGN | FAMILY_REGISTRATION | FAMILY_FRONT_CHANNEL | FAMILY_AUTHORIZATION |          \
     FAMILY_RIGHTS)

static void test_a_name_is_of_one_family(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned int family;
    } names[] = {
        {"sub", FAMILY_FOREIGN},
        {"client_notification_token", FAMILY_FOREIGN},
        {"redirect_uris", FAMILY_REGISTRATION},
        {"software_statement", FAMILY_REGISTRATION},
        {"redirect_uri", FAMILY_FRONT_CHANNEL},
        {"id_token_hint", FAMILY_FRONT_CHANNEL},
        {"response_type", FAMILY_AUTHORIZATION},
        {"authorization_details", FAMILY_AUTHORIZATION},
        {"scope", FAMILY_RIGHTS},
        {"acr", FAMILY_RIGHTS},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(kinds_name_is_of(names[i].name, names[i].family));
        assert_true(kinds_name_is_of(names[i].name, ALL));
        assert_false(kinds_name_is_of(names[i].name, ALL & ~names[i].family));
        assert_false(kinds_name_is_of(names[i].name, 0));
    }
}

static void test_other_names_are_of_none(void **state)
{
    (void)state;
    static const char *const names[] = {"", "data", "iss", "jwk", "Sub", "client_ids", "code"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(kinds_name_is_of(names[i], ALL));
    }
}

/* What the tables of other standards have, put into each kind's template. */
static const struct evil {
    const char *name;
    const char *operation;
    const char *before; /* the claim is put in front of this line */
    const char *claims[48];
} evils[] = {
    {"fapi2-jar",
     "jar",
     "  - {name: state, rule: caller",
     {"request",
      "request_uri",
      "software_statement",
      "redirect_uris",
      "events",
      "htm",
      "htu",
      "ath",
      "client_secret",
      "client_assertion",
      "client_assertion_type",
      "assertion",
      "grant_type",
      "jwks",
      "jwks_uri",
      "grant_types",
      "response_types",
      "token_endpoint_auth_method",
      "client_name",
      "software_id",
      "software_version",
      "request_uris",
      "login_hint_token",
      "binding_message",
      "client_notification_token"}},
    {"op-exemption",
     "grant-assertion",
     "  - {name: state, rule: caller",
     {"redirect_uris",
      "request",
      "request_uri",
      "software_statement",
      "events",
      "code_challenge",
      "code_challenge_method",
      "htm",
      "htu",
      "ath",
      "grant_type",
      "client_assertion",
      "assertion",
      "jwks",
      "jwks_uri",
      "response_types",
      "grant_types",
      "token_endpoint_auth_method",
      "client_name",
      "software_id",
      "software_version",
      "request_uris",
      "login_hint",
      "login_hint_token",
      "id_token_hint",
      "binding_message"}},
    {"op-registration",
     "registration",
     "  - {name: jwks, rule: forbidden}",
     {"response_type",
      "redirect_uri",
      "client_id",
      "request",
      "request_uri",
      "events",
      "nonce",
      "state",
      "code_challenge",
      "htm",
      "htu",
      "ath",
      "grant_type",
      "client_assertion",
      "assertion",
      "claims",
      "acr_values",
      "authorization_details",
      "login_hint",
      "login_hint_token",
      "id_token_hint",
      "binding_message"}},
    {"br-body",
     "body-jwt",
     "  - {name: data,",
     {"response_type",
      "client_id",
      "redirect_uri",
      "redirect_uris",
      "scope",
      "nonce",
      "state",
      "request",
      "request_uri",
      "software_statement",
      "events",
      "code_challenge",
      "htm",
      "htu",
      "ath",
      "grant_type",
      "client_assertion",
      "assertion",
      "acr",
      "claims",
      "jwks",
      "jwks_uri",
      "grant_types",
      "response_types",
      "token_endpoint_auth_method",
      "client_name",
      "software_id",
      "software_version",
      "login_hint",
      "login_hint_token",
      "id_token_hint",
      "binding_message",
      "authorization_details",
      "request_uris",
      "acr_values"}},
};

static int line_of(const char *text, const char *part)
{
    int line = 1;
    for (const char *at = text; at < strstr(text, part); at++) {
        line += *at == '\n';
    }
    return line;
}

static bool evil_is_refused(const struct evil *evil, const char *claim)
{
    char *text = shipped_template(evil->name);
    char new[256];
    (void)snprintf(new, sizeof new, "  - {name: %s, rule: caller, type: string}\n%s", claim,
                   evil->before);
    char detail[256];
    (void)snprintf(detail, sizeof detail, "%s.yaml:%d: %s never has this claim", evil->name,
                   line_of(text, evil->before), evil->operation);
    free(text);
    const struct change change = {evil->name, evil->before, new, detail};
    return template_fits(files.templates, &change, load);
}

static void test_no_claim_of_another_artefact(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(evils); i++) {
        for (size_t k = 0; evils[i].claims[k] != NULL; k++) {
            wrong += evil_is_refused(&evils[i], evils[i].claims[k]) ? 0 : 1;
        }
    }
    assert_int_equal(wrong, 0);
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
        cmocka_unit_test(test_a_name_is_of_one_family),
        cmocka_unit_test(test_other_names_are_of_none),
        cmocka_unit_test(test_no_claim_of_another_artefact),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
