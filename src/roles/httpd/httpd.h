/* SPDX-License-Identifier: Apache-2.0
 * The room of qseal-httpd: one thread, one epoll set.
 *
 *     door ──descriptors──▶ peers ──requests──▶ questions ──lanes──▶ qseald
 *                             ▲                                        │
 *                             └───────────────── answers ◀─────────────┘
 *
 * A *peer* is one caller's connection. Its bytes belong to libmicrohttpd (engine.c), which is run
 * from our loop and never waits by itself. A *question* is one request on its way to qseald and
 * back; it waits in the *queue* of its uid until one of the *lanes*, connections to qseald with one
 * question each, is free. The *door* is the connection over which qseald hands callers in.
 *
 * A question counts against its uid, and the bytes of its body against what is held of all bodies,
 * from the moment its head is complete: whoever is over is refused before a byte is kept.
 *
 * Who frees what: a peer is freed when libmicrohttpd says that its connection is closed, never
 * earlier; a question goes back to its pool when its peer's request is over, or when its lane is
 * done with it if the peer has left before. Lanes live as long as the room. */
#ifndef QSEAL_ROLES_HTTPD_HTTPD_H
#define QSEAL_ROLES_HTTPD_HTTPD_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/log.h"
#include "signing/signing.h"

#include <microhttpd.h>

/* What an epoll event is about: the first member of each thing that is watched. */
enum watch {
    WATCH_SIGNALS,
    WATCH_ENGINE,
    WATCH_DOOR,
    WATCH_LANE,
    WATCH_PEER,
};

/* One uid and its questions that wait. */
struct queue {
    struct queue *next; /* all of them */
    struct queue *turn; /* the next one whose turn it is, while this one has questions waiting */
    uint32_t uid;
    unsigned int users;     /* peers and questions that point here */
    unsigned int in_flight; /* questions: being received, waiting or in a lane */
    unsigned int lanes;     /* that carry one of them */
    size_t held;            /* bytes of their bodies */
    struct question *first, *last;
};

struct question {
    struct question *next; /* in the pool, or behind this one in its queue */
    struct peer *peer;     /* NULL: it has left; the answer is thrown away */
    struct queue *queue;   /* while in flight */
    struct lane *lane;     /* that carries it */
    bool waits;            /* in the list of its queue */
    struct buffer frame;   /* to qseald; the body is received into it */
    size_t body_at;        /* where that starts */
    size_t held;           /* bytes of it that count */
    struct buffer reply;   /* from qseald; the HTTP answer borrows its body from here */
    int64_t deadline_ms;
    bool asked_again;
};

struct lane {
    enum watch watch;
    struct lane *idle; /* next in the list of idle lanes */
    int fd;            /* -1: not connected */
    struct question *question;
    bool wants_room; /* EPOLLOUT is watched */
    size_t sent;
    size_t want; /* length of the whole reply, 0 until its header is there */
};

enum { QUERY_SIZE = 64 };

enum peer_state {
    PEER_IDLE,     /* between requests */
    PEER_HEAD,     /* the first byte of a head is there */
    PEER_BODY,     /* the head is complete */
    PEER_SWALLOW,  /* refused and answered; the rest of the body is read for good manners */
    PEER_ASKED,    /* suspended until the question is answered */
    PEER_REPLYING, /* the answer is being written */
    PEER_LEFT,     /* gone while it was suspended */
};

struct peer {
    enum watch watch;
    struct peer *next, *previous;
    struct MHD_Connection *connection;
    struct queue *queue;
    struct question *question; /* from the start of a body to the end of the answer */
    uint64_t number;           /* qseald's */
    uint32_t in_flight_max;
    unsigned int door; /* which door it came through */
    int fd;            /* libmicrohttpd's; for epoll and shutdown(2) only */
    enum peer_state state;
    int64_t deadline_ms;
    size_t swallowed; /* bytes of a body that are not kept */
    bool has_query;
    char query[QUERY_SIZE]; /* the start of it: more than any good one has */
    /* The request being received: */
    struct signing_request request;
    enum outcome refusal; /* to be said when the body has been read, or OUTCOME_OK */
    const char *detail;
    const char *allow;
};

struct door {
    enum watch watch;
    int fd;
    unsigned int generation; /* of callers: those of a lost door have no number any more */
    bool ready;              /* settings have arrived */
    bool draining;           /* qseald says so */
    bool leaving;            /* we said so: it is read to its end */
    bool ended;              /* and the end is there; CLOSED is still said */
    bool wants_room;         /* EPOLLOUT is watched */
    int64_t retry_at_ms;
    int64_t backoff_ms;
    struct buffer in, out;
    struct buffer one; /* a frame on its way into `out` */
    int fds[2];        /* descriptors whose frame is not complete yet */
    size_t n_fds;
};

/* Who asked last, and who before that. */
struct asker {
    uint32_t uid;
    int64_t at_ms;
};

struct httpd {
    const char *path; /* qseald's signing door; borrowed */
    int epoll;
    int64_t now_ms;  /* read once per turn of the loop */
    int64_t scan_ms; /* when the next deadline may pass */
    int64_t watchdog_ms, watchdog_at_ms;
    int64_t stop_at_ms;      /* 0: not stopping */
    struct door_front about; /* what qseald is told of it */
    struct log_limit said;   /* lines about callers' faults */
    bool ready_said;
    enum watch watch_signals, watch_engine;
    struct MHD_Daemon *engine;
    bool engine_pending; /* it has something to do */
    bool engine_watched; /* its epoll set is in ours */
    struct door_settings settings;
    struct door door;
    struct peer *peers;
    struct peer *adding; /* between MHD_add_connection and its notification */
    unsigned int n_peers;
    unsigned int n_in_engine; /* peers of whom libmicrohttpd has something to read or to write */
    struct queue *queues;
    struct queue *turn_first, *turn_last;
    struct asker last_asker, other_asker;
    size_t held; /* bytes of bodies, of all users */
    struct question *pool;
    unsigned int n_pool;
    struct lane *lanes; /* settings.channels may be used, LANES_MAX exist */
    struct lane *idle;
    unsigned int n_lanes; /* open ones */
    bool dispatch_pending;
};

enum { LANES_MAX = 1024 };

/* loop.c */
/* Runs until SIGTERM; 0, or -1 when the room could not be set up. */
int loop_run(struct httpd *httpd) MUST_USE;
/* Something must be looked at no later than this. */
void loop_arm(struct httpd *httpd, int64_t at_ms);
/* Edge-triggered reading and writing; false with errno. */
bool loop_watch(struct httpd *httpd, int fd, enum watch *watch, uint32_t events) MUST_USE;
void loop_rewatch(struct httpd *httpd, int fd, enum watch *watch, uint32_t events);
void loop_unwatch(struct httpd *httpd, int fd);

/* engine.c: libmicrohttpd */
bool engine_start(struct httpd *httpd) MUST_USE;
void engine_run(struct httpd *httpd);
void engine_stop(struct httpd *httpd);

/* door.c */
void door_event(struct httpd *httpd);
/* Connects when it is time to. */
void door_tick(struct httpd *httpd);
/* Tells qseald that a caller's connection is over. */
void door_say_closed(struct httpd *httpd, const struct peer *peer);
/* Asks qseald for no more callers. */
void door_leave(struct httpd *httpd);
/* Whether no caller can come through it any more. */
bool door_is_done(const struct httpd *httpd);
/* Sends what was put, once per turn. */
void door_flush(struct httpd *httpd);
/* Whether the process that gave the numbers still lives. */
bool door_is_alive(const struct httpd *httpd);

/* peers.c */
/* Takes the descriptor in any case; -1 is a caller whose descriptor did not arrive. */
void peer_add(struct httpd *httpd, int fd, const struct door_caller *caller);
void peer_free(struct httpd *httpd, struct peer *peer);
void peer_event(struct httpd *httpd, struct peer *peer, uint32_t events);
void peer_enter(struct httpd *httpd, struct peer *peer, enum peer_state state, int64_t for_ms);
/* Its request needs no question any more. */
void peer_drop_question(struct httpd *httpd, struct peer *peer);
/* The request is answered or broken off. */
void peer_request_over(struct httpd *httpd, struct peer *peer);
/* Whether its next answer is its last. */
bool peer_is_closing(const struct httpd *httpd, const struct peer *peer);
/* Whether its number is still good for a question. */
bool peer_may_ask(const struct httpd *httpd, const struct peer *peer);
/* Ends idle connections that are closing: at once, or after a moment while we stop. */
void peers_drain(struct httpd *httpd);
/* Ends what is over its time; lowers *next_ms to the next deadline. */
void peers_scan(struct httpd *httpd, int64_t *next_ms);
void peer_refuse_asked(struct httpd *httpd, struct peer *peer, enum outcome outcome,
                       const char *detail);
/* Answers every question that is in flight with 503. */
void peers_refuse_all(struct httpd *httpd, const char *detail);

/* requests.c: the callbacks of libmicrohttpd for one request */
void *requests_line(void *httpd, const char *uri, struct MHD_Connection *connection);
enum MHD_Result requests_handle(void *httpd, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_size, void **context);
struct peer *requests_peer(struct MHD_Connection *connection);

/* answers.c */
/* qseald's answer; its body is borrowed from the peer's question. */
void answers_give(struct httpd *httpd, struct peer *peer, const struct signing_answer *answer);
/* httpd's own; false when there is no memory for it. */
bool answers_refuse(struct httpd *httpd, struct peer *peer, enum outcome outcome,
                    const char *detail) MUST_USE;
/* Writes a whole answer past libmicrohttpd, after which the connection must be closed. */
void answers_last_word(struct httpd *httpd, const struct peer *peer, enum outcome outcome,
                       const char *detail);

/* questions.c */
struct queue *queue_of(struct httpd *httpd, uint32_t uid);
void queue_release(struct httpd *httpd, struct queue *queue); /* accepts NULL */
/* A question for a body of this length, or of unknown length when that is 0, counted against the
 * peer's uid and kept in `peer`. Otherwise the refusal, with a fixed text. */
enum outcome question_begin(struct httpd *httpd, struct peer *peer, size_t length,
                            const char **detail) MUST_USE;
/* A piece of the body. */
enum outcome question_put_body(struct httpd *httpd, struct question *question, struct span bytes,
                               const char **detail) MUST_USE;
size_t question_body_len(const struct question *question);
/* The frame is whole; false when it could not be formed. */
bool question_end(struct question *question) MUST_USE;
/* One that is no longer in flight. */
void question_give_back(struct httpd *httpd, struct question *question);
/* Puts it at the end of the queue. */
void question_wait(struct httpd *httpd, struct question *question);
/* Puts it in front again, after its lane broke. */
void question_wait_again(struct httpd *httpd, struct question *question);
/* Brings a queue in front that may have one more lane; false when there is none. */
bool questions_turn(struct httpd *httpd) MUST_USE;
/* The one whose turn it is; NULL when none waits. */
struct question *question_next(struct httpd *httpd);
/* A lane carries it. */
void question_carried(struct question *question, struct lane *lane);
/* Takes it out of its queue, if it waits there. */
void question_withdraw(struct httpd *httpd, struct question *question);
/* It no longer counts. */
void question_done(struct httpd *httpd, struct question *question);
void questions_free(struct httpd *httpd);

/* lanes.c */
bool lanes_init(struct httpd *httpd) MUST_USE;
void lanes_fini(struct httpd *httpd);
/* Sends waiting questions while there are free lanes. */
void lanes_dispatch(struct httpd *httpd);
void lane_event(struct httpd *httpd, struct lane *lane);
/* Closes lanes whose question is over its time; lowers *next_ms. */
void lanes_scan(struct httpd *httpd, int64_t *next_ms);
/* Closes idle ones: while we stop, the next httpd needs qseald's room for its own. */
void lanes_trim(struct httpd *httpd);
/* Closes all of them; their questions are no longer in flight. */
void lanes_close(struct httpd *httpd);

#endif
