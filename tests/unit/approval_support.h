/* SPDX-License-Identifier: Apache-2.0
 * An instance in which changes of keys need two persons. */
#ifndef QSEAL_TESTS_UNIT_APPROVAL_SUPPORT_H
#define QSEAL_TESTS_UNIT_APPROVAL_SUPPORT_H

#include "custody_support.h"

#include <stdio.h>
#include <unistd.h>

enum {
    ANNA = 71001, /* custodian */
    BERT = 71002, /* approver */
    CARL = 71003, /* both */
    DORA = 71004, /* auditor */
    ROOTS = 71009 /* a group that may all; uid 0 is in it here */
};

#define PERSONS                                                                                    \
    "  - {uid: 71001, rights: [custodian]}\n"                                                      \
    "  - {uid: 71002, rights: [approver]}\n"                                                       \
    "  - {uid: 71003, rights: [custodian, approver]}\n"                                            \
    "  - {uid: 71004, rights: [auditor]}\n"                                                        \
    "  - {gid: 71009, rights: [custodian, approver]}\n"

static inline void configure(struct instance *instance, const char *approval)
{
    static char more[1024];
    (void)snprintf(more, sizeof more, PERSONS "%s", approval);
    instance->administrators_more = more;
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
}

/* Role seal-ec has an active key (0, 1) and one that is generated (2, 3) on both tokens. */
static inline struct instance *approval_instance(void)
{
    struct instance *instance = two_generations();
    configure(instance, "approval: {required: true, valid_s: 3600}\n");
    return instance;
}

/* The verb's outcome for this uid; *json is its result, owned by the caller, or NULL. */
static inline enum outcome ask_as(struct instance *instance, uid_t uid, enum custody_verb verb,
                                  const char *arguments, json_t **json, struct reason *why)
{
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(CUSTODY_RESULT_MAX);
    const struct caller peer = {.uid = uid, .gid = uid == 0 ? ROOTS : uid};
    enum outcome outcome = instance_ask_as(instance, &peer, verb, arguments, &result, why);
    *json = NULL;
    if (outcome == OUTCOME_OK) {
        assert_done(json_parse_object(buffer_span(&result), json, why), *why);
    }
    return outcome;
}

static inline json_t *done_as(struct instance *instance, uid_t uid, enum custody_verb verb,
                              const char *arguments)
{
    struct reason why = {0};
    json_t *json = NULL;
    assert_done(ask_as(instance, uid, verb, arguments, &json, &why), why);
    return json;
}

static inline void refused_as(struct instance *instance, uid_t uid, enum custody_verb verb,
                              const char *arguments, enum outcome outcome, const char *fragment)
{
    struct reason why = {0};
    JSON_CLEANUP json_t *json = NULL;
    assert_refused(ask_as(instance, uid, verb, arguments, &json, &why), outcome, why, fragment);
}

/* {"digest":"…"} of the plan that Anna's request becomes, in `out`. */
static inline const char *planned(struct instance *instance, enum custody_verb verb,
                                  const char *arguments, char out[100])
{
    JSON_CLEANUP json_t *result = done_as(instance, ANNA, verb, arguments);
    const json_t *plan = json_object_get(result, "planned");
    assert_int_equal(strlen(text_of(plan, "digest")), 64);
    (void)snprintf(out, 100, "{\"digest\":\"%s\"}", text_of(plan, "digest"));
    return out;
}

static inline void plans_path(const struct instance *instance, char out[128])
{
    (void)snprintf(out, 128, "%s/plans.json", instance->folder);
}

static inline size_t count_plans(struct instance *instance)
{
    JSON_CLEANUP json_t *result = done_as(instance, DORA, CUSTODY_PLAN_LIST, "{}");
    return json_array_size(json_object_get(result, "plans"));
}

/* The key in the keyring's place, in a view that the caller lets go. */
static inline const struct key *key_at(struct instance *instance, struct view **view, size_t index)
{
    *view = view_cell_get(instance->views);
    assert_true(index < (*view)->keyring->n_keys);
    return &(*view)->keyring->keys[index];
}

/* `reason`: with who approved it behind. */
static inline void expect_key(struct instance *instance, size_t index, enum key_state want,
                              uid_t by, const char *reason)
{
    struct view *view = NULL;
    const struct key *key = key_at(instance, &view, index);
    const struct key_change *last = &key->history[key->n_history - 1];
    assert_string_equal(key_state_name(key->state), key_state_name(want));
    assert_int_equal(last->by, by);
    char said[KEYRING_REASON_MAX + 40];
    (void)snprintf(said, sizeof said, "%s", last->reason);
    if (last->approved) {
        (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%sapproved by uid %u",
                       said[0] == '\0' ? "" : "; ", last->approved_by);
    }
    assert_string_equal(said, reason);
    view_unref(view);
}

static inline const char *naming_key(struct instance *instance, size_t index, const char *reason,
                                     char out[400])
{
    struct view *view = NULL;
    const struct key *key = key_at(instance, &view, index);
    (void)snprintf(out, 400, "{\"key\":\"%s\",\"reason\":\"%s\"}",
                   public_key_thumbprint(key->public_key), reason);
    view_unref(view);
    return out;
}

#endif
