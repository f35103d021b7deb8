/* SPDX-License-Identifier: Apache-2.0
 * A template and a binding become a profile, or a reason. */
#include "policy_support.h"

#include "policy/compiled.h"

static struct test_files files;

static enum outcome load(const char *template, const char *binding, struct profiles **profiles,
                         struct reason *why)
{
    write_file(files.templates, "t.yaml", template);
    write_file(files.bindings, "p.yaml", binding);
    struct test_config test;
    test_config_init(&test, files.templates, files.bindings);
    return profiles_load(&test.config, profiles, why);
}

#define HEAD                                                                                       \
    "template: t\noperation: body-jwt\nserialization: compact\npayload: claims\npurpose: seal\n"   \
    "algorithms: [PS256]\nheader:\n  - {name: alg, source: alg}\n  - {name: kid, source: kid}\n"
#define BINDINGS                                                                                   \
    "bindings:\n  - {name: i, type: text}\n  - {name: n, type: integer, required: false}\n"        \
    "  - {name: l, type: list, required: false}\n  - {name: j, type: json, required: false}\n"
#define CLAIMS                                                                                     \
    "claims:\n  - {name: iss, rule: config, config: i}\n  - {name: n, rule: config, config: n}\n"  \
    "  - {name: l, rule: config, config: l}\n  - {name: j, rule: config, config: j}\n"             \
    "  - {name: c, rule: const, json: '[1, {\"a\": null}]'}\n"                                     \
    "  - {name: a, rule: const, value: x, as: array1}\n"
#define PROFILE "profile: p\ntemplate: t\nrole: seal\nalg: PS256\nvalues:\n"

static void test_every_kind_of_value(void **state)
{
    (void)state;
    struct profiles *profiles = NULL;
    struct reason why = {.detail = ""};
    if (load(HEAD BINDINGS CLAIMS,
             PROFILE "  - {name: i, value: me}\n  - {name: n, integer: -7}\n"
                     "  - {name: l, values: [b, a]}\n  - {name: j, json: '{\"z\": 0.5}'}\n",
             &profiles, &why) != OUTCOME_OK) {
        fail_msg("%s", why.detail);
    }
    assert_payload(find_profile(profiles, "p"), "{}",
                   "{\"iss\":\"me\",\"n\":-7,\"l\":[\"b\",\"a\"],\"j\":{\"z\":0.5},"
                   "\"c\":[1,{\"a\":null}],\"a\":[\"x\"]}");
    profiles_free(profiles);
}

static void test_values_not_bound_are_left_out(void **state)
{
    (void)state;
    struct profiles *profiles = NULL;
    struct reason why = {.detail = ""};
    assert_int_equal(
        load(HEAD BINDINGS CLAIMS, PROFILE "  - {name: i, value: me}\n", &profiles, &why),
        OUTCOME_OK);
    const struct profile *profile = find_profile(profiles, "p");
    assert_payload(profile, "{}", "{\"iss\":\"me\",\"c\":[1,{\"a\":null}],\"a\":[\"x\"]}");
    assert_refused(profile, "{\"n\":1}", OUTCOME_RULE, "/n", "no such claim");
    profiles_free(profiles);
}

static void refused(const char *template, const char *binding, const char *detail)
{
    struct profiles *profiles = NULL;
    struct reason why = {.detail = ""};
    assert_int_equal(load(template, binding, &profiles, &why), OUTCOME_RULE);
    if (strstr(why.detail, detail) == NULL) {
        fail_msg("got %s, want %s", why.detail, detail);
    }
    assert_null(profiles);
}

/* A jar's bound or constant value cannot smuggle the exemption in (finding F6). */
static void test_a_bound_value_of_another_artefact(void **state)
{
    (void)state;
#define JAR                                                                                        \
    "template: t\noperation: jar\nserialization: compact\npayload: claims\npurpose: seal\n"        \
    "algorithms: [PS256]\nbindings:\n  - {name: i, type: text}\n  - {name: x, type: text}\n"       \
    "header:\n  - {name: alg, source: alg}\n  - {name: kid, source: kid}\nclaims:\n"               \
    "  - {name: iss, rule: config, config: i}\n  - {name: client_id, rule: config, config: i}\n"   \
    "  - {name: aud, rule: config, config: x}\n  - {name: acr_values, rule: config, config: x}\n"  \
    "  - {name: iat, rule: generated, generated: iat}\n"                                           \
    "  - {name: exp, rule: generated, generated: exp}\n"                                           \
    "  - {name: response_type, rule: const, value: code}\nlifetime: {exp_after_s: 60}\n"
    refused(JAR,
            PROFILE "  - {name: i, value: a}\n  - {name: x, value: \"urn:openbanking:psd2:ca\"}\n",
            "belongs to another artefact");
    refused(JAR "nested: []\n",
            PROFILE
            "  - {name: i, value: a}\n  - {name: x, value: \"a urn:openbanking:psd2:ca\"}\n",
            "belongs to another artefact");
}

static void test_a_header_the_tokens_would_refuse(void **state)
{
    (void)state;
    char template[4096];
    (void)snprintf(template, sizeof template, "%s",
                   HEAD
                   "  - {name: x, source: const, json: '[[[[[[[[[[1]]]]]]]]]]'}\n" BINDINGS CLAIMS);
    refused(template, PROFILE "  - {name: i, value: me}\n", "the tokens would refuse this header");
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
        cmocka_unit_test(test_every_kind_of_value),
        cmocka_unit_test(test_values_not_bound_are_left_out),
        cmocka_unit_test(test_a_bound_value_of_another_artefact),
        cmocka_unit_test(test_a_header_the_tokens_would_refuse),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
