/* SPDX-License-Identifier: Apache-2.0
 * From the bytes of one request to the question: what libmicrohttpd calls, in this order, for the
 * request line, the whole head, each piece of the body, and the end. */
#include "roles/httpd/httpd.h"

#include "http/head.h"
#include "http/route.h"

#include <string.h>

enum {
    SWALLOW_MAX = 8 * 1024 * 1024,
    FINISH_MAX = 64 * 1024, /* a refused body up to this is read to its end, then answered */
};

struct peer *requests_peer(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void copy_text(char *out, size_t size, struct span text)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0) {
        memcpy(out, text.data, len);
    }
    out[len] = '\0';
}

void *requests_line(void *httpd, const char *uri, struct MHD_Connection *connection)
{
    (void)httpd;
    struct peer *peer = requests_peer(connection);
    const char *mark = strchr(uri, '?'); /* later it is parsed away */
    peer->has_query = mark != NULL;
    copy_text(peer->query, sizeof peer->query, span_of_text(mark == NULL ? "" : mark + 1));
    return NULL;
}

static enum MHD_Result count_field(void *head, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    head_field(head, span_of(name, name_len), span_of(value, value_len));
    return MHD_YES;
}

/* Says why, and closes: after this, nobody can tell where the next request starts. */
static enum MHD_Result refuse_and_close(struct httpd *httpd, const struct peer *peer,
                                        enum outcome outcome, const char *detail)
{
    answers_last_word(httpd, peer, outcome, detail);
    return MHD_NO;
}

/* A client that is still sending would lose the answer in the reset that follows an unread byte, so
 * the rest is read, for as long as the body's time lasts. */
static enum MHD_Result refuse_body(struct httpd *httpd, struct peer *peer, enum outcome outcome,
                                   const char *detail)
{
    answers_last_word(httpd, peer, outcome, detail);
    peer_drop_question(httpd, peer);
    int64_t left_ms = peer->deadline_ms - httpd->now_ms;
    peer_enter(httpd, peer, PEER_SWALLOW, left_ms > 0 ? left_ms : 0);
    peer->swallowed = 0;
    return MHD_YES;
}

/* The fields that only some routes have. */
static void fill_key(struct signing_request *request, const struct head *head,
                     const struct route *route, struct span kid)
{
    static const struct span none = {NULL, 0};
    bool tls = route->route == ROUTE_TLS_SIGNATURE;
    copy_text(request->scheme, sizeof request->scheme, tls ? head->scheme : none);
    copy_text(request->kid, sizeof request->kid, tls ? head->key : kid);
}

static void fill_request(struct peer *peer, const struct head *head, const struct route *route,
                         struct span kid)
{
    struct signing_request *request = &peer->request;
    request->connection = peer->number;
    request->route = route->route;
    request->operation = route->operation;
    copy_text(request->name, sizeof request->name, route->name);
    fill_key(request, head, route, kid);
    copy_text(request->content_type, sizeof request->content_type, head->content_type);
    copy_text(request->interaction_id, sizeof request->interaction_id, head->interaction_id);
    size_t id_len = head->interaction_id.len;
    request->interaction_id_bad =
        head->interaction_ids > 1 ||
        (head->interaction_ids == 1 && (id_len == 0 || id_len >= sizeof request->interaction_id));
}

/* A refusal that can wait for the end of the body, so that the connection can be used on. */
static void refuse_later(struct peer *peer, enum outcome outcome, const char *detail)
{
    peer->refusal = outcome;
    peer->detail = detail;
}

static void route_request(struct peer *peer, const struct head *head, const char *method,
                          const char *path)
{
    struct route route;
    struct span kid = {NULL, 0};
    const char *detail = NULL;
    enum outcome outcome = route_find(method, path, &route);
    peer->allow = route.allow;
    if (outcome == OUTCOME_NOT_FOUND) {
        refuse_later(peer, outcome, "there is no such path");
        return;
    }
    if (outcome == OUTCOME_METHOD) {
        refuse_later(peer, outcome, "the path takes another method, see Allow");
        return;
    }
    if (peer->has_query) {
        outcome = route_query(&route, span_of_text(peer->query), &kid, &detail);
    }
    refuse_later(peer, outcome, detail);
    if (outcome == OUTCOME_OK) {
        fill_request(peer, head, &route, kid);
    }
}

/* Whoever is over a limit is told so before a byte of the body is kept: at once, or, where that
 * lets the connection be used on, at the end of a small body. */
static enum MHD_Result admit(struct httpd *httpd, struct peer *peer, const struct head *head)
{
    const char *detail = NULL;
    enum outcome outcome = question_begin(httpd, peer, (size_t)head->content_length, &detail);
    if (outcome == OUTCOME_OK) {
        return MHD_YES;
    }
    if (head->transfer_encodings > 0 || head->content_length > FINISH_MAX) {
        return refuse_body(httpd, peer, outcome, detail);
    }
    refuse_later(peer, outcome, detail);
    return MHD_YES;
}

static enum MHD_Result request_head(struct httpd *httpd, struct peer *peer, const char *path,
                                    const char *method, const char *version)
{
    struct head head = {0};
    const char *detail = NULL;
    peer_enter(httpd, peer, PEER_BODY, httpd->settings.body_ms);
    peer->swallowed = 0;
    (void)MHD_get_connection_values_n(peer->connection, MHD_HEADER_KIND, count_field, &head);
    enum outcome outcome = head_judge(&head, version, httpd->settings.body_max, &detail);
    if (outcome == OUTCOME_TOO_LARGE) {
        return refuse_body(httpd, peer, outcome, detail);
    }
    if (outcome != OUTCOME_OK) {
        return refuse_and_close(httpd, peer, outcome, detail);
    }
    if (head_has_body(&head) && strcmp(method, "POST") != 0) {
        return refuse_and_close(httpd, peer, OUTCOME_MALFORMED, "only POST has a body");
    }
    route_request(peer, &head, method, path);
    return peer->refusal == OUTCOME_OK ? admit(httpd, peer, &head) : MHD_YES;
}

static enum MHD_Result request_body(struct httpd *httpd, struct peer *peer, const char *bytes,
                                    size_t len)
{
    if (peer->state == PEER_SWALLOW) {
        peer->swallowed += len;
        return peer->swallowed <= SWALLOW_MAX ? MHD_YES : MHD_NO;
    }
    size_t before = peer->question != NULL ? question_body_len(peer->question) : peer->swallowed;
    size_t most = httpd->settings.body_max; /* which may have been lowered in between */
    if (before > most || len > most - before) {
        return refuse_body(httpd, peer, OUTCOME_TOO_LARGE, "the body is over the limit");
    }
    if (peer->question == NULL) { /* refused already */
        peer->swallowed += len;
        return MHD_YES;
    }
    const char *detail = NULL;
    enum outcome outcome = question_put_body(httpd, peer->question, span_of(bytes, len), &detail);
    return outcome == OUTCOME_OK ? MHD_YES : refuse_body(httpd, peer, outcome, detail);
}

/* A definite answer at once, or the connection is closed. */
static enum MHD_Result refuse_now(struct httpd *httpd, struct peer *peer, enum outcome outcome,
                                  const char *detail)
{
    return answers_refuse(httpd, peer, outcome, detail) ? MHD_YES : MHD_NO;
}

static enum MHD_Result ask(struct httpd *httpd, struct peer *peer)
{
    struct question *question = peer->question;
    if (!question_end(question)) {
        return MHD_NO;
    }
    peer_enter(httpd, peer, PEER_ASKED, httpd->settings.deadline_ms);
    question->deadline_ms = peer->deadline_ms;
    question_wait(httpd, question);
    MHD_suspend_connection(peer->connection);
    lanes_dispatch(httpd); /* at once: the answer is on its way before we look at anybody else */
    return MHD_YES;
}

static enum MHD_Result request_end(struct httpd *httpd, struct peer *peer)
{
    if (peer->state != PEER_BODY) { /* swallowed or left */
        return MHD_NO;
    }
    if (peer->refusal != OUTCOME_OK) {
        return refuse_now(httpd, peer, peer->refusal, peer->detail);
    }
    if (!peer_may_ask(httpd, peer)) {
        return refuse_now(httpd, peer, OUTCOME_UNAVAILABLE, "the signing service is not there");
    }
    return ask(httpd, peer);
}

enum MHD_Result requests_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_size, void **context)
{
    struct httpd *httpd = cls;
    if (*context == NULL) {
        struct peer *peer = requests_peer(connection);
        *context = peer;
        return request_head(httpd, peer, url, method, version);
    }
    struct peer *peer = *context;
    if (*upload_size > 0) {
        size_t len = *upload_size;
        *upload_size = 0;
        return request_body(httpd, peer, upload, len);
    }
    return request_end(httpd, peer);
}
