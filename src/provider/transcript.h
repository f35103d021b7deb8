/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.3 handshake transcripts, seen from below: what a hash is fed, as long as it looks like
 * handshake messages (RFC 8446 §4), kept so that the service can be shown what a
 * CertificateVerify's hash stands for.
 *
 * Bounded twice: each transcript has a maximum, and each thread keeps at most one finished one.
 * libssl makes the hash and asks for the signature in one go, in one thread. No locks: nothing can
 * hang after a fork. */
#ifndef QSEAL_PROVIDER_TRANSCRIPT_H
#define QSEAL_PROVIDER_TRANSCRIPT_H

#include "base/attributes.h"
#include "base/span.h"
#include "provider/provider.h"

#include <stdbool.h>

enum { TRANSCRIPT_MAX = 256 * 1024 };

/* What one hash context has been fed; all zeros at the start. */
struct transcript {
    uint8_t *data; /* owned; NULL when there is nothing, or nothing any more */
    size_t len;
    size_t room;
    size_t next;   /* where the next message begins */
    uint8_t last;  /* type of the last whole message */
    bool finished; /* a Finished has been seen */
    bool is_something_else;
};

/* Adds bytes, or drops all of it for good when they cannot be handshake messages. */
void transcript_feed(struct transcript *transcript, struct span bytes);
/* A copy of its own; one that cannot be made is dropped. */
struct transcript transcript_copy(const struct transcript *transcript);
void transcript_drop(struct transcript *transcript);

/* The shelf: `provider->shelf` has to be a key made by transcript_open(). */
bool transcript_open(pthread_key_t *shelf) MUST_USE;
/* Also drops what the calling thread still has there. */
void transcript_close(pthread_key_t shelf);
/* Puts a transcript there if it ends as a client's CertificateVerify wants it: server's Finished,
 * then own Certificate (RFC 8446 §4.4). It replaces what this thread had there; taken over in any
 * case. */
void transcript_put(const struct provider *provider, struct transcript *transcript,
                    struct span hash);
/* Takes this thread's transcript of that hash; false when there is none. Drop it after use. */
bool transcript_take(const struct provider *provider, struct span hash,
                     struct transcript *out) MUST_USE;

#endif
