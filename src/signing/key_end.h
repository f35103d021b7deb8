/* SPDX-License-Identifier: Apache-2.0
 * When keys end: with their certificate, or with their cryptoperiod (the originator-usage period of
 * NIST SP 800-57 part 1 §5.3.5, from when the key first became active), whichever comes first. All
 * times are wall seconds; the second of an end is still good (RFC 5280 §4.1.2.5). */
#ifndef QSEAL_SIGNING_KEY_END_H
#define QSEAL_SIGNING_KEY_END_H

#include "base/attributes.h"
#include "keyring/keyring.h"
#include "policy/config.h"

enum key_end_what { KEY_END_CERTIFICATE, KEY_END_CRYPTOPERIOD };
enum { KEY_END_COUNT = KEY_END_CRYPTOPERIOD + 1 };

enum key_end_level { KEY_END_FAR, KEY_END_NEAR, KEY_END_PAST };

#define KEY_END_NEVER INT64_MAX

/* Of one key, computed once for a view. */
struct key_end {
    int64_t at[KEY_END_COUNT];      /* KEY_END_NEVER: it has no such end, or its life is over */
    int64_t warn_at[KEY_END_COUNT]; /* never after `at`; only of keys that are shown and not yet
                                       replaced */
    int64_t stop_at;                /* the last second in which the key may sign */
};

enum { KEY_END_TEXT_SIZE = 320 };

/* "certificate", "cryptoperiod" */
const char *key_end_name(enum key_end_what what);
/* `role` is that of the key, NULL when the configuration has it no more: it then warns of nothing.
 */
struct key_end key_end_of(const struct config_role *role, const struct key *key);
/* How near an end is that is warned of. */
enum key_end_level key_end_level(const struct key_end *end, enum key_end_what what, int64_t now);
/* Whether the key signs nothing any more, since its role stops at the end. */
static inline bool key_end_is_over(const struct key_end *end, int64_t now)
{
    return now > end->stop_at;
}
/* Which end stops the key first. */
enum key_end_what key_end_first(const struct key_end *end);
/* Which end, when, and what to do, for people; of an end that is near or past. */
void key_end_text(const struct key_end *end, enum key_end_what what, int64_t now,
                  char out[KEY_END_TEXT_SIZE]);
/* OUTCOME_NO_KEY: what is said of a key that is over. */
enum outcome key_end_refuse(const struct key *key, const struct key_end *end, struct reason *why);

#endif
