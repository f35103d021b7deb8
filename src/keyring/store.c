/* SPDX-License-Identifier: Apache-2.0
 * The keyring's file: {"format":2,"generation":N,"keys":[…]}, read whole, written whole. */
#include "keyring/store.h"

#include "base/file.h"
#include "jose/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MODE = 0640 };

static void keyring_clear_ref(struct keyring **keyring)
{
    keyring_free(*keyring);
}

static enum outcome add_key(struct keyring *keyring, const json_t *object, int format,
                            struct reason *why)
{
    struct key key;
    enum outcome outcome = key_read(object, format, &key, why);
    if (outcome == OUTCOME_OK) {
        outcome = keyring_append(keyring, &key, why);
        key_fini(&key); /* owns nothing when it was taken over */
    }
    return outcome;
}

static enum outcome read_keys(struct keyring *keyring, const json_t *keys, int format,
                              struct reason *why)
{
    size_t i;
    json_t *object;
    json_array_foreach (keys, i, object) {
        struct reason inner;
        enum outcome outcome = add_key(keyring, object, format, &inner);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "keys[%zu]: %.400s", i, inner.detail);
        }
    }
    struct reason inner;
    enum outcome outcome = clash_check_all(keyring, &i, &inner);
    return outcome == OUTCOME_OK ? outcome
                                 : refuse(why, outcome, "keys[%zu]: %.400s", i, inner.detail);
}

static enum outcome read_root(const json_t *root, struct keyring *keyring, struct reason *why)
{
    const json_t *format = json_object_get(root, "format");
    const json_t *generation = json_object_get(root, "generation");
    const json_t *keys = json_object_get(root, "keys");
    json_int_t number = json_integer_value(format);
    if (!json_is_integer(format) || number < FORMAT_ACTIVE_ONLY || number > FORMAT) {
        return refuse(why, OUTCOME_RULE, "\"format\" must be %d or %d", FORMAT_ACTIVE_ONLY, FORMAT);
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
    return read_keys(keyring, keys, (int)number, why);
}

static enum outcome read_text(struct span text, struct keyring *keyring, struct reason *why)
{
    json_t *root JSON_CLEANUP = NULL;
    enum outcome outcome = json_parse_own(text, KEYRING_VALUES_MAX, &root, why);
    return outcome == OUTCOME_OK ? read_root(root, keyring, why) : outcome;
}

/* What a person needs who finds the service stopped by its keyring. */
static enum outcome refuse_damaged(const char *path, const struct reason *inner,
                                   enum outcome outcome, struct reason *why)
{
    uint64_t newest;
    char remedy[80] = "no older generation is beside it: restore it from a backup";
    if (kept_newest(path, &newest)) {
        (void)snprintf(remedy, sizeof remedy,
                       "copy the newest good one of .%llu and before over it",
                       (unsigned long long)newest);
    }
    return refuse(why, outcome == OUTCOME_MALFORMED ? OUTCOME_RULE : outcome,
                  "%.120s: %.230s; nothing was changed: keep the file, %s, and start again", path,
                  inner->detail, remedy);
}

/* A key that is compromised in a later generation would sign again. */
static enum outcome check_newest(const char *path, const struct keyring *keyring,
                                 struct reason *why)
{
    uint64_t newest;
    if (kept_newest(path, &newest) && newest > keyring->generation) {
        return refuse(why, OUTCOME_RULE,
                      "generation %llu is older than .%llu beside it (to go back on purpose, move "
                      "the later ones away)",
                      (unsigned long long)keyring->generation, (unsigned long long)newest);
    }
    return OUTCOME_OK;
}

static enum outcome read_file(const char *path, struct keyring *keyring, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(KEYRING_FILE_MAX);
    struct reason inner = {0};
    uint64_t newest;
    enum outcome outcome;
    if (file_read(path, &text) == 0) {
        outcome = read_text(buffer_span(&text), keyring, &inner);
        outcome = outcome == OUTCOME_OK ? check_newest(path, keyring, &inner) : outcome;
    } else if (errno == ENOENT && !kept_newest(path, &newest)) {
        outcome = OUTCOME_OK; /* a new installation */
    } else {
        outcome = refuse(&inner, OUTCOME_RULE, "%s", strerror(errno));
    }
    return outcome == OUTCOME_OK ? OUTCOME_OK : refuse_damaged(path, &inner, outcome, why);
}

enum outcome keyring_load(const char *path, struct keyring **out, struct reason *why)
{
    *out = NULL;
    CLEANUP(keyring_clear_ref) struct keyring *keyring = calloc(1, sizeof *keyring);
    if (keyring == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    enum outcome outcome = read_file(path, keyring, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    *out = keyring;
    keyring = NULL;
    return OUTCOME_OK;
}

static void put_text(const struct keyring *keyring, struct buffer *text)
{
    buffer_put_format(text, "{\"format\":%d,\"generation\":%llu,\"keys\":[", FORMAT,
                      (unsigned long long)keyring->generation);
    for (size_t i = 0; i < keyring->n_keys; i++) {
        buffer_put_text(text, i == 0 ? "\n" : ",\n");
        key_put(&keyring->keys[i], text);
    }
    buffer_put_text(text, "\n]}\n");
}

bool keyring_digest(const struct keyring *keyring, char out[SHA256_TEXT_SIZE])
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(KEYRING_FILE_MAX);
    put_text(keyring, &text);
    return buffer_ok(&text) && sha256_text(buffer_span(&text), out);
}

/* What could not be read again is not written. */
static enum outcome check_text(struct span text, const char *path, struct reason *why)
{
    struct reason inner = {0};
    CLEANUP(keyring_clear_ref) struct keyring *again = calloc(1, sizeof *again);
    if (again == NULL) {
        return refuse(why, OUTCOME_RULE, "out of memory");
    }
    return read_text(text, again, &inner) == OUTCOME_OK
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "%.120s: it could not be read again: %.300s", path,
                        inner.detail);
}

enum outcome keyring_save(const struct keyring *keyring, const char *path, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(KEYRING_FILE_MAX);
    put_text(keyring, &text);
    if (!buffer_ok(&text)) {
        return refuse(why, OUTCOME_RULE, "%s: larger than %d bytes", path, KEYRING_FILE_MAX);
    }
    enum outcome outcome = check_text(buffer_span(&text), path, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (keyring->generation > 0 && kept_put(path, keyring->generation - 1) != 0) {
        return refuse(why, OUTCOME_RULE, "%s: keeping the generation before: %s", path,
                      strerror(errno));
    }
    switch (file_replace(path, buffer_span(&text), FILE_MODE)) {
    case 0:
        return OUTCOME_OK;
    case FILE_NOT_SYNCED:
        return refuse(why, OUTCOME_INTERNAL, "%s: written, but its folder could not be synced: %s",
                      path, strerror(errno));
    default:
        return refuse(why, OUTCOME_RULE, "%s: %s", path, strerror(errno));
    }
}
