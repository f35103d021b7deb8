/* SPDX-License-Identifier: Apache-2.0
 * Inside src/keyring only: one key of the file, and the rules that both loading and adding keep. */
#ifndef QSEAL_KEYRING_STORE_H
#define QSEAL_KEYRING_STORE_H

#include "base/span.h"
#include "jose/json_flat.h"
#include "keyring/keyring.h"

/* A copy with the next generation, for one change. */
enum outcome keyring_copy(const struct keyring *keyring, struct keyring **out,
                          struct reason *why) MUST_USE;
/* Appends the key, taking what it owns over. Whether it may be there is another question: */
enum outcome keyring_append(struct keyring *keyring, struct key *key, struct reason *why) MUST_USE;
/* Whether a rule of keyring_add() speaks against one key more, or against those there are; *index
 * is then that of a key that should not be there. */
enum outcome clash_check_new(const struct keyring *keyring, const struct key *key,
                             struct reason *why) MUST_USE;
enum outcome clash_check_all(const struct keyring *keyring, size_t *index,
                             struct reason *why) MUST_USE;

/* keyring_change() in place; on a refusal some of the steps may have been taken. */
enum outcome keyring_take_steps(struct keyring *keyring, const struct keyring_step *steps, size_t n,
                                struct reason *why) MUST_USE;

/* OUTCOME_RULE unless the text is certificates in PEM as pem_put() writes them. */
enum outcome chain_check(struct span pem, struct reason *why) MUST_USE;

enum {
    FORMAT_ACTIVE_ONLY = 1, /* every key is active and has no history; read, no longer written */
    FORMAT = 2,
};

/* Strict in both directions: no member more, none less, but for "chain_pem", which is there when
 * there are certificates, and "history", "backup", "seen" and "schedule", which format 1 has not
 * and of which the last three are there when there is something in them. key_read fills *out, which
 * owns what it points to. */
enum outcome key_read(const struct json_flat *object, int format, struct key *out,
                      struct reason *why) MUST_USE;
/* As of FORMAT. */
void key_put(const struct key *key, struct buffer *out);
enum outcome history_read(const struct json_flat *array, struct key *out,
                          struct reason *why) MUST_USE;
void history_put(const struct key *key, struct buffer *out);
/* One change: state, at, by and reason. What else stands there is the caller's affair. */
enum outcome change_read(const struct json_flat *object, struct key_change *out,
                         struct reason *why) MUST_USE;
/* How many members change_put() writes. */
size_t change_members(const struct key_change *change);
/* The same members, without the braces. */
void change_put(const struct key_change *change, struct buffer *out);
/* A text that people gave: OUTCOME_RULE unless it is short and printable. */
enum outcome change_check_text(const char *text, struct reason *why) MUST_USE;

/* What may stand beside the history: each kind of record, and the schedule. */
enum outcome plans_read(const struct json_flat *object, struct key *out,
                        struct reason *why) MUST_USE;
/* How many members those are. */
size_t plans_members(const struct key *key);
/* Puts the step at the end of the key's schedule; OUTCOME_RULE as keyring_set_schedules(). */
enum outcome schedule_append(struct key *key, const struct key_planned *step,
                             struct reason *why) MUST_USE;
/* Drops from the schedules what these keys, as they are now, have done or cannot do any more, and
 * that a key goes into retirement for a successor that is not to come any more. */
void schedule_trim(struct keyring *keyring, const struct keyring_step *steps, size_t n);

/* A uid. */
bool store_uid(const struct json_flat *value, uint32_t *out) MUST_USE;

enum {
    KEYRING_FILE_MAX = 16 * 1024 * 1024, /* bytes */
    KEYRING_VALUES_MAX = 2 * 1024 * 1024,
};

/* Keeps what is at `path`, or an empty keyring where there is none yet, as `path`.GENERATION, and
 * drops what is older than KEYRING_KEPT. 0, or -1 with errno. */
int kept_put(const char *path, uint64_t generation) MUST_USE;
/* The newest generation beside `path`; false when there is none. */
bool kept_newest(const char *path, uint64_t *generation) MUST_USE;

#endif
