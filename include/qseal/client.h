/* SPDX-License-Identifier: Apache-2.0
 * libqseal: a small client of qseal's callers' door, for flow engines written in C and for
 * qseal.so.
 *
 * Each call is one HTTP/1.1 request over one connection of its own to the service's unix socket,
 * and blocks until the answer is there or the deadline has passed. The library keeps no state:
 * every function may be called from any thread, before and after fork(); no descriptor survives a
 * call, and none is inherited by a program that is exec'd. It raises no signals, logs nothing, and
 * needs libc alone. Texts are UTF-8, sizes are bytes. */
#ifndef QSEAL_CLIENT_H
#define QSEAL_CLIENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What came of a call. New values may be added behind these. */
enum qseal_result {
    QSEAL_OK,          /* 2xx; the answer holds it */
    QSEAL_UNREACHABLE, /* nobody listens at the socket, or the connection broke */
    QSEAL_TIMEOUT,     /* not done when the deadline passed; the service may have acted */
    QSEAL_REFUSED,     /* the service said no: see status and error of the answer */
    QSEAL_PROTOCOL,    /* what came back is not an answer of this service */
    QSEAL_INVALID,     /* an argument is wrong; nothing was sent */
    QSEAL_MEMORY       /* out of memory */
};

#define QSEAL_DEFAULT_SOCKET "/run/qseal/qseal.sock"
#define QSEAL_DEFAULT_TIMEOUT_MS 2000u
#define QSEAL_MAX_TIMEOUT_MS 600000u
/* A socket's path has at most this many bytes (unix(7)). */
#define QSEAL_MAX_SOCKET_PATH 107u
/* Bytes of a request's body, and of an answer's. */
#define QSEAL_MAX_REQUEST 1048576u
#define QSEAL_MAX_ANSWER 2097152u

/* Set `size` to sizeof(struct qseal_options): members may be added behind these. A null pointer in
 * place of the options, and each member that is 0, means the default. */
struct qseal_options {
    size_t size;
    const char *socket;      /* path of the service's socket; not abstract */
    unsigned int timeout_ms; /* for connect, send and receive together */
};

struct qseal_header {
    const char *name;
    const char *value;
};

/* An answer, and the reason when there is none. It owns what it points to: give it back with
 * qseal_answer_free(), whatever the result was. */
struct qseal_answer {
    unsigned int status; /* HTTP status, 0 when no answer came */
    size_t header_count;
    const struct qseal_header *headers;
    size_t body_len;
    const unsigned char *body; /* followed by a NUL that is not counted; NULL when no answer came */
    char error[512]; /* "" after QSEAL_OK; else one line, the service's own reason when it gave
                        one (`detail` of its RFC 9457 problem) */
    void *memory;    /* the library's own */
};

/* One request. `path` begins with a slash and is sent as it is; `headers` (at most 16) are sent
 * with it, Host, Connection and Content-Length are added. `body` may be NULL when `body_len` is 0.
 * All arguments are only read; `answer` is overwritten, not read. */
enum qseal_result qseal_request(const struct qseal_options *options, const char *method,
                                const char *path, const struct qseal_header *headers,
                                size_t header_count, const void *body, size_t body_len,
                                struct qseal_answer *answer);

/* A TLS client's CertificateVerify, see POST /v1/tls-signature/{role} of the API. */
struct qseal_tls_content {
    const char *role;   /* of the transport key */
    const char *scheme; /* IANA TLS SignatureScheme: "ecdsa_secp256r1_sha256" */
    const char *key; /* RFC 7638 thumbprint of the certificate's key; NULL: the role's active one */
    const void *content;
    size_t content_len;
    int is_transcript; /* 0: the whole to-be-signed content; 1: the whole TLS 1.3 transcript, from
                          which the service builds the content itself */
};

/* Asks for that signature: after QSEAL_OK it is the answer's body, ECDSA as DER. The header
 * Qseal-Peer names the proven peer, if it was proven. */
enum qseal_result qseal_tls_sign(const struct qseal_options *options,
                                 const struct qseal_tls_content *content,
                                 struct qseal_answer *answer);

/* The value of the header of this name (case does not matter), NULL when there is none; it lives as
 * long as the answer. Content-Type and Qseal-Request-Id are always there. */
const char *qseal_answer_header(const struct qseal_answer *answer, const char *name);

/* Accepts an answer that was freed, one full of zeros, and NULL. */
void qseal_answer_free(struct qseal_answer *answer);

/* "timeout" and the like; "unknown" for any other number. */
const char *qseal_result_name(enum qseal_result result);

#ifdef __cplusplus
}
#endif

#endif
