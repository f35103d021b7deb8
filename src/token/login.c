/* SPDX-License-Identifier: Apache-2.0
 * Logging in, with the budget of one. */
#include "token/login.h"

#include "base/log.h"
#include "pkcs11/rv.h"

#include <stdio.h>

enum { WARNING_SIZE = 80 };

/* Why an attempt is allowed: what the record says, or a person. */
struct permit {
    struct attempt last;
    bool by_person;
    const struct secret *typed; /* NULL: the pin-source has it */
};

/* What the token says of its patience, which is all that PKCS#11 has in place of a number. */
static const char *warning_of(CK_FLAGS flags)
{
    return (flags & CKF_USER_PIN_LOCKED) != 0 ? "has locked the PIN (USER_PIN_LOCKED)"
           : (flags & CKF_USER_PIN_FINAL_TRY) != 0
               ? "allows one last PIN attempt (USER_PIN_FINAL_TRY)"
           : (flags & CKF_USER_PIN_COUNT_LOW) != 0 ? "has seen wrong PINs (USER_PIN_COUNT_LOW)"
                                                   : NULL;
}

/* "; the token …", or nothing. */
static void put_warning(CK_FLAGS flags, char out[WARNING_SIZE])
{
    const char *warning = warning_of(flags);
    (void)snprintf(out, WARNING_SIZE, "%s%s", warning == NULL ? "" : "; the token ",
                   warning == NULL ? "" : warning);
}

/* Nobody but a person has the PIN. What is known of the last one is said before the next is typed.
 */
static enum login_result wait_for_typing(struct room *room, const struct attempt *last,
                                         const char *news)
{
    char warning[WARNING_SIZE];
    bool recorded = last->state == ATTEMPT_FAILED;
    put_warning(room->slot.flags, warning);
    room_set_state(room, TOKEN_LOCKED, "%sits PIN is typed: `qsealctl token unlock %s`%s%s%s%s",
                   news, room->options.name,
                   recorded || room->pin_refused ? "; the last one was refused" : "",
                   recorded ? " at " : "", recorded ? last->since : "", warning);
    return LOGIN_BLOCKED;
}

/* Whether nobody but a person may try now; the state says why. */
static bool is_blocked(struct room *room, const struct attempt *last, CK_FLAGS flags)
{
    const char *name = room->options.name;
    if (last->state == ATTEMPT_FAILED || room->pin_refused) {
        room_set_state(room, TOKEN_LOCKED,
                       "the PIN was refused at %s; `qsealctl token unlock %s` allows one more try",
                       last->since, name);
        return true;
    }
    if (attempt_blocks(last)) {
        room_set_state(room, TOKEN_LOCKED,
                       "two logins ended without an answer, or one that a person allowed, the last "
                       "at %s; `qsealctl token unlock %s` allows one more try",
                       last->since, name);
        return true;
    }
    const char *warning = warning_of(flags);
    if (warning == NULL) {
        return false;
    }
    room_set_state(room, TOKEN_LOCKED,
                   "not tried: the token %s; `qsealctl token unlock %s` allows one try", warning,
                   name);
    return true;
}

/* A person allows one attempt: that one gets no second, also when it ends without an answer. */
static struct attempt in_flight(const struct attempt *last, bool by_person)
{
    unsigned int unanswered = last->unanswered + 1;
    if (by_person && unanswered < ATTEMPT_UNANSWERED_MAX) {
        unanswered = ATTEMPT_UNANSWERED_MAX;
    }
    return (struct attempt){.state = ATTEMPT_IN_FLIGHT, .unanswered = unanswered};
}

static struct attempt after(const struct attempt *last, const struct attempt *flight,
                            enum rv_login result)
{
    switch (result) {
    case RV_LOGIN_GOOD:
        return (struct attempt){.state = ATTEMPT_GOOD};
    case RV_LOGIN_REFUSED:
        return (struct attempt){.state = ATTEMPT_FAILED};
    case RV_LOGIN_UNSURE:
        return (struct attempt){.state = ATTEMPT_FAULT, .unanswered = flight->unanswered};
    case RV_LOGIN_FAULT:
        /* The PIN did not get there: what a person would have had to allow still is. */
        return attempt_blocks(last)
                   ? *last
                   : (struct attempt){.state = ATTEMPT_FAULT, .unanswered = last->unanswered};
    }
    return *flight;
}

/* C_Login between its two records. The result on disk is worth more than the login: without the
 * first record nothing is tried. */
static enum rv_login login_recorded(struct room *room, const struct session *session,
                                    const struct secret *pin, const struct permit *permit,
                                    struct reason *why)
{
    struct attempt flight = in_flight(&permit->last, permit->by_person);
    if (attempt_write(room->options.state, &flight, why) != OUTCOME_OK) {
        return RV_LOGIN_FAULT;
    }
    CK_RV rv = session->calls->C_Login(session->handle, CKU_USER, pin->page, pin->len);
    enum rv_login result = rv_login(rv);
    room->pin_refused =
        result == RV_LOGIN_REFUSED || (room->pin_refused && result != RV_LOGIN_GOOD);
    const struct attempt record = after(&permit->last, &flight, result);
    struct reason record_why;
    if (attempt_write(room->options.state, &record, &record_why) != OUTCOME_OK) {
        log_error("token %s: the PIN record cannot be written: %s", room->options.name,
                  record_why.detail);
    }
    if (result != RV_LOGIN_GOOD) {
        (void)refuse(why, OUTCOME_PIN, "C_Login: %s", rv_text(rv).text);
    }
    return result;
}

static enum rv_login login_with_pin(struct room *room, const struct session *session,
                                    const struct permit *permit, struct reason *why)
{
    if (permit->typed != NULL) {
        return login_recorded(room, session, permit->typed, permit, why);
    }
    SECRET_CLEANUP struct secret pin = {0};
    if (pin_read(uri_pin_source(room->uri), &pin, why) != OUTCOME_OK) {
        return RV_LOGIN_FAULT;
    }
    return login_recorded(room, session, &pin, permit, why);
}

/* What start-up has shown by itself. */
static void note_quirks(struct room *room)
{
    struct quirks *quirks = &room->quirks;
    const struct mechanisms *mechanisms = &room->mechanisms;
    CK_ULONG max = room->slot.info.ulMaxSessionCount;
    quirk_note(quirks, QUIRK_LOGIN_NOT_REQUIRED, (room->slot.flags & CKF_LOGIN_REQUIRED) == 0);
    quirk_note(quirks, QUIRK_NO_RAW_ECDSA, mechanism_lacks_raw(mechanisms, FAMILY_ECDSA));
    quirk_note(quirks, QUIRK_NO_RAW_RSA,
               mechanism_lacks_raw(mechanisms, FAMILY_RSA_PKCS1) ||
                   mechanism_lacks_raw(mechanisms, FAMILY_RSA_PSS));
    if (max != CK_UNAVAILABLE_INFORMATION) {
        quirk_note(quirks, QUIRK_FEW_SESSIONS,
                   max != CK_EFFECTIVELY_INFINITE && max < room->options.sessions);
    }
}

static void become_ready(struct room *room, CK_SESSION_HANDLE session)
{
    if (!room->probed) {
        mechanism_probe(&room->module, room->slot.id, room->options.mechanisms, &room->mechanisms);
        room->slot_id = room->slot.id;
        room->probed = true;
        note_quirks(room);
    }
    if (room->slot_id != room->slot.id) {
        room_abandon(room, "the token moved to another slot");
    }
    pthread_mutex_lock(&room->lock);
    room->spare = session;
    pthread_mutex_unlock(&room->lock);
    room->misses = 0;
    room_set_state(room, TOKEN_READY, "%s", "");
}

/* The token's flags are new since the refusal. */
static enum login_result set_locked(struct room *room, const struct reason *why)
{
    char warning[WARNING_SIZE];
    struct slot slot = room->slot;
    put_warning(slot_refresh(&room->module, &slot) ? slot.flags : 0, warning);
    room_set_state(room, TOKEN_LOCKED,
                   "the PIN was refused (%.100s)%s; `qsealctl token unlock %s` allows one more try",
                   why->detail, warning, room->options.name);
    return LOGIN_BLOCKED;
}

static enum login_result open_and_login(struct room *room, const struct permit *permit,
                                        struct reason *why)
{
    struct session session = {.calls = room->module.calls};
    CK_RV rv = session.calls->C_OpenSession(room->slot.id, CKF_SERIAL_SESSION, NULL, NULL,
                                            &session.handle);
    if (rv != CKR_OK) {
        (void)rv_refuse(rv, "C_OpenSession", why);
        room_set_state(room, TOKEN_DOWN, "%s", why->detail);
        return LOGIN_FAILED;
    }
    enum rv_login result = login_with_pin(room, &session, permit, why);
    if (result == RV_LOGIN_GOOD) {
        become_ready(room, session.handle);
        return LOGIN_DONE;
    }
    (void)session.calls->C_CloseSession(session.handle);
    if (result == RV_LOGIN_REFUSED) {
        return set_locked(room, why);
    }
    room_set_state(room, TOKEN_DOWN, "%s", why->detail);
    return LOGIN_FAILED;
}

static enum login_result try_permitted(struct room *room, struct permit *permit, struct reason *why)
{
    if (attempt_read(room->options.state, &permit->last, why) != OUTCOME_OK) {
        room_set_state(room, TOKEN_DOWN, "%s", why->detail);
        return LOGIN_FAILED;
    }
    if (room->options.pin_typed && permit->typed == NULL) {
        return wait_for_typing(room, &permit->last, "");
    }
    if (!permit->by_person && is_blocked(room, &permit->last, room->slot.flags)) {
        return LOGIN_BLOCKED;
    }
    return open_and_login(room, permit, why);
}

enum login_result login_try(struct room *room, struct reason *why)
{
    struct permit permit = {.by_person = false};
    return try_permitted(room, &permit, why);
}

static bool is_logged_in(const struct session *session)
{
    CK_SESSION_INFO info = {0};
    return session->calls->C_GetSessionInfo(session->handle, &info) == CKR_OK &&
           (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS);
}

static bool again(struct room *room, struct session *session)
{
    struct reason why;
    struct permit permit = {.by_person = false};
    struct slot slot = room->slot;
    if (is_logged_in(session)) {
        return true; /* another worker was here first: a login is the whole process's */
    }
    quirk_note(&room->quirks, QUIRK_LOGIN_LOST, true);
    if (room->options.pin_typed) {
        (void)wait_for_typing(room, &permit.last, "the login was lost; ");
        return false;
    }
    if (room->relogin_used || attempt_read(room->options.state, &permit.last, &why) != OUTCOME_OK ||
        permit.last.state != ATTEMPT_GOOD || !slot_refresh(&room->module, &slot) ||
        is_blocked(room, &permit.last, slot.flags)) {
        return false;
    }
    room->relogin_used = true;
    log_warning("token %s: the login was lost; the PIN is given once more", room->options.name);
    enum rv_login result = login_with_pin(room, session, &permit, &why);
    if (result == RV_LOGIN_REFUSED) {
        (void)set_locked(room, &why);
    }
    return result == RV_LOGIN_GOOD;
}

bool login_again(struct room *room, struct session *session, unsigned int place)
{
    pthread_mutex_lock(&room->login_lock);
    guard_enter(&room->guard, place, room->options.deadline_ms);
    bool done = again(room, session);
    guard_leave(&room->guard, place);
    pthread_mutex_unlock(&room->login_lock);
    return done;
}

static enum outcome unlock(struct room *room, const struct secret *typed, struct reason *why)
{
    if (atomic_load(&room->ready)) {
        return OUTCOME_OK;
    }
    enum outcome outcome = room_find(room, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct permit permit = {.by_person = true, .typed = typed};
    if (!room->options.pin_typed || typed != NULL) {
        log_info("token %s: a person allows one PIN attempt", room->options.name);
    }
    return try_permitted(room, &permit, why) == LOGIN_DONE ? OUTCOME_OK : room_not_ready(room, why);
}

enum outcome login_unlock(struct room *room, unsigned int place, const struct secret *typed,
                          struct reason *why)
{
    pthread_mutex_lock(&room->login_lock);
    guard_enter(&room->guard, place, room->options.deadline_ms);
    enum outcome outcome = unlock(room, typed, why);
    guard_leave(&room->guard, place);
    pthread_mutex_unlock(&room->login_lock);
    return outcome;
}
