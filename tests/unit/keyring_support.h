/* SPDX-License-Identifier: Apache-2.0
 * Keys for the tests of the keyring. */
#ifndef QSEAL_TESTS_UNIT_KEYRING_SUPPORT_H
#define QSEAL_TESTS_UNIT_KEYRING_SUPPORT_H

#include "jose_support.h"
#include "keyring/store.h"

/* An active seal key of 2026-11-21T09:30:00Z; the id is 16 times the byte. Takes public_key over.
 */
static inline struct key key_of(const char *role, const char *token, uint8_t id, uint32_t algs,
                                struct public_key *public_key)
{
    struct key key = {.purpose = PURPOSE_SEAL,
                      .state = KEY_ACTIVE,
                      .algs = algs,
                      .created = 1795253400,
                      .created_by = 1000,
                      .public_key = public_key};
    (void)snprintf(key.role, sizeof key.role, "%s", role);
    (void)snprintf(key.token, sizeof key.token, "%s", token);
    memset(key.key_id, id, sizeof key.key_id);
    const struct key_change made = {.state = KEY_ACTIVE, .at = key.created, .by = key.created_by};
    struct reason why = {0};
    assert_done(key_note(&key, &made, &why), why);
    return key;
}

static inline struct public_key *new_public_key(enum key_type type)
{
    EVP_PKEY *pkey = make_pkey(type);
    struct public_key *key = public_key_of(pkey);
    EVP_PKEY_free(pkey);
    return key;
}

/* An active key as it stands in the keyring's file, parsed; owned by the caller. */
static inline json_t *good_object(void)
{
    struct key key = key_of("seal", "hsm-a", 0x1f, 1U << ALG_ES256, new_public_key(KEY_P256));
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(2000);
    key_put(&key, &text);
    key_fini(&key);
    return json_of(buffer_text(&text));
}

/* Replaces *keyring by itself with the key. */
static inline void add_key(struct keyring **keyring, struct key key)
{
    struct keyring *next = NULL;
    struct reason why = {0};
    assert_done(keyring_add(*keyring, &key, &next, &why), why);
    assert_null(key.public_key);
    keyring_free(*keyring);
    *keyring = next;
}

static inline struct keyring *empty_keyring(void)
{
    struct keyring *keyring = NULL;
    struct reason why = {0};
    assert_done(keyring_load("/nonexistent/keyring.json", &keyring, &why), why);
    return keyring;
}

/* The text {"it": value}, read as a keyring's file is; json_flat_free() *text. */
static inline const struct json_flat *flat_of(const json_t *value, struct buffer *json,
                                              struct json_flat_text **text)
{
    struct reason why = {0};
    buffer_put_text(json, "{\"it\":");
    json_put(json, value);
    buffer_put_text(json, "}");
    assert_true(buffer_ok(json));
    assert_done(json_flat_parse(buffer_span(json), JSON_VALUES_MAX, NULL, text, &why), why);
    return json_flat_member(json_flat_root(*text), "it");
}

static inline enum outcome read_key(const json_t *object, int format, struct key *out,
                                    struct reason *why)
{
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(200000);
    struct json_flat_text *text = NULL;
    enum outcome outcome = key_read(flat_of(object, &json, &text), format, out, why);
    json_flat_free(text);
    return outcome;
}

static inline enum outcome read_history(const json_t *array, struct key *out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(200000);
    struct json_flat_text *text = NULL;
    enum outcome outcome = history_read(flat_of(array, &json, &text), out, why);
    json_flat_free(text);
    return outcome;
}

#endif
