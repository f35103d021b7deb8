/* SPDX-License-Identifier: Apache-2.0
 * What a template's own checks refuse. */
#include "policy_support.h"

#include "policy/template.h"
#include "policy/template_check.h"

static struct test_files files;

static enum outcome load(const char *path, const char *name, struct reason *why)
{
    TEMPLATE_CLEANUP struct template *template = NULL;
    return template_load(path, name, NULL, &template, why);
}

static const struct change changes[] = {
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: nonce, rule: caller, type: string}\n", "a second claim of this name"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const}\n", "exactly one of value and json"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, value: a, json: \"1\"}\n", "exactly one of value and json"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, value: a}\n", "exactly one of value and json"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, json: \"{\"}\n", "json is not JSON text"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, json: \"{'a':1}\"}\n", "json is not JSON text"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, json: '{\"a\":1,\"a\":2}'}\n", "json is not JSON text"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, json: '0.12345678901234567'}\n", "json is not JSON text"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, json: '0.5'}\n", NULL},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: config}\n", "rule config, and no other, takes config"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, value: a, config: issuer}\n",
     "rule config, and no other, takes config"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: config, config: nothing}\n", "config names no binding"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: generated}\n", "rule generated, and no other, takes generated"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, generated: jti}\n",
     "rule generated, and no other, takes generated"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller}\n", "rule caller, and no other, takes type"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, value: a, type: string}\n",
     "rule caller, and no other, takes type"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: choice}\n", "rule choice takes exactly one"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: choice, enum: [a], enum_from: redirect_uris}\n",
     "one of enum and enum_from"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, enum: [a], enum_from: redirect_uris}\n",
     "one of enum and enum_from"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: choice, enum_from: issuer}\n",
     "enum_from must name a required binding"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: choice, enum_from: nothing}\n",
     "enum_from must name a required binding"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, value: a, enum: [a]}\n", "rule choice takes exactly one"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: derived}\n", "rule derived, and no other, takes from"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, from: x}\n",
     "rule derived, and no other, takes from"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: derived, from: nonce}\n", "from must be a name that is no claim"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: derived, from: sub}\n", "from must be a name that is no claim"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: derived, from: secret}\n", NULL},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, value: a, required: false}\n", "required is asked of callers"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, as: array1}\n", "as goes with rule const"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, value: a, as: array1}\n", NULL},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: const, value: a, pattern: b}\n", "this rule takes none"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: choice, enum: [a], max_length: 3}\n", "this rule takes none"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: integer, pattern: b}\n", "go with type string"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: boolean, max_length: 1}\n", "go with type string"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: object, enum: [a]}\n", "go with type string"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, min_value: 1}\n", "go with type integer"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, max_bytes: 1}\n", "go with type object"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, closed: true}\n", "go with type object"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, min_length: 3, max_length: 2}\n",
     "min_length is over max_length"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, pattern: '(a)\\1'}\n", "no back-references"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, pattern: 'a{4000}b{4000}'}\n",
     "expand to too much"},
    {"fapi2-jar",
     "  - {name: state, rule: caller, type: string, required: false, pattern: '[A-Za-z0-9_-]+', "
     "max_length: 256}\n",
     "  - {name: state, rule: caller, type: string, pattern: '('}\n", "a group is not closed"},
    {"fapi2-jar", "algorithms: [PS256, ES256, Ed25519]", "algorithms: [none]", "no such algorithm"},
    {"fapi2-jar", "algorithms: [PS256, ES256, Ed25519]", "algorithms: [HS256]",
     "no such algorithm"},
    {"fapi2-jar", "algorithms: [PS256, ES256, Ed25519]", "algorithms: [Ed25519]\nalg_name: EdDSA",
     NULL},
    {"fapi2-jar", "algorithms: [PS256, ES256, Ed25519]", "algorithms: [Ed25519]\nalg_name: PS256",
     "only Ed25519 has two names"},
    {"fapi2-jar", "algorithms: [PS256, ES256, Ed25519]", "algorithms: [PS256]\nalg_name: EdDSA",
     "only Ed25519 has two names"},
    {"fapi2-jar", "purpose: seal", "purpose: transport", "no such purpose"},
    {"fapi2-jar", "purpose: seal", "purpose: audit", "no such purpose"},
    {"fapi2-jar", "{name: issuer, type: text", "{name: client_id, type: text",
     "a second binding of this name"},
    {"fapi2-jar", "{name: issuer, type: text", "{name: issuer, type: integer",
     "pattern and enum go with"},
    {"fapi2-jar", "[!\"$->@-~]+'", "[z-a]'", "not a POSIX extended"},
    {"fapi2-jar", "lifetime: {exp_after_s: 290, nbf_before_s: 10}", "",
     "lifetime needs exp_after_s"},
    {"br-body", NULL, "lifetime: {exp_after_s: 60}\n", "but no claim exp"},
    {"br-body", NULL, "body: {max_bytes: 3}\n", "body goes with payload"},
    {"uk-314", NULL, "lifetime: {nbf_before_s: 60}\n", "claims, nested and lifetime go with"},
    {"uk-314", NULL, "answer: {artefact: x}\n", "no parameters beside it"},
    {"uk-314", NULL, "answer: {header: \"x y\"}\n", "letters, digits"},
    {"uk-314", NULL, "answer: {header: X-JWS-SIGNATURE}\n", NULL},
    {"fapi2-jar", "  artefact: request", "  header: x", "header goes with detached"},
    {"fapi2-jar", "{name: client_id, source: claim}", "{name: client_id, source: claim, value: x}",
     "takes value"},
    {"fapi2-jar", "{name: client_id, source: claim}", "{name: client_id, source: const}",
     "takes value"},
    {"fapi2-jar", "{name: client_id, source: claim}", "{name: nothing, source: claim}",
     "a parameter repeats a claim"},
    {"fapi2-jar", "{name: client_id, source: claim}", "{name: x, source: claim, claim: exp}",
     "a parameter repeats a claim"},
    {"fapi2-jar", "{name: client_id, source: claim}", "{name: request, source: const, value: x}",
     "the artefact itself has this name"},
    {"fapi2-jar", "{name: client_id, source: claim}",
     "{name: client_id, source: claim}\n    - {name: client_id, source: claim}",
     "a second parameter"},
};

static void test_every_change(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        wrong += template_fits(files.templates, &changes[i], load) ? 0 : 1;
    }
    assert_int_equal(wrong, 0);
}

static void test_names_the_service_sets(void **state)
{
    (void)state;
    assert_true(name_is_service_set("alg"));
    assert_true(name_is_service_set("jti"));
    assert_false(name_is_service_set("client_id"));
    assert_false(name_is_service_set("scope"));
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
        cmocka_unit_test(test_every_change),
        cmocka_unit_test(test_names_the_service_sets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
