/* SPDX-License-Identifier: Apache-2.0
 * The ends of keys. */
#include "signing/key_end.h"

#include "base/utc.h"
#include "pki/certificate.h"

#include <stdio.h>

enum { DAY_S = 86400 };

static const struct {
    const char *name;
    const char *remedy; /* for a custodian */
} ends[] = {
    [KEY_END_CERTIFICATE] = {"certificate", "a custodian imports a renewed one (qsealctl key csr, "
                                            "qsealctl key import-certificate), or activates "
                                            "another key"},
    [KEY_END_CRYPTOPERIOD] = {"cryptoperiod",
                              "a custodian activates another key (qsealctl key generate, publish, "
                              "activate)"},
};

const char *key_end_name(enum key_end_what what)
{
    return ends[what].name;
}

static int64_t certificate_end(const struct key *key)
{
    int64_t from;
    int64_t until;
    bool has =
        key->chain_pem != NULL && certificate_validity(span_of_text(key->chain_pem), &from, &until);
    return has ? until : KEY_END_NEVER;
}

static int64_t cryptoperiod_end(const struct config_role *role, const struct key *key)
{
    for (size_t i = 0; role->cryptoperiod_days > 0 && i < key->n_history; i++) {
        if (key->history[i].state == KEY_ACTIVE) {
            return key->history[i].at + (int64_t)role->cryptoperiod_days * DAY_S;
        }
    }
    return KEY_END_NEVER;
}

/* Whether anything will come of the key: the certificates of a thousand keys that are gone are not
 * read for every view. */
static bool is_live(enum key_state state)
{
    return state != KEY_RETIRED && state != KEY_DESTROYED && state != KEY_COMPROMISED;
}

/* The others wait, or have a successor. */
static bool is_warned_of(enum key_state state)
{
    return state == KEY_PUBLISHED || state == KEY_ACTIVE;
}

/* What the role makes of the ends there are. */
static void apply_role(struct key_end *end, const struct config_role *role, enum key_state state)
{
    for (unsigned int i = 0; i < KEY_END_COUNT; i++) {
        if (end->at[i] != KEY_END_NEVER && is_warned_of(state)) {
            end->warn_at[i] = end->at[i] - (int64_t)role->warn_days * DAY_S;
        }
        if (role->stops_at_end && end->at[i] < end->stop_at) {
            end->stop_at = end->at[i];
        }
    }
}

struct key_end key_end_of(const struct config_role *role, const struct key *key)
{
    struct key_end end = {.at = {KEY_END_NEVER, KEY_END_NEVER},
                          .warn_at = {KEY_END_NEVER, KEY_END_NEVER},
                          .stop_at = KEY_END_NEVER};
    if (!is_live(key->state)) {
        return end;
    }
    end.at[KEY_END_CERTIFICATE] = certificate_end(key);
    if (role != NULL) {
        end.at[KEY_END_CRYPTOPERIOD] = cryptoperiod_end(role, key);
        apply_role(&end, role, key->state);
    }
    return end;
}

enum key_end_level key_end_level(const struct key_end *end, enum key_end_what what, int64_t now)
{
    if (end->warn_at[what] == KEY_END_NEVER || now < end->warn_at[what]) {
        return KEY_END_FAR;
    }
    return now > end->at[what] ? KEY_END_PAST : KEY_END_NEAR;
}

enum key_end_what key_end_first(const struct key_end *end)
{
    return end->at[KEY_END_CERTIFICATE] <= end->at[KEY_END_CRYPTOPERIOD] ? KEY_END_CERTIFICATE
                                                                         : KEY_END_CRYPTOPERIOD;
}

void key_end_text(const struct key_end *end, enum key_end_what what, int64_t now,
                  char out[KEY_END_TEXT_SIZE])
{
    char at[UTC_SIZE];
    (void)utc_text(end->at[what], at);
    if (now <= end->at[what]) {
        (void)snprintf(out, KEY_END_TEXT_SIZE, "its %s ends at %s, in %lld days%s; %s",
                       ends[what].name, at, (long long)((end->at[what] - now) / DAY_S),
                       end->stop_at == end->at[what] ? ", and the key then signs nothing" : "",
                       ends[what].remedy);
        return;
    }
    (void)snprintf(out, KEY_END_TEXT_SIZE, "its %s ended at %s, and the key signs %s; %s",
                   ends[what].name, at, key_end_is_over(end, now) ? "nothing" : "on",
                   ends[what].remedy);
}

enum outcome key_end_refuse(const struct key *key, const struct key_end *end, struct reason *why)
{
    enum key_end_what what = key_end_first(end);
    char at[UTC_SIZE];
    return refuse(why, OUTCOME_NO_KEY,
                  "key %s of role %s in token %s signs nothing any more: its %s ended at %s; %s",
                  public_key_thumbprint(key->public_key), key->role, key->token, ends[what].name,
                  utc_text(end->stop_at, at), ends[what].remedy);
}
