/* SPDX-License-Identifier: Apache-2.0
 * Whose roles there are, and which of a role's keys is meant. */
#include "signing/role.h"

#include "check.h"
#include "instance.h"

#include <stdio.h>
#include <unistd.h>

struct rooms {
    struct instance instance;
    struct view *view;
    const struct config_caller *flow;
};

static int setup(void **state)
{
    static struct rooms rooms;
    struct instance *instance = &rooms.instance;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    instance_init(instance, "[paynet-assertion]", "[operator, custodian]");
    instance->caller_more = ", roles: [transport]";
    instance->roles_more = "  - {name: transport, purpose: transport, certificate: optional, key: "
                           "p-256, tokens: [hsm-a, hsm-b]}\n"
                           "  - {name: others, purpose: transport, certificate: optional, key: "
                           "p-256, tokens: [hsm-a]}\n"
                           "  - {name: audit, purpose: audit, key: p-256, algorithms: [ES256], "
                           "tokens: [hsm-a]}\n";
    instance_configure(instance, "[paynet-assertion]", "[operator, custodian]");
    assert_done(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), why);
    assert_done(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"transport\"}", &result, &why),
        why);
    assert_done(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"audit\"}", &result, &why), why);
    rooms.view = view_cell_get(instance->views);
    rooms.flow = config_caller(rooms.view->policy->config, geteuid());
    *state = &rooms;
    return 0;
}

static int teardown(void **state)
{
    struct rooms *rooms = *state;
    view_unref(rooms->view);
    instance_fini(&rooms->instance);
    return 0;
}

static void a_role_is_granted_by_name_or_by_a_profile(void **state)
{
    const struct rooms *rooms = *state;
    assert_true(role_is_granted(rooms->view, rooms->flow, "transport"));
    assert_true(role_is_granted(rooms->view, rooms->flow, "seal")); /* paynet-assertion's */
    assert_false(role_is_granted(rooms->view, rooms->flow, "seal-ec"));
    assert_false(role_is_granted(rooms->view, rooms->flow, "others"));
    assert_false(role_is_granted(rooms->view, rooms->flow, "no-such"));
}

static void refusals_name_role_caller_and_uid(void **state)
{
    const struct rooms *rooms = *state;
    const struct config_role *role = NULL;
    struct reason why = {0};
    char text[128];
    assert_done(role_find_transport(rooms->view, rooms->flow, "transport", &role, &why), why);
    assert_string_equal(role->name, "transport");
    assert_refused(role_find_transport(rooms->view, rooms->flow, "no-such", &role, &why),
                   OUTCOME_NOT_FOUND, why, "there is no transport role no-such");
    assert_refused(role_find_transport(rooms->view, rooms->flow, "seal", &role, &why),
                   OUTCOME_NOT_FOUND, why, "there is no transport role seal");
    (void)snprintf(text, sizeof text, "transport key others is not granted to caller flow (uid %u)",
                   geteuid());
    assert_refused(role_find_transport(rooms->view, rooms->flow, "others", &role, &why),
                   OUTCOME_NOT_GRANTED, why, text);
    assert_string_equal(why.detail, text);

    assert_done(role_find_any(rooms->view, rooms->flow, "transport", &role, &why), why);
    assert_done(role_find_any(rooms->view, rooms->flow, "seal", &role, &why), why);
    assert_refused(role_find_any(rooms->view, rooms->flow, "no-such", &role, &why),
                   OUTCOME_NOT_FOUND, why, "there is no role no-such");
    assert_refused(role_find_any(rooms->view, rooms->flow, "others", &role, &why),
                   OUTCOME_NOT_GRANTED, why, text);
    (void)snprintf(text, sizeof text,
                   "no profile of role seal-ec is granted to caller flow (uid %u)", geteuid());
    assert_refused(role_find_any(rooms->view, rooms->flow, "seal-ec", &role, &why),
                   OUTCOME_NOT_GRANTED, why, text);
}

/* Also to a caller who is granted everything. */
static void an_audit_role_is_no_caller_s(void **state)
{
    const struct rooms *rooms = *state;
    char *all[] = {(char[]){"*"}};
    const struct config_caller everybody = {
        .name = (char[]){"all"}, .profiles = all, .n_profiles = 1, .roles = all, .n_roles = 1};
    const struct config_role *role = NULL;
    struct reason why = {0};
    assert_true(role_is_granted(rooms->view, &everybody, "transport"));
    assert_false(role_is_granted(rooms->view, &everybody, "audit"));
    assert_refused(role_find_any(rooms->view, &everybody, "audit", &role, &why), OUTCOME_NOT_FOUND,
                   why, "there is no role audit; GET /v1/keys lists yours");
    assert_refused(role_find_transport(rooms->view, &everybody, "audit", &role, &why),
                   OUTCOME_NOT_FOUND, why, "there is no transport role audit");
}

/* Its key is active like any, and signs only while it is. */
static void an_audit_key_signs_while_it_is_active(void **state)
{
    struct rooms *rooms = *state;
    const struct config_role *role = config_role(rooms->view->policy->config, "audit");
    struct key *own = (struct key *)(uintptr_t)role_key(rooms->view, role, "hsm-a", "");
    assert_non_null(own);
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        own->state = (enum key_state)i;
        const char *kid = public_key_thumbprint(own->public_key);
        assert_int_equal(role_key(rooms->view, role, "hsm-a", kid) != NULL, i == KEY_ACTIVE);
    }
    own->state = KEY_ACTIVE;
}

static void a_thumbprint_chooses_among_a_role_s_keys(void **state)
{
    struct rooms *rooms = *state;
    const struct config_role *role = config_role(rooms->view->policy->config, "transport");
    const struct key *a = role_key(rooms->view, role, "hsm-a", "");
    const struct key *b = role_key(rooms->view, role, "hsm-b", "");
    assert_non_null(a);
    assert_non_null(b);
    const char *kid_b = public_key_thumbprint(b->public_key);
    assert_string_not_equal(public_key_thumbprint(a->public_key), kid_b);
    assert_ptr_equal(role_key(rooms->view, role, "hsm-b", kid_b), b);
    assert_null(role_key(rooms->view, role, "hsm-a", kid_b));
    assert_true(role_has_key(rooms->view, role, kid_b));
    assert_false(role_has_key(rooms->view, role, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    /* Another role's key is not this role's, whatever it is called by. */
    const struct config_role *others = config_role(rooms->view->policy->config, "others");
    assert_null(role_key(rooms->view, others, "hsm-b", kid_b));
    assert_false(role_has_key(rooms->view, others, ""));
}

static void the_key_shown_is_of_a_token_that_is_up(void **state)
{
    struct rooms *rooms = *state;
    struct instance *instance = &rooms->instance;
    const struct config_role *role = config_role(rooms->view->policy->config, "transport");
    const struct key *a = role_key(rooms->view, role, "hsm-a", "");
    const struct key *b = role_key(rooms->view, role, "hsm-b", "");
    assert_ptr_equal(role_key_shown(rooms->view, instance->watch, role, ""), a);
    instance->tokens[0].state = TOKEN_LOCKED;
    instance_wait_state(instance, "hsm-a", TOKEN_LOCKED);
    assert_ptr_equal(role_key_shown(rooms->view, instance->watch, role, ""), b);
    assert_ptr_equal(
        role_key_shown(rooms->view, instance->watch, role, public_key_thumbprint(a->public_key)),
        a);
    instance->tokens[1].state = TOKEN_ABSENT;
    instance_wait_state(instance, "hsm-b", TOKEN_ABSENT);
    assert_ptr_equal(role_key_shown(rooms->view, instance->watch, role, ""), a);
}

static void the_key_shown_has_not_ended_while_another_has_not(void **state)
{
    struct rooms *rooms = *state;
    struct watch *watch = rooms->instance.watch;
    const struct config_role *role = config_role(rooms->view->policy->config, "transport");
    const struct key *a = role_key(rooms->view, role, "hsm-a", "");
    const struct key *b = role_key(rooms->view, role, "hsm-b", "");
    rooms->view->ends[a - rooms->view->keyring->keys].stop_at = 1;
    assert_ptr_equal(role_key_shown(rooms->view, watch, role, ""), b);
    rooms->view->ends[b - rooms->view->keyring->keys].stop_at = 1;
    assert_ptr_equal(role_key_shown(rooms->view, watch, role, ""), a);
}

static void without_a_key_it_is_said_what_to_do(void **state)
{
    const struct rooms *rooms = *state;
    const struct config_role *role = config_role(rooms->view->policy->config, "others");
    struct reason why = {0};
    assert_null(role_key_shown(rooms->view, rooms->instance.watch, role, ""));
    assert_refused(role_refuse_without_key(rooms->view, role, "", &why), OUTCOME_NO_KEY, why,
                   "qsealctl key generate others");
    assert_refused(role_refuse_without_key(rooms->view, role,
                                           "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", &why),
                   OUTCOME_NOT_FOUND, why, "role others has no active key of this thumbprint");
}

/* What is said of a key depends on its state; a transport key signs by its thumbprint while it is
 * retiring. */
static void a_key_that_does_not_sign_is_named_with_its_state(void **state)
{
    const struct rooms *rooms = *state;
    const struct config_role *role = config_role(rooms->view->policy->config, "transport");
    const struct key *key = role_key(rooms->view, role, "hsm-a", "");
    assert_non_null(key);
    char kid[THUMBPRINT_SIZE];
    memcpy(kid, public_key_thumbprint(key->public_key), sizeof kid);
    struct key *own = &rooms->view->keyring->keys[key - rooms->view->keyring->keys];
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        char want[100];
        struct reason why = {0};
        own->state = (enum key_state)i;
        bool signs = i == KEY_ACTIVE || i == KEY_RETIRING;
        assert_int_equal(role_key(rooms->view, role, "hsm-a", kid) != NULL, signs);
        assert_int_equal(role_key(rooms->view, role, "hsm-a", "") != NULL, i == KEY_ACTIVE);
        (void)snprintf(want, sizeof want, "with this thumbprint is %s, and a key that is %s signs",
                       key_state_name(own->state), key_state_name(own->state));
        bool over = i == KEY_RETIRED || i == KEY_DESTROYED || i == KEY_COMPROMISED;
        assert_refused(role_refuse_without_key(rooms->view, role, kid, &why),
                       over ? OUTCOME_NOT_FOUND : OUTCOME_NO_KEY, why, want);
    }
    own->purpose = PURPOSE_SEAL;
    own->state = KEY_RETIRING;
    assert_null(role_key(rooms->view, role, "hsm-a", kid));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_role_is_granted_by_name_or_by_a_profile),
        TEST(refusals_name_role_caller_and_uid),
        TEST(an_audit_role_is_no_caller_s),
        TEST(an_audit_key_signs_while_it_is_active),
        TEST(a_key_that_does_not_sign_is_named_with_its_state),
        TEST(a_thumbprint_chooses_among_a_role_s_keys),
        TEST(the_key_shown_is_of_a_token_that_is_up),
        TEST(the_key_shown_has_not_ended_while_another_has_not),
        TEST(without_a_key_it_is_said_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
