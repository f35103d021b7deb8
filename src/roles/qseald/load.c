/* SPDX-License-Identifier: Apache-2.0
 * Reading what there is: profiles in a thread of their own beside the keyring. Neither needs the
 * other, and each takes some milliseconds in which nobody can sign. */
#include "roles/qseald/load.h"

#include "signing/view.h"

#include <pthread.h>
#include <stdio.h>

struct policy_reading {
    struct config *config;
    struct policy *policy;
    enum outcome outcome;
    struct reason why;
};

static void *read_policy(void *arg)
{
    struct policy_reading *reading = arg;
    reading->outcome = policy_make(reading->config, 1, &reading->policy, &reading->why);
    return NULL;
}

/* Takes the configuration over. */
static enum outcome load_both(struct config *config, const char *keyring_path,
                              struct policy **policy, struct keyring **keyring, struct reason *why)
{
    struct policy_reading reading = {.config = config};
    pthread_t thread;
    bool beside = pthread_create(&thread, NULL, read_policy, &reading) == 0;
    enum outcome outcome = keyring_load(keyring_path, keyring, why);
    if (beside) {
        (void)pthread_join(thread, NULL);
    } else {
        (void)read_policy(&reading);
    }
    *policy = reading.policy;
    if (reading.outcome != OUTCOME_OK) {
        *why = reading.why;
        return reading.outcome;
    }
    return outcome;
}

enum outcome load_view(const char *config_path, char *keyring_path, size_t size, struct view **out,
                       struct reason *why)
{
    struct config *config = NULL;
    struct policy *policy = NULL;
    struct keyring *keyring = NULL;
    enum outcome outcome = config_load(config_path, &config, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (snprintf(keyring_path, size, "%s/keyring.json", config->state) >= (int)size) {
        config_free(config);
        return refuse(why, OUTCOME_RULE, "%s: the state folder's path is too long", config_path);
    }
    outcome = load_both(config, keyring_path, &policy, &keyring, why);
    if (outcome != OUTCOME_OK) {
        policy_unref(policy);
        keyring_free(keyring);
        return outcome;
    }
    return view_new(policy, keyring, out, why);
}
