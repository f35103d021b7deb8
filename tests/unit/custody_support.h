/* SPDX-License-Identifier: Apache-2.0
 * An instance with transport roles, for the tests of custody. */
#ifndef QSEAL_TESTS_UNIT_CUSTODY_SUPPORT_H
#define QSEAL_TESTS_UNIT_CUSTODY_SUPPORT_H

#include "check.h"
#include "instance.h"
#include "jose/json.h"

#include <stdlib.h>

/* Roles tls (p-256, on hsm-b and hsm-a), tls-rsa, tls-384 and tls-ed, all without keys. */
static inline struct instance *transport_instance(void)
{
    struct instance *instance = calloc(1, sizeof *instance);
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", "[operator]");
    instance->roles_more = "  - {name: tls, purpose: transport, certificate: optional, key: p-256, "
                           "tokens: [hsm-b, hsm-a]}\n"
                           "  - {name: tls-rsa, purpose: transport, certificate: optional, key: "
                           "rsa-2048, tokens: [hsm-a]}\n"
                           "  - {name: tls-384, purpose: transport, certificate: optional, key: "
                           "p-384, tokens: [hsm-a]}\n"
                           "  - {name: tls-ed, purpose: transport, certificate: optional, key: "
                           "ed25519, tokens: [hsm-a]}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    assert_done(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), why);
    return instance;
}

static inline void transport_instance_free(struct instance *instance)
{
    instance_fini(instance);
    free(instance);
}

static inline void make_key(struct instance *instance, const char *arguments)
{
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    assert_done(instance_admin(instance, CUSTODY_KEY_GENERATE, arguments, &result, &why), why);
}

/* The verb's result, owned by the caller. */
static inline json_t *do_verb(struct instance *instance, enum custody_verb verb,
                              const char *arguments)
{
    struct reason why = {0};
    json_t *json = NULL;
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
    assert_done(instance_admin(instance, verb, arguments, &result, &why), why);
    assert_done(json_parse_object(buffer_span(&result), &json, &why), why);
    return json;
}

static inline void refuse_verb(struct instance *instance, enum custody_verb verb,
                               const char *arguments, enum outcome outcome, const char *fragment)
{
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
    assert_refused(instance_admin(instance, verb, arguments, &result, &why), outcome, why,
                   fragment);
}

static inline const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "(none)" : text;
}

/* As if all that has happened had happened so much earlier. */
static inline void let_pass(struct instance *instance, int64_t seconds)
{
    struct keyring *keyring = NULL;
    struct reason why = {0};
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    keyring->generation++;
    for (size_t i = 0; i < keyring->n_keys; i++) {
        keyring->keys[i].created -= seconds;
        for (size_t j = 0; j < keyring->keys[i].n_history; j++) {
            keyring->keys[i].history[j].at -= seconds;
        }
    }
    assert_done(keyring_save(keyring, instance->keyring_path, &why), why);
    keyring_free(keyring);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

/* The key in the keyring's place, on another token as well and in the same states: a restored
 * backup.
 */
static inline void add_twin(struct instance *instance, size_t index, const char *token)
{
    struct keyring *keyring = NULL;
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    const struct key *key = &keyring->keys[index];
    struct key twin = *key;
    memset(twin.token, 0, sizeof twin.token);
    memcpy(twin.token, token, strlen(token));
    twin.public_key = public_key_ref(key->public_key);
    twin.chain_pem = key->chain_pem == NULL ? NULL : strdup(key->chain_pem);
    twin.history = NULL;
    twin.n_history = 0;
    twin.schedule = NULL;
    twin.n_schedule = 0;
    for (size_t i = 0; i < key->n_history; i++) {
        assert_done(key_note(&twin, &key->history[i], &why), why);
    }
    assert_done(keyring_add(keyring, &twin, &next, &why), why);
    assert_done(keyring_save(next, instance->keyring_path, &why), why);
    keyring_free(next);
    keyring_free(keyring);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

/* The public key that is pinned for the role on the token; owned by the caller. */
static inline struct public_key *pinned(struct instance *instance, const char *role,
                                        const char *token)
{
    struct view *view = view_cell_get(instance->views);
    const struct key *key = keyring_active(view->keyring, role, token);
    assert_non_null(key);
    struct public_key *public_key = public_key_ref(key->public_key);
    view_unref(view);
    return public_key;
}

#endif
