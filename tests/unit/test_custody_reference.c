/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key reference, on qseald's side; and how a role, a token and a key are chosen. */
#include "base/pem.h"
#include "custody_support.h"

static void it_holds_the_active_key_of_the_first_token(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls\",\"token\":\"hsm-a\"}");
    JSON_CLEANUP json_t *only = do_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls\"}");
    assert_string_equal(text_of(only, "token"), "hsm-a");
    make_key(instance, "{\"role\":\"tls\"}");
    JSON_CLEANUP json_t *first = do_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls\"}");
    JSON_CLEANUP json_t *named =
        do_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls\",\"token\":\"hsm-a\"}");
    assert_string_equal(text_of(first, "token"), "hsm-b");
    assert_string_equal(text_of(named, "token"), "hsm-a");
    assert_string_equal(text_of(named, "pem"), text_of(only, "pem"));
    assert_string_not_equal(text_of(first, "pem"), text_of(only, "pem"));

    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(4096);
    struct span text = span_of_text(text_of(first, "pem"));
    assert_true(pem_take(&text, "QSEAL KEY REFERENCE", &der));
    assert_int_equal(text.len, 0);
    struct public_key *key = pinned(instance, "tls", "hsm-b");
    struct span spki = public_key_spki(key);
    assert_true(span_equal(span_part(buffer_span(&der), der.len - spki.len, spki.len), spki));
    assert_string_equal(text_of(first, "kid"), public_key_thumbprint(key));
    char socket[128];
    (void)snprintf(socket, sizeof socket, "%s/qseal.sock", instance->folder);
    assert_string_equal(text_of(first, "socket"), socket);
    assert_non_null(memmem(der.data, der.len, socket, strlen(socket)));
    public_key_free(key);
    transport_instance_free(instance);
}

static void another_socket_may_stand_in_it(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls\"}");
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls\",\"socket\":\"/run/q.sock\"}");
    assert_string_equal(text_of(result, "socket"), "/run/q.sock");
    static const char reason[] = "the socket is an absolute path of at most 107 bytes";
    refuse_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls\",\"socket\":\"q.sock\"}",
                OUTCOME_RULE, reason);
    refuse_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls\",\"socket\":\"\"}", OUTCOME_RULE,
                reason);
    refuse_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls\",\"socket\":\"/run/a b\"}",
                OUTCOME_RULE, "without spaces");
    char arguments[300];
    char path[109] = "/";
    memset(path + 1, 'a', sizeof path - 2);
    path[sizeof path - 1] = '\0';
    (void)snprintf(arguments, sizeof arguments, "{\"role\":\"tls\",\"socket\":\"%s\"}", path);
    refuse_verb(instance, CUSTODY_KEY_REFERENCE, arguments, OUTCOME_RULE, reason);
    transport_instance_free(instance);
}

static void what_cannot_be_chosen_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        enum outcome outcome;
        const char *fragment;
    } rows[] = {
        {"{}", OUTCOME_NOT_FOUND, "the configuration has no such role"},
        {"{\"role\":\"nobody\"}", OUTCOME_NOT_FOUND, "the configuration has no such role"},
        {"{\"role\":\"tls\",\"token\":\"hsm-z\"}", OUTCOME_NOT_FOUND,
         "the configuration has no such token"},
        {"{\"role\":\"tls-rsa\",\"token\":\"hsm-b\"}", OUTCOME_RULE,
         "role tls-rsa is not on token hsm-b"},
        {"{\"role\":\"tls-rsa\"}", OUTCOME_NO_KEY,
         "role tls-rsa has no active key; a custodian runs: qsealctl key generate tls-rsa"},
        {"{\"role\":\"tls\",\"token\":\"hsm-b\"}", OUTCOME_NO_KEY,
         "role tls has no active key on token hsm-b; a custodian runs"},
        {"{\"role\":\"seal-ec\"}", OUTCOME_RULE,
         "role seal-ec is of purpose seal: only transport keys are used by reference"},
        {"{\"role\":\"tls\",\"path\":\"/x\"}", OUTCOME_MALFORMED, "unknown or not a string"},
    };
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls\",\"token\":\"hsm-a\"}");
    make_key(instance, "{\"role\":\"seal-ec\"}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        refuse_verb(instance, CUSTODY_KEY_REFERENCE, rows[i].arguments, rows[i].outcome,
                    rows[i].fragment);
    }
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_the_active_key_of_the_first_token),
        cmocka_unit_test(another_socket_may_stand_in_it),
        cmocka_unit_test(what_cannot_be_chosen_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
