/* SPDX-License-Identifier: Apache-2.0
 * Instances for the tests of custody, and what is asked of them. */
#ifndef QSEAL_TESTS_UNIT_CUSTODY_SUPPORT_H
#define QSEAL_TESTS_UNIT_CUSTODY_SUPPORT_H

#include "check.h"
#include "instance.h"
#include "jose/json.h"

#include <stdio.h>
#include <stdlib.h>

/* An instance of its own, whose uid is granted all and has these rights; ended by
 * transport_instance_free(). */
static inline struct instance *new_instance(const char *rights)
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", rights);
    return instance;
}

/* Roles tls (p-256, on hsm-b and hsm-a), tls-rsa, tls-384 and tls-ed, all without keys. */
static inline struct instance *transport_instance(void)
{
    struct instance *instance = new_instance("[operator]");
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
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

/* Role seal-ec: 0 and 1 are active, on hsm-a and hsm-b, and 2 and 3 wait. */
static inline struct instance *two_generations(void)
{
    struct instance *instance = new_instance("[operator, custodian]");
    make_key(instance, "{\"role\":\"seal-ec\"}");
    make_key(instance, "{\"role\":\"seal-ec\"}");
    return instance;
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

/* The thumbprint of the key in the keyring's place. */
static inline void kid_of(struct instance *instance, size_t index, char out[THUMBPRINT_SIZE])
{
    struct view *view = view_cell_get(instance->views);
    assert_true(index < view->keyring->n_keys);
    memcpy(out, public_key_thumbprint(view->keyring->keys[index].public_key), THUMBPRINT_SIZE);
    view_unref(view);
}

/* Names that key in the arguments of a verb. */
static inline const char *with_key(size_t index, struct instance *instance, char out[200])
{
    char kid[THUMBPRINT_SIZE];
    kid_of(instance, index, kid);
    (void)snprintf(out, 200, "{\"key\":\"%s\"}", kid);
    return out;
}

/* In force, and on the disk. */
static inline void expect_state(struct instance *instance, size_t index, enum key_state want)
{
    struct view *view = view_cell_get(instance->views);
    struct keyring *keyring = NULL;
    struct reason why = {0};
    assert_string_equal(key_state_name(view->keyring->keys[index].state), key_state_name(want));
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    assert_int_equal(keyring->generation, view->keyring->generation);
    assert_int_equal(keyring->keys[index].state, want);
    keyring_free(keyring);
    view_unref(view);
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
