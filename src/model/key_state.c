/* SPDX-License-Identifier: Apache-2.0
 * The two tables of key states. */
#include "model/key_state.h"

#include <assert.h>
#include <stddef.h>

struct state_row {
    const char *name;
    unsigned int acts; /* bits 1 << enum key_act */
};

#define MAY(act) (1U << (act))
enum {
    SIGNS = MAY(KEY_ACT_SIGN) | MAY(KEY_ACT_SIGN_TLS),
    ASKS = MAY(KEY_ACT_CSR),
    SHOWN = MAY(KEY_ACT_JWKS),
};

static const struct state_row rows[] = {
    [KEY_GENERATED] = {"generated", ASKS},
    [KEY_CERTIFIED] = {"certified", ASKS},
    [KEY_PUBLISHED] = {"published", ASKS | SHOWN},
    [KEY_ACTIVE] = {"active", ASKS | SHOWN | SIGNS},
    [KEY_RETIRING] = {"retiring", ASKS | SHOWN | MAY(KEY_ACT_SIGN_TLS)},
    [KEY_RETIRED] = {"retired", ASKS},
    [KEY_DESTROYED] = {"destroyed", 0},
    [KEY_SUSPENDED] = {"suspended", ASKS},
    [KEY_COMPROMISED] = {"compromised", 0},
};
static_assert(COUNT_OF(rows) == KEY_STATE_COUNT, "a row for every state");

/* Why not, and what would have to come first. */
static const char same[] = "it is in that state already";
static const char forward[] = "states go forward only; generate another key";
static const char publish[] = "publish it first";
static const char successor[] = "activate its successor first, which makes this one retiring";
static const char only_active[] = "only an active key becomes so, when its successor is activated";
static const char unused[] = "it was never published: destroy it as it is";
static const char retire[] = "retire it first, or declare it compromised";
static const char after_active[] =
    "activate its successor, then retire it first, or declare it compromised";
static const char resume[] = "resume it first";
static const char again[] = "resume it first: it is then published, and can be activated";
static const char tainted[] = "a compromised key can only be destroyed; generate another key";
static const char gone[] = "a destroyed key is gone for good; generate another key";
static const char quiet[] = "it signs nothing any more; destroy it, or declare it compromised";

/* From (row) to (column, in the order of enum key_state); NULL: allowed. */
static const char *const transitions[KEY_STATE_COUNT][KEY_STATE_COUNT] = {
    [KEY_GENERATED] = {same, NULL, NULL, publish, only_active, unused, NULL, NULL, NULL},
    [KEY_CERTIFIED] = {forward, same, NULL, publish, only_active, unused, NULL, NULL, NULL},
    [KEY_PUBLISHED] = {forward, forward, same, NULL, only_active, NULL, retire, NULL, NULL},
    [KEY_ACTIVE] = {forward, forward, forward, same, NULL, successor, after_active, NULL, NULL},
    [KEY_RETIRING] = {forward, forward, forward, forward, same, NULL, retire, NULL, NULL},
    [KEY_RETIRED] = {forward, forward, forward, forward, forward, same, NULL, quiet, NULL},
    [KEY_DESTROYED] = {gone, gone, gone, gone, gone, gone, same, gone, gone},
    [KEY_SUSPENDED] = {NULL, NULL, NULL, again, NULL, resume, retire, same, NULL},
    [KEY_COMPROMISED] = {tainted, tainted, tainted, tainted, tainted, tainted, NULL, tainted, same},
};

const char *key_state_name(enum key_state state)
{
    return rows[state].name;
}

bool key_state_from_name(struct span name, enum key_state *out)
{
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        if (span_is_text(name, rows[i].name)) {
            *out = (enum key_state)i;
            return true;
        }
    }
    return false;
}

bool key_state_may(enum key_state state, enum key_act act)
{
    return (rows[state].acts & MAY(act)) != 0;
}

enum key_act key_act_of(enum purpose purpose)
{
    return purpose == PURPOSE_TRANSPORT ? KEY_ACT_SIGN_TLS : KEY_ACT_SIGN;
}

enum outcome key_state_check(enum key_state from, enum key_state to, struct reason *why)
{
    const char *first = transitions[from][to];
    return first == NULL ? OUTCOME_OK
                         : refuse(why, OUTCOME_RULE, "a key that is %s does not become %s: %s",
                                  rows[from].name, rows[to].name, first);
}
