/* SPDX-License-Identifier: Apache-2.0
 * A room inside the test program. */
#include "room_fixture.h"

#include "base/random.h"
#include "jws.h"

#include <stdlib.h>
#include <string.h>

int room_fixture_group_setup(void **state)
{
    struct room_fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    softhsm_make(&fixture->softhsm);
    *state = fixture;
    return 0;
}

int room_fixture_group_teardown(void **state)
{
    struct room_fixture *fixture = *state;
    softhsm_remove(&fixture->softhsm);
    free(fixture);
    return 0;
}

int room_fixture_setup(void **state)
{
    const struct room_fixture *fixture = *state;
    softhsm_set_pin(&fixture->softhsm, SOFTHSM_PIN);
    softhsm_set_faults(&fixture->softhsm, "");
    softhsm_forget_calls(&fixture->softhsm);
    softhsm_clear_record(&fixture->softhsm);
    return 0;
}

int room_fixture_teardown(void **state)
{
    struct room_fixture *fixture = *state;
    token_local_free(fixture->token);
    fixture->token = NULL;
    if (fixture->room != NULL) {
        /* Only tests may do this: no thread is inside the module. */
        (void)fixture->room->module.calls->C_Finalize(NULL);
        room_fini(fixture->room);
        free(fixture->room);
        fixture->room = NULL;
    }
    return 0;
}

struct room_options room_fixture_options(const struct room_fixture *fixture)
{
    return (struct room_options){
        .name = "test",
        .module = softhsm_shim(),
        .uri = fixture->softhsm.uri,
        .state = fixture->softhsm.state,
        .sessions = 2,
        .deadline_ms = 60000,
        .mechanisms = MECHANISM_AUTO,
    };
}

void room_fixture_open(struct room_fixture *fixture, const struct room_options *options)
{
    struct reason why = {0};
    fixture->room = calloc(1, sizeof *fixture->room);
    assert_non_null(fixture->room);
    enum outcome outcome = room_init(fixture->room, options, &why);
    if (outcome != OUTCOME_OK) {
        fail_msg("room_init: %s", why.detail);
    }
    fixture->token = token_local_new(fixture->room, 0);
    assert_non_null(fixture->token);
}

void room_fixture_ready(struct room_fixture *fixture)
{
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    char detail[REASON_DETAIL_SIZE];
    if (room_fixture_state(fixture, detail) != TOKEN_READY) {
        fail_msg("not ready: %s", detail);
    }
}

enum token_state room_fixture_state(struct room_fixture *fixture, char detail[REASON_DETAIL_SIZE])
{
    struct token_status status;
    room_status(fixture->room, &status);
    memcpy(detail, status.detail, REASON_DETAIL_SIZE);
    return status.state;
}

const char *room_fixture_quirk(struct room_fixture *fixture, enum quirk quirk)
{
    struct token_status status;
    room_status(fixture->room, &status);
    return (status.facts.quirks_found & 1U << quirk) != 0    ? "found"
           : (status.facts.quirks_looked & 1U << quirk) != 0 ? "not found"
                                                             : "unknown";
}

struct session room_fixture_session(struct room_fixture *fixture)
{
    struct session session = {.calls = fixture->room->module.calls,
                              .quirks = &fixture->room->quirks};
    assert_int_equal(session.calls->C_OpenSession(fixture->room->slot.id,
                                                  CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                                  &session.handle),
                     CKR_OK);
    return session;
}

void room_fixture_foreign(struct session *session, const struct foreign_key *key)
{
    static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    struct {
        CK_ATTRIBUTE_TYPE type;
        CK_BBOOL value;
    } flags[] = {
        {CKA_TOKEN, CK_TRUE},         {CKA_PRIVATE, CK_TRUE},
        {CKA_SENSITIVE, CK_TRUE},     {CKA_EXTRACTABLE, CK_FALSE},
        {CKA_SIGN, CK_TRUE},          {CKA_DECRYPT, CK_FALSE},
        {CKA_UNWRAP, CK_FALSE},       {CKA_DERIVE, CK_FALSE},
        {CKA_SIGN_RECOVER, CK_FALSE}, {CKA_ALWAYS_AUTHENTICATE, CK_FALSE},
    };
    CK_ATTRIBUTE private_key[COUNT_OF(flags) + 2];
    CK_ULONG n = 0;
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (flags[i].type == key->odd) {
            flags[i].value = !flags[i].value;
        }
        private_key[n++] = (CK_ATTRIBUTE){flags[i].type, &flags[i].value, sizeof flags[i].value};
    }
    CK_BYTE *id = (CK_BYTE *)(uintptr_t)key->id;
    char *label = (char *)(uintptr_t)key->label;
    private_key[n++] = (CK_ATTRIBUTE){CKA_ID, id, KEY_ID_LEN};
    private_key[n++] = (CK_ATTRIBUTE){CKA_LABEL, label, strlen(label)};
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public_key[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_EC_PARAMS, (CK_BYTE *)(uintptr_t)p256, sizeof p256},
        {CKA_ID, id, KEY_ID_LEN},
    };
    CK_MECHANISM mechanism = {.mechanism = CKM_EC_KEY_PAIR_GEN};
    CK_OBJECT_HANDLE handles[2];
    assert_int_equal(session->calls->C_GenerateKeyPair(session->handle, &mechanism, public_key,
                                                       COUNT_OF(public_key), private_key, n,
                                                       &handles[0], &handles[1]),
                     CKR_OK);
}

struct token_sign_request room_fixture_key(struct room_fixture *fixture, enum key_type type,
                                           enum alg alg, struct buffer *spki)
{
    struct token_generate_request request = {
        .purpose = PURPOSE_SEAL,
        .type = type,
        .algs = 1U << alg,
        .role = "seal",
    };
    random_bytes(request.key_id, sizeof request.key_id);
    struct reason why = {0};
    enum outcome outcome =
        token_generate(fixture->token, &request, deadline_in_ms(60000), spki, &why);
    if (outcome != OUTCOME_OK) {
        fail_msg("token_generate: %s: %s", outcome_name(outcome), why.detail);
    }
    struct token_sign_request out = {.purpose = PURPOSE_SEAL, .alg = alg};
    memcpy(out.key_id, request.key_id, sizeof out.key_id);
    assert_true(digest_sha256(buffer_span(spki), out.spki_digest));
    return out;
}

enum outcome room_fixture_sign(struct room_fixture *fixture, struct token_sign_request *request,
                               struct buffer *input, struct buffer *signature, struct reason *why)
{
    buffer_reset(input);
    buffer_reset(signature);
    jws_input(input, request->alg);
    request->input = buffer_span(input);
    return token_sign(fixture->token, request, deadline_in_ms(60000), signature, why);
}
