/* SPDX-License-Identifier: Apache-2.0
 * Keys named by the beginning of their thumbprint. Names that are a role's are in
 * test_custody_change.c, with the verbs. */
#include "custody/change.h"

#include "jose/public_key_parts.h"
#include "keyring_support.h"

static const uint32_t es256 = 1U << ALG_ES256;
static const char first[] = "abcdefgh";

/* Nobody can wait for two that begin alike. */
static struct public_key *key_that_begins(const char *text)
{
    struct public_key *key = new_public_key(KEY_P256);
    memcpy(key->thumbprint, text, strlen(text));
    return key;
}

static void add(struct keyring **keyring, const char *token, struct public_key *key)
{
    add_key(keyring, key_of("seal", token, 1, es256, key));
}

static void a_beginning_is_enough_while_it_is_one_s_own(void **state)
{
    (void)state;
    struct selection out = {0};
    struct reason why = {0};
    struct keyring *keyring = empty_keyring();
    add(&keyring, "hsm-a", key_that_begins("abcdefghA"));
    add(&keyring, "hsm-b", key_that_begins("abcdefghB"));
    assert_refused(select_by_thumbprint(NULL, keyring, first, &out, &why), OUTCOME_RULE, why,
                   "more than one key's thumbprint begins so: say more");
    out.n = 0;
    assert_done(select_by_thumbprint(NULL, keyring, "abcdefghB", &out, &why), why);
    assert_int_equal(out.n, 1);
    assert_int_equal(out.indexes[0], 1);
    out.n = 0;
    assert_done(select_by_thumbprint("hsm-a", keyring, first, &out, &why), why);
    assert_int_equal(out.n, 1);
    assert_int_equal(out.indexes[0], 0);
    out.n = 0;
    assert_refused(select_by_thumbprint(NULL, keyring, "abcdefg", &out, &why), OUTCOME_NOT_FOUND,
                   why, "a thumbprint needs at least its first 8 characters");
    assert_refused(select_by_thumbprint(NULL, keyring, "abcdefghC", &out, &why), OUTCOME_NOT_FOUND,
                   why, "no key whose thumbprint begins so in the keyring");
    keyring_free(keyring);
}

/* One key on each of more tokens than a verb is done to at once. */
static void so_many_and_no_more(void **state)
{
    (void)state;
    struct selection out = {0};
    struct reason why = {0};
    struct keyring *keyring = empty_keyring();
    struct public_key *key = key_that_begins(first);
    for (unsigned int i = 0; i < SELECTION_MAX; i++) {
        char token[32];
        (void)snprintf(token, sizeof token, "hsm-%u", i);
        add(&keyring, token, public_key_ref(key));
    }
    assert_done(select_by_thumbprint(NULL, keyring, first, &out, &why), why);
    assert_int_equal(out.n, SELECTION_MAX);
    add(&keyring, "one-more", public_key_ref(key));
    out.n = 0;
    char text[80];
    (void)snprintf(text, sizeof text, "more than %d keys: name one by its thumbprint",
                   SELECTION_MAX);
    assert_refused(select_by_thumbprint(NULL, keyring, first, &out, &why), OUTCOME_RULE, why, text);
    public_key_free(key);
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beginning_is_enough_while_it_is_one_s_own),
        cmocka_unit_test(so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
