/* SPDX-License-Identifier: Apache-2.0
 * What is refused of a template's nested rules and its shorthand. */
#include "policy_support.h"

#include "policy/template.h"

static struct test_files files;

static enum outcome load(const char *path, const char *name, struct reason *why)
{
    TEMPLATE_CLEANUP struct template *template = NULL;
    return template_load(path, name, NULL, &template, why);
}

static const struct change changes[] = {
    {"op-jar", "/claims/id_token/acr/values", "claims/id_token/acr/values",
     "a place is a JSON pointer"},
    {"op-jar", "/claims/id_token/acr/values", "/claims/id_token//values",
     "a place is a JSON pointer"},
    {"op-jar", "/claims/id_token/acr/values", "/claims/id_token/", "a place is a JSON pointer"},
    {"op-jar", "/claims/id_token/acr/values", "/claims/id~0token", "a place is a JSON pointer"},
    {"op-jar", "/claims/id_token/acr/values", "/other/x", "inside a claim of rule caller"},
    {"op-jar", "/claims/id_token/acr/values", "/state/x", "inside a claim of rule caller"},
    {"op-jar", "/claims/id_token/acr/values", "/claims/id_token/acr", "or lies inside another"},
    {"op-jar", "/claims/id_token/acr/values", "/claims/id_token/acr/essential", "named twice"},
    {"op-jar", "equals: '[\"urn:openbanking:psd2:sca\"]'", "equals: '['",
     "equals is not JSON text"},
    {"op-jar", "equals: '[\"urn:openbanking:psd2:sca\"]'",
     "equals: '[\"urn:openbanking:psd2:sca\"]', max_length: 3", "equals takes no pattern"},
    {"op-jar", "pattern: '[A-Za-z0-9-]+'", "pattern: '['", "a bracket is not closed"},
    {"op-jar", "name: authorizationId", "name: state", "must not be the name of a claim"},
    {"op-jar", "name: authorizationId", "name: sub", "must not be the name of a claim"},
    {"op-jar", "  claim: claims", "  claim: state", "claim must name a claim"},
    {"op-jar", "  claim: claims", "  claim: nothing", "claim must name a claim"},
    {"op-jar", ", closed: true", "", "claim must name a claim"},
    {"op-jar", "{at: [/claims/id_token/acr/essential], equals: 'true'}",
     "{at: [/claims/id_token/acr/essential]}", "exactly one string open"},
    {"fapi2-jar", "{name: claims, rule: caller, type: object, required: false}",
     "{name: claims, rule: caller, type: object, closed: true}",
     "a closed claim is an object with nested rules"},
    {"fapi2-jar", "{name: claims, rule: caller, type: object, required: false}\n",
     "{name: claims, rule: caller, type: object}\n  - {name: more, rule: caller, type: "
     "object}\n\nnested:\n  - {at: [/claims/a, /more/a]}\n#",
     "all places of one rule"},
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
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
