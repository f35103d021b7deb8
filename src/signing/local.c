/* SPDX-License-Identifier: Apache-2.0
 * A caller's question, from its connection number to the text of its answer. */
#include "signing/local.h"

#include "base/clock.h"
#include "base/log.h"
#include "model/tls_scheme.h"
#include "signing/judge.h"
#include "signing/listing.h"
#include "signing/problem.h"
#include "signing/seal.h"
#include "signing/tls.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_TEXT_MAX = 3 * 1024 * 1024 - 4096, KEEP_ROOM = 32 * 1024, SUBJECT_MAX = 256 };

struct signing_worker {
    struct dispatcher *dispatcher;
    struct sealer *sealer;
    struct buffer body;
};

/* Everything one question needs on its way down. */
struct question {
    struct dispatch_subject subject;
    const struct signing *signing;
    struct signing_worker *worker;
    const struct signing_request *request;
    struct view *view;
    struct caller caller;
    const struct config_caller *granted; /* the caller's row in the configuration */
    struct signing_answer *answer;
    const char *rule; /* that what is verified broke, by its name; NULL: none */
};

struct signing_worker *signing_worker_new(void)
{
    struct signing_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        return NULL;
    }
    worker->body = BUFFER_INIT(BODY_TEXT_MAX);
    worker->dispatcher = dispatcher_new();
    worker->sealer = sealer_new();
    if (worker->dispatcher == NULL || worker->sealer == NULL) {
        signing_worker_free(worker);
        return NULL;
    }
    return worker;
}

void signing_worker_free(struct signing_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    dispatcher_free(worker->dispatcher);
    sealer_free(worker->sealer);
    buffer_fini(&worker->body);
    free(worker);
}

static enum outcome answer_health(struct question *question)
{
    const struct signing *signing = question->signing;
    enum health health = listing_health(question->view, signing->watch, signing->audit);
    listing_put_health(&question->worker->body, question->view, signing->watch, signing->audit,
                       health);
    question->answer->media = MEDIA_JSON;
    /* Not a refusal: an unready service still answers what its health is, with the status that load
     * balancers read. */
    question->answer->outcome = health == HEALTH_UNREADY ? OUTCOME_UNAVAILABLE : OUTCOME_OK;
    return OUTCOME_OK;
}

static enum outcome answer_profiles(struct question *question)
{
    listing_put_profiles(&question->worker->body, question->view, question->granted);
    return OUTCOME_OK;
}

static enum outcome answer_keys(struct question *question)
{
    listing_put_keys(&question->worker->body, question->view, question->granted);
    return OUTCOME_OK;
}

static enum outcome answer_jwks(struct question *question)
{
    buffer_put_span(&question->worker->body, buffer_span(&question->view->jwks));
    question->answer->media = MEDIA_JWK_SET;
    question->answer->max_age_s = question->view->policy->config->limits.jwks_max_age_s;
    return OUTCOME_OK;
}

/* An unknown profile, or one of another operation, is not found; a known one may still not be this
 * caller's. */
static enum outcome answer_sign(struct question *question, struct reason *why)
{
    const struct signing_request *request = question->request;
    const struct profile *profile =
        profiles_find(question->view->policy->profiles, request->operation, request->name);
    if (profile == NULL) {
        return refuse(why, OUTCOME_NOT_FOUND,
                      "there is no profile %s of the operation %s; GET /v1/profiles lists yours",
                      request->name, operation_name(request->operation));
    }
    if (!config_caller_is_granted(question->granted, request->name)) {
        return refuse(why, OUTCOME_NOT_GRANTED,
                      "the profile %s is not granted to caller %s (uid %u)", request->name,
                      question->granted->name, question->caller.uid);
    }
    question->subject.operation = operation_name(request->operation);
    question->subject.profile = request->name;
    question->subject.profile_digest = profile_digest(profile);
    struct seal_request seal = {
        .dispatcher = question->worker->dispatcher,
        .view = question->view,
        .views = question->signing->views,
        .watch = question->signing->watch,
        .profile = profile,
        .body = request->body,
        .content_type = request->content_type,
        .subject = &question->subject,
        .deadline = deadline_in_ms(question->view->policy->config->limits.deadline_ms),
    };
    return seal_artefact(question->worker->sealer, &seal, &question->worker->body, why);
}

/* What records call a question that is about no profile. */
static const char *route_name(enum signing_route route)
{
    static const char *const names[] = {
        [ROUTE_HEALTH] = "health",
        [ROUTE_PROFILES] = "profiles",
        [ROUTE_KEYS] = "keys",
        [ROUTE_JWKS] = "jwks",
        [ROUTE_SIGN] = "sign",
        [ROUTE_TLS_SIGNATURE] = "tls-signature",
        [ROUTE_CERTIFICATE] = "certificate",
        [ROUTE_REFERENCE] = "reference",
        [ROUTE_VERIFY_DETACHED_JWS] = "verify-detached-jws",
        [ROUTE_VERIFY_ID_TOKEN] = "verify-id-token",
    };
    static_assert(COUNT_OF(names) == ROUTE_COUNT, "a name for every route");
    return names[route];
}

static enum outcome answer_role(struct question *question, struct reason *why)
{
    struct buffer *body = &question->worker->body;
    question->subject.operation = route_name(question->request->route);
    const struct tls_question tls = {
        .view = question->view,
        .views = question->signing->views,
        .watch = question->signing->watch,
        .caller = question->granted,
        .request = question->request,
        .subject = &question->subject,
        .deadline = deadline_in_ms(question->view->policy->config->limits.deadline_ms),
    };
    if (question->request->route == ROUTE_TLS_SIGNATURE) {
        question->answer->media = MEDIA_OCTETS;
        return tls_sign(question->worker->dispatcher, &tls, body, question->answer->peer, why);
    }
    if (question->request->route == ROUTE_CERTIFICATE) {
        question->answer->media = MEDIA_PEM_CHAIN;
        return tls_put_certificate(&tls, body, why);
    }
    question->answer->media = MEDIA_PEM;
    return tls_put_reference(&tls, body, why);
}

static enum outcome answer_verify(struct question *question, struct reason *why)
{
    const struct judge_question judged = {
        .view = question->view,
        .watch = question->signing->watch,
        .caller = question->granted,
        .request = question->request,
    };
    return judge(&judged, &question->worker->body, &question->rule, why);
}

static enum outcome answer_route(struct question *question, struct reason *why)
{
    switch (question->request->route) {
    case ROUTE_HEALTH:
        return answer_health(question);
    case ROUTE_PROFILES:
        return answer_profiles(question);
    case ROUTE_KEYS:
        return answer_keys(question);
    case ROUTE_JWKS:
        return answer_jwks(question);
    case ROUTE_SIGN:
        return answer_sign(question, why);
    case ROUTE_TLS_SIGNATURE:
    case ROUTE_CERTIFICATE:
    case ROUTE_REFERENCE:
        return answer_role(question, why);
    case ROUTE_VERIFY_DETACHED_JWS:
    case ROUTE_VERIFY_ID_TOKEN:
        return answer_verify(question, why);
    }
    return refuse(why, OUTCOME_NOT_FOUND, "there is no such door");
}

static enum outcome check_interaction_id(const struct signing_request *request, struct reason *why)
{
    const char *id = request->interaction_id;
    if (request->interaction_id_bad || (id[0] != '\0' && !uuid_is_valid(span_of_text(id)))) {
        return refuse(why, OUTCOME_MALFORMED, "x-fapi-interaction-id must be one UUID");
    }
    return OUTCOME_OK;
}

static enum outcome find_caller(struct question *question, struct reason *why)
{
    if (!callers_find(question->signing->callers, question->request->connection,
                      &question->caller)) {
        question->caller = CALLER_UNKNOWN;
        return refuse(why, OUTCOME_UNAVAILABLE,
                      "this connection is not known any more; connect again");
    }
    question->granted = config_caller(question->view->policy->config, question->caller.uid);
    question->subject.caller_name = question->granted == NULL ? NULL : question->granted->name;
    if (question->granted == NULL) {
        bool tls = question->request->route == ROUTE_TLS_SIGNATURE;
        return refuse(why, OUTCOME_NOT_GRANTED,
                      tls ? "transport key not granted to uid %u, which is no caller in the "
                            "configuration"
                          : "uid %u is no caller in the configuration",
                      question->caller.uid);
    }
    return OUTCOME_OK;
}

static enum outcome answer_question(struct question *question, struct reason *why)
{
    enum outcome outcome = find_caller(question, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = callers_enter(question->signing->callers, question->granted, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = check_interaction_id(question->request, why);
    if (outcome == OUTCOME_OK) {
        outcome = answer_route(question, why);
    }
    bool signs =
        question->request->route == ROUTE_SIGN || question->request->route == ROUTE_TLS_SIGNATURE;
    callers_leave(question->signing->callers, question->caller.uid, outcome == OUTCOME_OK && signs,
                  outcome != OUTCOME_OK);
    return outcome;
}

/* A refused claim as the log may show it. Its first name when that is the profile's own; a caller's
 * own names are payload. */
static const char *claim_for_log(const struct question *question, const struct reason *why,
                                 char out[REASON_CLAIM_SIZE])
{
    const struct signing_request *request = question->request;
    const struct profile *profile =
        request->route != ROUTE_SIGN || why->claim[0] == '\0'
            ? NULL
            : profiles_find(question->view->policy->profiles, request->operation, request->name);
    if (profile == NULL) {
        return "";
    }
    size_t len = strcspn(why->claim + 1, "/");
    (void)snprintf(out, REASON_CLAIM_SIZE, "%.*s", (int)len, why->claim + 1);
    return profile_knows_claim(profile, out) ? out : "a claim of the caller's own";
}

/* What was asked, in names of ours only. */
static void put_subject(struct buffer *out, const struct signing_request *request)
{
    enum tls_scheme scheme;
    if (request->route == ROUTE_SIGN) {
        buffer_put_format(out, "%s %s", operation_name(request->operation), request->name);
        return;
    }
    if (request->route == ROUTE_TLS_SIGNATURE) {
        bool known = tls_scheme_from_name(span_of_text(request->scheme), &scheme);
        buffer_put_format(out, "tls-signature %s %s", request->name,
                          known ? tls_scheme_name(scheme) : "of no known scheme");
        return;
    }
    if (judge_route(request->route)) {
        buffer_put_format(out, "%s %s", route_name(request->route), request->name);
        return;
    }
    buffer_put_format(out, "reading %s", request->name);
}

static void record_refusal(const struct question *question, enum outcome outcome,
                           const struct reason *why, const char *claim)
{
    const struct signing_request *request = question->request;
    bool signs = request->route == ROUTE_SIGN;
    bool has_profile = signs || judge_route(request->route);
    const struct audit_refusal refusal = {
        .caller = question->caller,
        .caller_name = question->subject.caller_name,
        .operation = signs ? operation_name(request->operation) : route_name(request->route),
        .profile = has_profile ? request->name : NULL,
        .role = has_profile ? NULL : request->name,
        .claim = claim,
        .request = question->answer->request_id,
        .interaction = question->subject.interaction_id,
        .outcome = outcome,
        .detail = why->detail,
    };
    audit_refused(question->signing->audit, &refusal);
}

static void log_refusal(const struct question *question, enum outcome outcome,
                        const struct reason *why)
{
    const struct signing_request *request = question->request;
    char claim[REASON_CLAIM_SIZE];
    const char *at = claim_for_log(question, why, claim);
    const char *id = question->subject.interaction_id;
    record_refusal(question, outcome, why, at);
    if (!log_limit_allows(question->signing->refusals)) {
        return;
    }
    if (question->caller.uid == CALLER_UNKNOWN.uid) {
        log_info("request %s: from a connection that is not known: %s",
                 question->answer->request_id, why->detail);
        return;
    }
    BUFFER_CLEANUP struct buffer subject = BUFFER_INIT(SUBJECT_MAX);
    put_subject(&subject, request);
    log_info("request %s: uid %u pid %d%s%s %s: %s%s%s: %s", question->answer->request_id,
             question->caller.uid, question->caller.pid, id[0] == '\0' ? "" : " interaction ", id,
             buffer_text(&subject), outcome_name(outcome), at[0] == '\0' ? "" : " at ", at,
             why->detail);
}

/* "" unless it is a UUID. */
static const char *usable_interaction_id(const struct signing_request *request)
{
    bool usable =
        !request->interaction_id_bad && uuid_is_valid(span_of_text(request->interaction_id));
    return usable ? request->interaction_id : "";
}

void signing_ask(const struct signing *signing, struct signing_worker *worker,
                 const struct signing_request *request, struct signing_answer *answer)
{
    struct reason why = {0};
    struct question question = {
        .signing = signing,
        .worker = worker,
        .request = request,
        .view = view_cell_get(signing->views),
        .answer = answer,
    };
    question.subject = (struct dispatch_subject){
        .audit = signing->audit,
        .caller = &question.caller,
        .request_id = answer->request_id,
        .interaction_id = usable_interaction_id(request),
    };
    buffer_trim(&worker->body, KEEP_ROOM);
    buffer_reset(&worker->body);
    *answer = (struct signing_answer){.outcome = OUTCOME_OK, .media = MEDIA_JSON};
    random_uuid(answer->request_id);

    enum outcome outcome = answer_question(&question, &why);
    if (outcome == OUTCOME_OK && !buffer_ok(&worker->body)) {
        outcome = refuse(&why, OUTCOME_INTERNAL, "the answer does not fit into memory");
    }
    dispatch_finish(worker->dispatcher, signing->audit, outcome,
                    request->route == ROUTE_TLS_SIGNATURE ? buffer_span(&worker->body)
                                                          : span_of(NULL, 0));
    if (outcome != OUTCOME_OK) {
        log_refusal(&question, outcome, &why);
        buffer_reset(&worker->body);
        problem_put(&worker->body, outcome, &why, question.rule, answer->request_id);
        answer->outcome = outcome;
        answer->media = MEDIA_PROBLEM;
        answer->max_age_s = 0;
        answer->peer[0] = '\0';
    }
    answer->body = buffer_span(&worker->body);
    view_unref(question.view);
}
