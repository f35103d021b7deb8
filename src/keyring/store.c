/* SPDX-License-Identifier: Apache-2.0
 * The keyring's file: {"format":1,"generation":N,"keys":[…]}, read whole, written whole. */
#include "keyring/store.h"

#include "base/file.h"
#include "jose/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 16 * 1024 * 1024, FILE_MODE = 0640, FORMAT = 1 };

static void keyring_clear_ref(struct keyring **keyring)
{
    keyring_free(*keyring);
}

static enum outcome add_key(struct keyring *keyring, const json_t *object, struct reason *why)
{
    struct key key;
    enum outcome outcome = key_read(object, &key, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_append(keyring, &key, why);
        public_key_free(key.public_key); /* both NULL when they were taken over */
        free(key.chain_pem);
    }
    return outcome;
}

static enum outcome read_keys(struct keyring *keyring, const json_t *keys, struct reason *why)
{
    size_t i;
    json_t *object;
    json_array_foreach (keys, i, object) {
        struct reason inner;
        enum outcome outcome = add_key(keyring, object, &inner);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "keys[%zu]: %.400s", i, inner.detail);
        }
    }
    return OUTCOME_OK;
}

static enum outcome read_root(const json_t *root, struct keyring *keyring, struct reason *why)
{
    const json_t *format = json_object_get(root, "format");
    const json_t *generation = json_object_get(root, "generation");
    const json_t *keys = json_object_get(root, "keys");
    if (!json_is_integer(format) || json_integer_value(format) != FORMAT) {
        return refuse(why, OUTCOME_RULE, "\"format\" must be %d", FORMAT);
    }
    if (!json_is_integer(generation) || json_integer_value(generation) < 0) {
        return refuse(why, OUTCOME_RULE, "\"generation\" must be an integer, 0 or more");
    }
    if (!json_is_array(keys) || json_object_size(root) != 3) {
        return refuse(why, OUTCOME_RULE,
                      "\"keys\" must be an array, and nothing else stands beside format and "
                      "generation");
    }
    keyring->generation = (uint64_t)json_integer_value(generation);
    return read_keys(keyring, keys, why);
}

static enum outcome read_text(struct span text, struct keyring *keyring, struct reason *why)
{
    json_t *root JSON_CLEANUP = NULL;
    enum outcome outcome = json_parse_object(text, &root, why);
    return outcome == OUTCOME_OK ? read_root(root, keyring, why) : outcome;
}

enum outcome keyring_load(const char *path, struct keyring **out, struct reason *why)
{
    *out = NULL;
    CLEANUP(keyring_clear_ref) struct keyring *keyring = calloc(1, sizeof *keyring);
    if (keyring == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(FILE_MAX);
    bool is_there = true;
    if (file_read(path, &text) != 0) {
        if (errno != ENOENT) {
            return refuse(why, OUTCOME_RULE, "%s: %s", path, strerror(errno));
        }
        is_there = false;
    }
    struct reason inner;
    enum outcome outcome = is_there ? read_text(buffer_span(&text), keyring, &inner) : OUTCOME_OK;
    if (outcome != OUTCOME_OK) {
        return refuse(why, outcome == OUTCOME_MALFORMED ? OUTCOME_RULE : outcome, "%s: %.400s",
                      path, inner.detail);
    }
    *out = keyring;
    keyring = NULL;
    return OUTCOME_OK;
}

enum outcome keyring_save(const struct keyring *keyring, const char *path, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(FILE_MAX);
    buffer_put_format(&text, "{\"format\":%d,\"generation\":%llu,\"keys\":[", FORMAT,
                      (unsigned long long)keyring->generation);
    for (size_t i = 0; i < keyring->n_keys; i++) {
        buffer_put_text(&text, i == 0 ? "\n" : ",\n");
        key_put(&keyring->keys[i], &text);
    }
    buffer_put_text(&text, "\n]}\n");
    if (!buffer_ok(&text)) {
        return refuse(why, OUTCOME_RULE, "%s: larger than %d bytes", path, FILE_MAX);
    }
    if (file_replace(path, buffer_span(&text), FILE_MODE) != 0) {
        return refuse(why, OUTCOME_RULE, "%s: %s", path, strerror(errno));
    }
    return OUTCOME_OK;
}
