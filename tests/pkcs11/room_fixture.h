/* SPDX-License-Identifier: Apache-2.0
 * A room and a worker of qseal-tokend inside the test program, on a fresh SoftHSM2 token behind the
 * shim. */
#ifndef QSEAL_TESTS_PKCS11_ROOM_FIXTURE_H
#define QSEAL_TESTS_PKCS11_ROOM_FIXTURE_H

#include "softhsm.h"

#include "model/outcome.h"
#include "token/local.h"
#include "token/room.h"

struct room_fixture {
    struct softhsm softhsm;
    struct room *room;   /* NULL until room_fixture_open() */
    struct token *token; /* worker 0 */
};

/* For cmocka's group: makes and removes the SoftHSM2 token. */
int room_fixture_group_setup(void **state);
int room_fixture_group_teardown(void **state);
/* For each test: no record, right PIN, no faults; and a module that forgot everything. */
int room_fixture_setup(void **state);
int room_fixture_teardown(void **state);

struct room_options room_fixture_options(const struct room_fixture *fixture);
/* Opens with the usual or with these options, without looking for the token yet. */
void room_fixture_open(struct room_fixture *fixture, const struct room_options *options);
/* The same, and logs in. */
void room_fixture_ready(struct room_fixture *fixture);
enum token_state room_fixture_state(struct room_fixture *fixture, char detail[REASON_DETAIL_SIZE]);

/* "found", "not found" or "unknown", as the room's status says it. */
const char *room_fixture_quirk(struct room_fixture *fixture, enum quirk quirk);

/* A read-write session of its own, logged in as the room is. */
struct session room_fixture_session(struct room_fixture *fixture);

/* What another tool would make: a P-256 pair, with the attribute `odd` turned round (0: none). */
struct foreign_key {
    const char *label;
    CK_ATTRIBUTE_TYPE odd;
    uint8_t id[KEY_ID_LEN];
};
void room_fixture_foreign(struct session *session, const struct foreign_key *key);

/* A key of this type, generated; *spki is filled. */
struct token_sign_request room_fixture_key(struct room_fixture *fixture, enum key_type type,
                                           enum alg alg, struct buffer *spki);
/* Signs a JWS signing input for the request's alg. */
enum outcome room_fixture_sign(struct room_fixture *fixture, struct token_sign_request *request,
                               struct buffer *input, struct buffer *signature, struct reason *why);

#endif
