/* SPDX-License-Identifier: Apache-2.0
 * What a change would do, and how two such differ. */
#include "custody/effect.h"

#include "base/utc.h"
#include "jose/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 160, TEXT_FLAGS = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY };

json_t *effect_new(void)
{
    return json_pack("{s:[]}", "keys");
}

void effect_put(json_t **effect, json_t *entry)
{
    if (json_array_append_new(json_object_get(*effect, "keys"), entry) != 0) {
        json_clear_ref(effect);
    }
}

json_t *effect_of_key(const struct key *key, enum key_state to)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "role", key->role, "token", key->token,
                     "kid", public_key_thumbprint(key->public_key), "from",
                     key_state_name(key->state), "to", key_state_name(to), "changes",
                     (json_int_t)key->n_history);
}

void effect_put_key(json_t **effect, const struct key *key, enum key_state to)
{
    effect_put(effect, effect_of_key(key, to));
}

static json_t *schedule_of(const struct key_planned *steps, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        char at[UTC_SIZE];
        if (json_array_append_new(list,
                                  json_sprintf("%s at %s", key_state_name(steps[i].change.state),
                                               utc_text(steps[i].change.at, at))) != 0) {
            json_clear_ref(&list);
        }
    }
    return list;
}

void effect_put_schedule(json_t **effect, const struct key *key,
                         const struct keyring_schedule *schedule)
{
    json_t *entry = effect_of_key(key, key->state);
    if (json_object_set_new(entry, "schedule_before",
                            schedule_of(key->schedule, key->n_schedule)) != 0 ||
        json_object_set_new(entry, "schedule", schedule_of(schedule->steps, schedule->n)) != 0) {
        json_clear_ref(&entry);
    }
    effect_put(effect, entry);
}

static void put_value(struct buffer *out, const json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, TEXT_FLAGS);
    buffer_put_format(out, "%.200s", text == NULL ? "not there" : text);
    free(text);
}

static bool describe(const json_t *was, const json_t *is, const char *path, struct buffer *out);

static bool describe_member(const json_t *was, const json_t *is, const char *path, const char *name,
                            struct buffer *out)
{
    char below[PATH_SIZE];
    (void)snprintf(below, sizeof below, "%s%s%s", path, path[0] == '\0' ? "" : "/", name);
    return describe(json_object_get(was, name), json_object_get(is, name), below, out);
}

static bool describe_object(const json_t *was, const json_t *is, const char *path,
                            struct buffer *out)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)was, name, value) {
        if (describe_member(was, is, path, name, out)) {
            return true;
        }
    }
    json_object_foreach ((json_t *)is, name, value) {
        if (describe_member(was, is, path, name, out)) {
            return true;
        }
    }
    return false;
}

static bool describe_array(const json_t *was, const json_t *is, const char *path,
                           struct buffer *out)
{
    for (size_t i = 0; i < json_array_size(was) || i < json_array_size(is); i++) {
        char below[PATH_SIZE];
        (void)snprintf(below, sizeof below, "%s/%zu", path, i);
        if (describe(json_array_get(was, i), json_array_get(is, i), below, out)) {
            return true;
        }
    }
    return false;
}

/* Three levels deep at most: what it looks at was made by effect_put(). */
static bool describe(const json_t *was, const json_t *is, const char *path, struct buffer *out)
{
    if (json_is_object(was) && json_is_object(is)) {
        return describe_object(was, is, path, out);
    }
    if (json_is_array(was) && json_is_array(is)) {
        return describe_array(was, is, path, out);
    }
    if (json_equal(was, is)) {
        return false;
    }
    buffer_put_format(out, "%s was ", path);
    put_value(out, was);
    buffer_put_text(out, " and is ");
    put_value(out, is);
    return true;
}

bool effect_is_same(const json_t *was, const json_t *is, struct buffer *difference)
{
    char *text_was = json_dumps(was, TEXT_FLAGS);
    char *text_is = json_dumps(is, TEXT_FLAGS);
    bool same = text_was != NULL && text_is != NULL && strcmp(text_was, text_is) == 0;
    free(text_was);
    free(text_is);
    if (!same && !describe(was, is, "", difference)) {
        buffer_put_text(difference, "it cannot be compared: out of memory");
    }
    return same;
}
