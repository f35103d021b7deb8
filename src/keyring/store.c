/* SPDX-License-Identifier: Apache-2.0
 * The keyring's file: {"format":2,"generation":N,"keys":[…]}, read whole, written whole. */
#include "keyring/store.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MODE = 0640 };

static void keyring_clear_ref(struct keyring **keyring)
{
    keyring_free(*keyring);
}

static enum outcome add_key(struct keyring *keyring, const struct json_flat *object, int format,
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

/* What stands in front of the keys, which are taken one by one. */
static enum outcome read_head(const struct json_flat *root, struct keyring *keyring,
                              int64_t *format, struct reason *why)
{
    int64_t generation;
    if (!json_flat_integer(json_flat_member(root, "format"), format) ||
        *format < FORMAT_ACTIVE_ONLY || *format > FORMAT) {
        return refuse(why, OUTCOME_RULE, "\"format\" must be %d or %d", FORMAT_ACTIVE_ONLY, FORMAT);
    }
    if (!json_flat_integer(json_flat_member(root, "generation"), &generation) || generation < 0) {
        return refuse(why, OUTCOME_RULE, "\"generation\" must be an integer, 0 or more");
    }
    keyring->generation = (uint64_t)generation;
    return OUTCOME_OK;
}

static enum outcome take_key(void *context, const struct json_flat *root,
                             const struct json_flat *object, struct reason *why)
{
    struct keyring *keyring = context;
    struct reason inner;
    int64_t format;
    if (json_flat_size(root) < 2) {
        return refuse(why, OUTCOME_RULE,
                      "\"format\" and \"generation\" stand in front of \"keys\"");
    }
    enum outcome outcome = read_head(root, keyring, &format, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = add_key(keyring, object, (int)format, &inner);
    return outcome == OUTCOME_OK
               ? outcome
               : refuse(why, outcome, "keys[%zu]: %.400s", keyring->n_keys, inner.detail);
}

static enum outcome read_root(const struct json_flat *root, struct keyring *keyring,
                              struct reason *why)
{
    int64_t format;
    enum outcome outcome = read_head(root, keyring, &format, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!json_flat_is_array(json_flat_member(root, "keys")) || json_flat_size(root) != 3) {
        return refuse(why, OUTCOME_RULE,
                      "\"keys\" must be an array, and nothing else stands beside format and "
                      "generation");
    }
    struct reason inner;
    size_t at = 0;
    outcome = clash_check_all(keyring, &at, &inner);
    return outcome == OUTCOME_OK ? outcome
                                 : refuse(why, outcome, "keys[%zu]: %.400s", at, inner.detail);
}

static enum outcome read_text(struct span text, struct keyring *keyring, struct reason *why)
{
    const struct json_flat_each keys = {"keys", take_key, keyring};
    struct json_flat_text *flat = NULL;
    enum outcome outcome = json_flat_parse(text, KEYRING_VALUES_MAX, &keys, &flat, why);
    if (outcome == OUTCOME_OK) {
        outcome = read_root(json_flat_root(flat), keyring, why);
    }
    json_flat_free(flat);
    return outcome;
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
