/* SPDX-License-Identifier: Apache-2.0
 * qsealctl audit key: the public keys that signatures of checkpoints are verified with. */
#include "base/pem.h"
#include "custody/change.h"
#include "jose/json.h"

enum { PEM_MAX = 2048 };

/* Of these the newest is meant, when no key is named. */
static enum outcome select_active(const struct keyring *keyring, struct selection *out,
                                  struct reason *why)
{
    bool is_any = false;
    for (size_t i = keyring->n_keys; i > 0; i--) {
        const struct key *key = &keyring->keys[i - 1];
        if (key->purpose == PURPOSE_AUDIT && key->state == KEY_ACTIVE) {
            out->indexes[out->n++] = i - 1;
            return OUTCOME_OK;
        }
        is_any = is_any || key->purpose == PURPOSE_AUDIT;
    }
    return refuse(why, OUTCOME_NO_KEY,
                  is_any ? "no key of purpose audit is active; --all prints those that there are"
                         : "there is no key of purpose audit");
}

static enum outcome select_named(const struct act *act, const char *name, struct selection *out,
                                 struct reason *why)
{
    const struct keyring *keyring = act->view->keyring;
    enum outcome outcome = select_by_thumbprint(NULL, keyring, name, out, why);
    for (size_t i = 0; outcome == OUTCOME_OK && i < out->n; i++) {
        const struct key *key = &keyring->keys[out->indexes[i]];
        if (key->purpose != PURPOSE_AUDIT) {
            return refuse(
                why, OUTCOME_RULE, "key %.8s of role %s is %s: no checkpoint is signed with it",
                public_key_thumbprint(key->public_key), key->role, purpose_key_text(key->purpose));
        }
    }
    return outcome;
}

static bool put_key(struct act *act, const struct key *key, const char *before)
{
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(PEM_MAX);
    pem_put(&pem, "PUBLIC KEY", public_key_spki(key->public_key));
    buffer_put_format(
        act->result,
        "%s{\"role\":\"%s\",\"token\":\"%s\",\"kid\":\"%s\",\"state\":\"%s\",\"pem\":", before,
        key->role, key->token, public_key_thumbprint(key->public_key), key_state_name(key->state));
    json_put_string(act->result, buffer_span(&pem));
    buffer_put_text(act->result, "}");
    return buffer_ok(&pem);
}

static enum outcome put_keys(struct act *act, const struct selection *selection, struct reason *why)
{
    const struct keyring *keyring = act->view->keyring;
    const char *before = "";
    bool good = true;
    buffer_put_text(act->result, "{\"keys\":[");
    for (size_t i = 0; selection != NULL && i < selection->n; i++) {
        good = put_key(act, &keyring->keys[selection->indexes[i]], before) && good;
        before = ",";
    }
    for (size_t i = 0; selection == NULL && i < keyring->n_keys; i++) {
        if (keyring->keys[i].purpose == PURPOSE_AUDIT) {
            good = put_key(act, &keyring->keys[i], before) && good;
            before = ",";
        }
    }
    buffer_put_text(act->result, "]}");
    return good ? OUTCOME_OK : refuse(why, OUTCOME_INTERNAL, "no room for a public key");
}

enum outcome act_audit_key(struct act *act, struct reason *why)
{
    static const char *const names[] = {"key", "all", NULL};
    struct selection selection = {.n = 0};
    enum outcome outcome = act_check_arguments(act, names, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const char *name = act_argument(act, "key");
    if (act_argument(act, "all") != NULL) {
        return name == NULL ? put_keys(act, NULL, why)
                            : refuse(why, OUTCOME_MALFORMED, "either \"key\" or \"all\"");
    }
    outcome = name == NULL ? select_active(act->view->keyring, &selection, why)
                           : select_named(act, name, &selection, why);
    return outcome == OUTCOME_OK ? put_keys(act, &selection, why) : outcome;
}
