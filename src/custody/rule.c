/* SPDX-License-Identifier: Apache-2.0
 * When a key may go on: publish before use, keep after use. Times in the keyring are whole seconds,
 * cut off, so each wait is a second longer. */
#include "custody/change.h"

#include "base/utc.h"
#include "pki/certificate.h"

#include <string.h>

enum { MS_PER_S = 1000 };

static enum outcome check_certificate(const struct config_role *role, const struct key *key,
                                      struct reason *why)
{
    return !role->needs_certificate || key->chain_pem != NULL
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE,
                        "keys of role %s need a certificate first: qsealctl key csr, then qsealctl "
                        "key import-certificate (or `certificate: optional` for the role)",
                        role->name);
}

static enum outcome rule_publish(const struct change_question *question, struct reason *why)
{
    const struct config_role *role = config_role(question->policy->config, question->key->role);
    if (role == NULL) {
        return refuse(why, OUTCOME_RULE, "role %s is not in the configuration any more",
                      question->key->role);
    }
    if (question->key->state == KEY_SUSPENDED) {
        return refuse(why, OUTCOME_RULE,
                      "the key is suspended: resume it first, and it is where it was");
    }
    return check_certificate(role, question->key, why);
}

/* Its certificate was valid when it was imported; that may be long ago. */
static enum outcome check_validity(const struct change_question *question, struct reason *why)
{
    static const char remedy[] = "qsealctl key csr, then qsealctl key import-certificate";
    const struct key *key = question->key;
    const char *kid = public_key_thumbprint(key->public_key);
    struct certificate_facts facts;
    char text[UTC_SIZE];
    if (key->chain_pem == NULL) {
        return OUTCOME_OK;
    }
    if (!certificate_facts(span_of_text(key->chain_pem), &facts)) {
        return refuse(why, OUTCOME_RULE, "the certificate of key %.8s cannot be read: %s", kid,
                      remedy);
    }
    if (question->now < facts.not_before) {
        return refuse(why, OUTCOME_RULE, "the certificate of key %.8s is not valid before %s", kid,
                      utc_text(facts.not_before, text));
    }
    return question->now <= facts.not_after
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE,
                        "the certificate of key %.8s ended at %s: a renewed one comes first (%s)",
                        kid, utc_text(facts.not_after, text), remedy);
}

/* A key that is resumed was published before. */
static enum outcome rule_shown(const struct change_question *question, struct reason *why)
{
    return question->key->state == KEY_SUSPENDED ? OUTCOME_OK : check_validity(question, why);
}

/* Nobody verifies with a set that lacks the key before the role has ever had another. */
bool rule_is_active(const struct keyring *keyring, const char *role)
{
    for (size_t i = 0; i < keyring->n_keys; i++) {
        if (keyring->keys[i].state == KEY_ACTIVE && strcmp(keyring->keys[i].role, role) == 0) {
            return true;
        }
    }
    return false;
}

static enum outcome check_end(const struct change_question *question,
                              const struct config_role *role, struct reason *why)
{
    const struct key_end end = key_end_of(role, question->key);
    char text[KEY_END_TEXT_SIZE];
    if (!key_end_is_over(&end, question->now)) {
        return OUTCOME_OK;
    }
    key_end_text(&end, key_end_first(&end), question->now, text);
    return refuse(why, OUTCOME_RULE, "the key is not activated: %s", text);
}

bool rule_first(const struct change_question *question)
{
    const struct key *key = question->key;
    const struct config_role *role = config_role(question->policy->config, key->role);
    return role != NULL && (!role->needs_backup || key->proofs[KEY_PROOF_BACKUP].recorded) &&
           (!role->needs_seen || !rule_is_active(question->keyring, role->name));
}

/* What has to be on record of a key before it signs. */
static enum outcome check_records(const struct change_question *question,
                                  const struct config_role *role, struct reason *why)
{
    const struct key *key = question->key;
    const char *kid = public_key_thumbprint(key->public_key);
    if (role->needs_backup && !key->proofs[KEY_PROOF_BACKUP].recorded) {
        return refuse(why, OUTCOME_RULE,
                      "role %s asks for a backup of each key, and none of this one is on record: "
                      "make it, then qsealctl key backup-recorded %.8s",
                      role->name, kid);
    }
    if (role->needs_seen && !key_is_seen(key) && rule_is_active(question->keyring, role->name)) {
        return refuse(
            why, OUTCOME_RULE,
            "role %s asks that a key be visible outside, and since this one was published "
            "that is not on record: look, then qsealctl key seen %.8s",
            role->name, kid);
    }
    return OUTCOME_OK;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t rule_wait_s(const struct config_role *role, const struct key *key)
{
    return longer(role->publish_before_use_s, key_wait_s(key));
}

static enum outcome rule_activate(const struct change_question *question, struct reason *why)
{
    const struct key *key = question->key;
    const struct config_role *role = config_role(question->policy->config, key->role);
    int64_t since = 0;
    if (role == NULL) {
        return refuse(why, OUTCOME_RULE, "role %s is not in the configuration any more", key->role);
    }
    if (key->state != KEY_PUBLISHED || !key_shown_since(key, &since)) {
        return OUTCOME_OK; /* the table of transitions has its own words */
    }
    enum outcome outcome = check_end(question, role, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_certificate(role, key, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_validity(question, why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_records(question, role, why);
    }
    int64_t wait = rule_wait_s(role, key);
    int64_t from = since + wait + 1;
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (wait == 0 || question->now >= from || !rule_is_active(question->keyring, role->name)) {
        return OUTCOME_OK;
    }
    char text[UTC_SIZE];
    return refuse(
        why, OUTCOME_RULE,
        "the key was published %lld s ago; verifiers may hold the old JWK Set for %lld s: "
        "from %s on",
        (long long)(question->now - since), (long long)wait, utc_text(from, text));
}

/* What a request that began with the old key may still bring: it lives as long as the profile says
 * from a moment that is at most a deadline after the switch. 0 for a role without profiles. */
int64_t rule_keep_s(const struct policy *policy, const char *role)
{
    int64_t longest = -1;
    for (size_t i = 0; i < profiles_count(policy->profiles); i++) {
        const struct profile *profile = profiles_at(policy->profiles, i);
        if (strcmp(profile_role(profile), role) == 0 &&
            (int64_t)profile_longest_lifetime_s(profile) > longest) {
            longest = profile_longest_lifetime_s(profile);
        }
    }
    int64_t deadline = (policy->config->limits.deadline_ms + MS_PER_S - 1) / MS_PER_S;
    return longest < 0 ? 0 : longest + deadline + 1;
}

void rule_note_wait(const struct policy *policy, const struct key *key, struct key_change *change)
{
    const struct config_role *role = config_role(policy->config, key->role);
    bool stops = key->state == KEY_ACTIVE &&
                 (change->state == KEY_RETIRING || change->state == KEY_SUSPENDED);
    change->wait_s = change->state == KEY_PUBLISHED && role != NULL ? role->publish_before_use_s
                     : stops                                        ? rule_keep_s(policy, key->role)
                                                                    : 0;
    if (change->wait_s > KEYRING_WAIT_MAX) {
        change->wait_s = KEYRING_WAIT_MAX;
    }
}

static enum outcome rule_retire(const struct change_question *question, struct reason *why)
{
    const struct key *key = question->key;
    int64_t stopped = 0;
    int64_t keep = longer(rule_keep_s(question->policy, key->role), key_keep_s(key));
    if (!key_stopped_at(key, &stopped) || question->now >= stopped + keep) {
        return OUTCOME_OK;
    }
    char text[UTC_SIZE];
    return refuse(
        why, OUTCOME_RULE,
        "the key stopped signing %lld s ago, and what it signed is valid for up to %lld s: "
        "from %s on",
        (long long)(question->now - stopped), (long long)keep, utc_text(stopped + keep, text));
}

enum outcome rule_resume(const struct key *key, enum key_state *to, struct reason *why)
{
    return key_resumes_to(key, to)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE,
                        "the key is %s and not suspended: there is nothing to resume",
                        key_state_name(key->state));
}

enum outcome rule_step(const struct change_question *question, enum key_state to,
                       struct reason *why)
{
    return to == KEY_PUBLISHED ? rule_publish(question, why) : OUTCOME_OK;
}

enum outcome rule_time(const struct change_question *question, enum key_state to,
                       struct reason *why)
{
    return to == KEY_ACTIVE      ? rule_activate(question, why)
           : to == KEY_RETIRED   ? rule_retire(question, why)
           : to == KEY_PUBLISHED ? rule_shown(question, why)
                                 : OUTCOME_OK;
}
