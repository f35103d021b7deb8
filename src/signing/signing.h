/* SPDX-License-Identifier: Apache-2.0
 * The signing service: what qseal-httpd asks of qseald for a caller.
 *
 * qseald owns the callers' listening socket: it accepts, reads SO_PEERCRED and hands the descriptor
 * to httpd with a connection number (door_*). httpd names that number with every request, so it can
 * speak only for callers who are connected. */
#ifndef QSEAL_SIGNING_SIGNING_H
#define QSEAL_SIGNING_SIGNING_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/name.h"
#include "model/operation.h"
#include "model/outcome.h"

enum {
    SIGNING_KIND_ASK = 1, /* a caller's request; the answer is a signing_answer */
    SIGNING_KIND_DOOR =
        2, /* door_front, "hand me callers": no answer, the connection becomes the door */
};
/* On the door: qseald → httpd */
enum {
    DOOR_KIND_SETTINGS = 3, /* first of all */
    DOOR_KIND_CALLER = 4,   /* with the descriptor as SCM_RIGHTS ancillary data on its first byte */
    DOOR_KIND_CLOSED = 5,   /* httpd → qseald: the number is free again */
    /* qseald → httpd: finish what is in flight, then close every caller.
     * httpd → qseald: I am leaving. qseald hands over nobody after that and shuts its side of the
     * door for writing; httpd reads to that end, serves all it was handed, says CLOSED for each and
     * closes the door. Until then its numbers stay good, also beside a new httpd's. */
    DOOR_KIND_DRAIN = 6,
};

enum signing_route {
    ROUTE_HEALTH,
    ROUTE_PROFILES,
    ROUTE_KEYS,
    ROUTE_JWKS,
    ROUTE_SIGN,          /* with an operation and the name of a profile */
    ROUTE_TLS_SIGNATURE, /* this and the next two: with the name of a role */
    ROUTE_CERTIFICATE,
    ROUTE_REFERENCE,
    ROUTE_VERIFY_DETACHED_JWS, /* this and the next: with the name of a profile that verifies */
    ROUTE_VERIFY_ID_TOKEN,
};
enum { ROUTE_COUNT = ROUTE_VERIFY_ID_TOKEN + 1 };

enum signing_media {
    MEDIA_NONE,
    MEDIA_JSON,
    MEDIA_JWK_SET,
    MEDIA_PROBLEM,
    MEDIA_OCTETS,
    MEDIA_PEM_CHAIN, /* certificates */
    MEDIA_PEM,       /* a key reference */
};
enum { MEDIA_COUNT = MEDIA_PEM + 1 };

enum {
    CONTENT_TYPE_SIZE = 128,
    SIGNING_BODY_MAX = 1024 * 1024,
    REQUEST_ID_SIZE = 37,
    SCHEME_SIZE = 64, /* room for more than any SignatureScheme of TLS has */
    KEY_NAME_LEN = 43,
    SIGNING_PEER_SIZE = 640,
};

struct signing_request {
    uint64_t connection; /* the number qseald gave */
    enum signing_route route;
    enum operation operation;             /* ROUTE_SIGN only */
    char name[NAME_LEN_MAX + 1];          /* of a profile or a role, "" where the route has none */
    char scheme[SCHEME_SIZE];             /* Qseal-Signature-Scheme as sent, "" when absent */
    char kid[KEY_NAME_LEN + 1];           /* Qseal-Key or ?kid=, an RFC 7638 thumbprint, or "" */
    char content_type[CONTENT_TYPE_SIZE]; /* as sent, "" when absent */
    char interaction_id[REQUEST_ID_SIZE]; /* x-fapi-interaction-id as sent, "" when absent or bad */
    bool interaction_id_bad;              /* sent more than once, or longer than a UUID */
    struct span body;
};

struct signing_answer {
    enum outcome outcome; /* httpd maps it to the status code */
    enum signing_media media;
    char request_id[REQUEST_ID_SIZE]; /* into Qseal-Request-Id */
    char peer[SIGNING_PEER_SIZE]; /* into Qseal-Peer: the proven server, "" when there is none */
    uint32_t max_age_s;           /* Cache-Control: max-age=…, 0: no-store */
    struct span body;             /* the whole body, also of problems: httpd has no JSON */
};

/* From qseald at the start of a door; a reload does not change them. */
struct door_settings {
    uint32_t channels;    /* connections httpd may open for questions (= qseald's workers) */
    uint32_t connections; /* most callers' connections at once */
    uint32_t body_max;    /* bytes */
    uint32_t head_ms;     /* request head, from its first byte */
    uint32_t body_ms;     /* request body */
    uint32_t idle_ms;     /* between requests of one connection */
    uint32_t deadline_ms; /* whole answer */
};

enum { DOOR_VERSION_SIZE = 16 };

/* What httpd says of itself when it asks for the door. */
struct door_front {
    char version[DOOR_VERSION_SIZE]; /* "0.1.0" */
    int64_t started;                 /* wall seconds */
};

struct door_caller {
    uint64_t connection;
    uint32_t uid;       /* httpd queues fairly between uids */
    uint32_t in_flight; /* most requests of this uid in httpd at once; more are answered 429 */
};

/* Whether it could be a thumbprint: 43 characters of base64url. */
bool key_name_is_valid(struct span name) MUST_USE;

/* Fields of each frame (codec.c). The get functions borrow spans from what they read. */
void signing_put_request(struct buffer *frame, const struct signing_request *request);
bool signing_get_request(struct reader *frame, struct signing_request *out) MUST_USE;
void signing_put_answer(struct buffer *frame, const struct signing_answer *answer);
bool signing_get_answer(struct reader *frame, struct signing_answer *out) MUST_USE;
/* Reading it makes the version printable. */
void door_put_front(struct buffer *frame, const struct door_front *front);
bool door_get_front(struct reader *frame, struct door_front *out) MUST_USE;
void door_put_settings(struct buffer *frame, const struct door_settings *settings);
bool door_get_settings(struct reader *frame, struct door_settings *out) MUST_USE;
void door_put_caller(struct buffer *frame, const struct door_caller *caller);
bool door_get_caller(struct reader *frame, struct door_caller *out) MUST_USE;

#endif
