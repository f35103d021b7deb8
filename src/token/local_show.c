/* SPDX-License-Identifier: Apache-2.0
 * A key, shown as it is in the token. */
#include "pkcs11/rv.h"
#include "pkcs11/show.h"
#include "token/local_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    SHOW_FACTOR = 4, /* some twenty small calls under one deadline */
    ELSEWHERE_MAX = 256,
};

static const CK_ATTRIBUTE_TYPE types[] = {
    [ATTRIBUTE_PRIVATE] = CKA_PRIVATE,
    [ATTRIBUTE_SENSITIVE] = CKA_SENSITIVE,
    [ATTRIBUTE_ALWAYS_SENSITIVE] = CKA_ALWAYS_SENSITIVE,
    [ATTRIBUTE_EXTRACTABLE] = CKA_EXTRACTABLE,
    [ATTRIBUTE_NEVER_EXTRACTABLE] = CKA_NEVER_EXTRACTABLE,
    [ATTRIBUTE_LOCAL] = CKA_LOCAL,
    [ATTRIBUTE_MODIFIABLE] = CKA_MODIFIABLE,
    [ATTRIBUTE_ALWAYS_AUTHENTICATE] = CKA_ALWAYS_AUTHENTICATE,
    [ATTRIBUTE_SIGN] = CKA_SIGN,
    [ATTRIBUTE_SIGN_RECOVER] = CKA_SIGN_RECOVER,
    [ATTRIBUTE_DECRYPT] = CKA_DECRYPT,
    [ATTRIBUTE_UNWRAP] = CKA_UNWRAP,
    [ATTRIBUTE_DERIVE] = CKA_DERIVE,
};
static_assert(COUNT_OF(types) == TOKEN_ATTRIBUTE_COUNT, "a type for every attribute");
static_assert(COUNT_OF(types) <= SHOW_FLAGS_MAX, "room for every attribute");
static_assert((int)SHOW_LABEL_SIZE == (int)TOKEN_LABEL_SIZE, "a label fits");

static enum token_answer answer_of(enum find_flag flag)
{
    return flag == FIND_ABSENT ? ANSWER_NONE : flag == FIND_TRUE ? ANSWER_TRUE : ANSWER_FALSE;
}

static void fill(struct room *room, const struct token_show_request *request,
                 struct shown_key *shown, struct token_key *out)
{
    *out = (struct token_key){
        .has_mechanisms = shown->has_mechanisms,
        .is_pinned = span_equal(span_of(shown->spki_digest, sizeof shown->spki_digest),
                                span_of(request->spki_digest, sizeof request->spki_digest)),
        .signatures = key_uses_of(&room->uses, request->key_id),
        .started = room->started,
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        out->attributes[i] = answer_of(shown->flags[i]);
    }
    memcpy(out->label, shown->label, sizeof out->label);
    (void)snprintf(out->mechanisms, sizeof out->mechanisms, "%s", buffer_text(&shown->mechanisms));
}

/* Who has copied a key may have given it another CKA_ID: where its public key is, as in a URI of
 * RFC 7512. */
static enum outcome refuse_absent(struct token *token, const struct token_show_request *request,
                                  struct deadline deadline, struct reason *why)
{
    struct room *room = token->room;
    CK_OBJECT_HANDLE keys[ELSEWHERE_MAX];
    struct reason absent = *why;
    BUFFER_CLEANUP struct buffer id = BUFFER_INIT(SHOW_ID_MAX);
    char text[3 * SHOW_ID_MAX + 1] = "";
    size_t n = 0;
    guard_enter(&room->guard, token->place, room->options.deadline_ms);
    bool listed = find_all(&token->session, CKO_PUBLIC_KEY, keys, COUNT_OF(keys), &n);
    guard_leave(&room->guard, token->place);
    bool found = false;
    for (size_t i = 0; listed && i < n && !found && !deadline_passed(deadline); i++) {
        guard_enter(&room->guard, token->place, (int64_t)room->options.deadline_ms * SHOW_FACTOR);
        found = show_is_at(&token->session, keys[i],
                           span_of(request->spki_digest, sizeof request->spki_digest), &id);
        guard_leave(&room->guard, token->place);
    }
    for (size_t i = 0; i < id.len; i++) {
        (void)snprintf(text + 3 * i, 4, "%%%02x", id.data[i]);
    }
    return id.len == 0 ? OUTCOME_NO_KEY
                       : refuse(why, OUTCOME_NO_KEY, "%.200s; its public key is at pkcs11:id=%s",
                                absent.detail, text);
}

enum outcome token_show(struct token *token, const struct token_show_request *request,
                        struct deadline deadline, struct token_key *out, struct reason *why)
{
    struct room *room = token->room;
    if (!atomic_load(&room->ready)) {
        return room_not_ready(room, why);
    }
    if (deadline_passed(deadline)) {
        return refuse(why, OUTCOME_DEADLINE, "the deadline has passed");
    }
    CK_RV rv = local_ensure_session(token);
    if (rv != CKR_OK) {
        return rv_refuse(rv, "C_OpenSession", why);
    }
    struct shown_key shown = {.mechanisms = BUFFER_INIT(TOKEN_MECHANISMS_SIZE)};
    guard_enter(&room->guard, token->place, (int64_t)room->options.deadline_ms * SHOW_FACTOR);
    enum outcome outcome = show_key(&token->session, span_of(request->key_id, KEY_ID_LEN), types,
                                    COUNT_OF(types), &shown, why);
    guard_leave(&room->guard, token->place);
    if (outcome == OUTCOME_OK) {
        fill(room, request, &shown, out);
    }
    buffer_fini(&shown.mechanisms);
    return outcome == OUTCOME_NO_KEY ? refuse_absent(token, request, deadline, why) : outcome;
}
