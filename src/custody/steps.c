/* SPDX-License-Identifier: Apache-2.0
 * Steps as the rules allow them, whoever asks: a person or the clock. */
#include "custody/change.h"

/* The key that the activated one takes the place of; in the report it comes first. */
static void add_former(const struct change_question *question, const struct key_change *change,
                       struct steps *steps)
{
    const struct keyring *keyring = question->keyring;
    const struct key *key = question->key;
    const struct key *former = keyring_active(keyring, key->role, key->token);
    if (former == NULL || former == key) {
        return;
    }
    struct keyring_step *step = &steps->list[steps->n++];
    *step = (struct keyring_step){.index = (size_t)(former - keyring->keys), .change = *change};
    step->change.state = KEY_RETIRING;
    rule_note_wait(question->policy, former, &step->change);
}

enum outcome steps_add(const struct change_question *question, const struct key_change *change,
                       struct steps *steps, struct reason *why)
{
    const struct key *key = question->key;
    enum outcome outcome = key_state_check(key->state, change->state, why);
    if (outcome == OUTCOME_OK) {
        outcome = rule_step(question, change->state, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (change->state == KEY_ACTIVE) {
        add_former(question, change, steps);
    }
    struct keyring_step *step = &steps->list[steps->n++];
    *step =
        (struct keyring_step){.index = (size_t)(key - question->keyring->keys), .change = *change};
    rule_note_wait(question->policy, key, &step->change);
    return OUTCOME_OK;
}
