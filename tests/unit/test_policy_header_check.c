/* SPDX-License-Identifier: Apache-2.0
 * What is refused of a template's header and crit (RFC 7515 section 4.1.11, RFC 7797). */
#include "policy_support.h"

#include "policy/template.h"

static struct test_files files;

static enum outcome load(const char *path, const char *name, struct reason *why)
{
    TEMPLATE_CLEANUP struct template *template = NULL;
    return template_load(path, name, NULL, &template, why);
}

static const struct change changes[] = {
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: kid, source: kid}\n", "a second header member"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: kid}\n", "source of their own name"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: crit, source: const, json: \"[]\"}\n",
     "source of their own name"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: jku, source: const, value: \"https://x\"}\n",
     "never stands in a header"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x5u, source: const, value: \"https://x\"}\n",
     "never stands in a header"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: zip, source: const, value: DEF}\n",
     "never stands in a header"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: const}\n",
     "exactly one of value and json"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: const, value: a, json: \"1\"}\n",
     "exactly one of value and json"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: now, value: a}\n",
     "exactly one of value and json"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: const, json: \"nope\"}\n",
     "json is not JSON text"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: config}\n",
     "source config, and no other"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: now, config: issuer}\n",
     "source config, and no other"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: config, config: nothing}\n",
     "config names no binding"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: x, source: config, config: issuer}\n", NULL},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: b64, source: const, json: \"false\"}\n",
     "b64 is const"},
    {"fapi2-jar", "  - {name: kid, source: kid}\n",
     "  - {name: kid, source: kid}\n  - {name: b64, source: const, json: \"true\"}\n",
     "b64 is const"},
    {"uk-313", "json: 'false'", "json: 'true'", "b64 is const"},
    {"uk-313", "json: 'false'", "value: \"false\"", "b64 is const"},
    {"uk-313", "  - {name: b64, source: const, json: 'false'}\n", "",
     "crit names a member that is not in the header"},
    {"rebit", "  - {name: b64, source: const, json: 'false'}\n", "", "needs the header member b64"},
    {"rebit", "allow_b64_without_crit: true", "allow_b64_without_crit: false",
     "b64 must be in crit"},
    {"uk-313", "crit: [b64, ", "crit: [", "b64 must be in crit"},
    {"uk-313", NULL, "allow_b64_without_crit: true\n", "b64 must be in crit"},
    {"uk-314", NULL, "allow_b64_without_crit: true\n", "this goes with body-raw"},
    {"uk-314", "crit: [\"http", "crit: [alg, \"http", "may not name a registered member"},
    {"uk-314", "crit: [\"http", "crit: [x, \"http", "not in the header"},
    {"uk-314", "crit: [\"http", "crit: [\"http://openbanking.org.uk/iss\", \"http",
     "names a member twice"},
    {"uk-314", "  - {name: crit, source: crit}\n", "", "both or neither"},
    {"op-detached", "  - {name: alg, source: alg}\n",
     "  - {name: alg, source: alg}\n  - {name: crit, source: crit}\n", "both or neither"},
    {"op-detached", "  - {name: alg, source: alg}\n", "", "needs the member alg"},
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
