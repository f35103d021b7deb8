/* SPDX-License-Identifier: Apache-2.0
 * Which arguments of a command stand in its audit record: those that the handlers of recorded verbs
 * take, which are seen where they are checked. */
#include "audit_support.h"
#include "custody/act.h"
#include "custody/act_record.h"
#include "pki/request_profile.h"

enum { NAMES_MAX = 64, NAME_SIZE = 32 };

static struct {
    char names[NAMES_MAX][NAME_SIZE]; /* each once */
    size_t n;
    size_t lists;
} taken;

enum outcome __real_act_check_arguments(const struct act *act, const char *const names[],
                                        struct reason *why);
enum outcome __wrap_act_check_arguments(const struct act *act, const char *const names[],
                                        struct reason *why);

static bool is_taken(const char *name)
{
    for (size_t i = 0; i < taken.n; i++) {
        if (strcmp(taken.names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

enum outcome __wrap_act_check_arguments(const struct act *act, const char *const names[],
                                        struct reason *why)
{
    bool is_recorded = act->ticket.epoch != 0;
    taken.lists += is_recorded ? 1 : 0;
    for (size_t i = 0; is_recorded && names[i] != NULL; i++) {
        if (!is_taken(names[i])) {
            assert_true(taken.n < NAMES_MAX);
            (void)snprintf(taken.names[taken.n++], NAME_SIZE, "%s", names[i]);
        }
    }
    return __real_act_check_arguments(act, names, why);
}

static int setup(void **state)
{
    memset(&taken, 0, sizeof taken);
    *state = audited_instance("[operator, custodian, approver]");
    return 0;
}

static int teardown(void **state)
{
    transport_instance_free(*state);
    return 0;
}

/* Each verb with an argument that none has: its handler looks at its arguments, and does nothing.
 */
static size_t ask_all(struct instance *instance)
{
    size_t unknown = 0;
    for (unsigned int verb = CUSTODY_STATUS; verb <= CUSTODY_AUDIT_CHECKPOINT; verb++) {
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
        enum outcome outcome = instance_admin(instance, (enum custody_verb)verb,
                                              "{\"no such argument\":\"x\"}", &result, &why);
        unknown += outcome == OUTCOME_MALFORMED ? 1 : 0;
    }
    return unknown;
}

static bool is_member(const json_t *given, const char *name)
{
    return json_object_get(given, name) != NULL;
}

/* A name that is missing in the table would never be in the log, and one that no handler takes
 * could bring there what was typed in the wrong place. */
static void what_the_handlers_take_is_what_is_recorded(void **state)
{
    struct instance *instance = *state;
    BUFFER_CLEANUP struct buffer arguments = BUFFER_INIT(4096);
    assert_true(ask_all(instance) > taken.lists); /* those that only read have some, too */
    assert_true(taken.lists > 15);
    assert_true(is_taken("role") && is_taken("chain") && !is_taken("days"));
    buffer_put_text(&arguments, "{");
    for (size_t i = 0; i < taken.n; i++) {
        buffer_put_format(&arguments, "%s\"%s\":\"x\"", i == 0 ? "" : ",", taken.names[i]);
    }
    buffer_put_text(&arguments, "}");
    uint64_t before = audit_mark(instance);
    refuse_verb(instance, CUSTODY_CLOCK_CONFIRM, buffer_text(&arguments), OUTCOME_MALFORMED,
                "an argument is unknown or not a string");
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    const json_t *given = json_object_get(admin, "arguments");
    for (size_t i = 0; i < taken.n; i++) {
        if (!is_member(given, taken.names[i])) {
            print_error("not recorded: %s\n", taken.names[i]);
        }
        assert_true(is_member(given, taken.names[i]));
    }
    assert_int_equal(json_object_size(given), taken.n);
    for (size_t i = 0; act_record_arguments[i] != NULL; i++) {
        if (!is_taken(act_record_arguments[i])) {
            print_error("no handler takes it: %s\n", act_record_arguments[i]);
        }
        assert_true(is_taken(act_record_arguments[i]));
    }
}

/* It stands in the certificate, but nobody can take it out of the log again. */
static void what_is_about_a_person_is_a_digest(void **state)
{
    struct instance *instance = *state;
    char digest[sizeof "sha256:" + SHA256_TEXT_SIZE] = "sha256:";
    uint64_t before = audit_mark(instance);
    refuse_verb(instance, CUSTODY_KEY_CSR,
                "{\"role\":\"seal\",\"responsible\":\"ANNA\",\"responsible_data\":\"01011970\","
                "\"cnpj\":\"12345678000195\"}",
                OUTCOME_NO_KEY, "");
    JSON_CLEANUP json_t *admin = audit_record(instance, before, "admin");
    const json_t *given = json_object_get(admin, "arguments");
    expect_text(given, "cnpj", "12345678000195");
    assert_true(sha256_text(span_of_text("ANNA"), digest + strlen("sha256:")));
    expect_text(given, "responsible", digest);
    assert_true(sha256_text(span_of_text("01011970"), digest + strlen("sha256:")));
    expect_text(given, "responsible_data", digest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_handlers_take_is_what_is_recorded),
        TEST(what_is_about_a_person_is_a_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
