/* SPDX-License-Identifier: Apache-2.0
 * Handshake framing, and one place per thread. */
#include "provider/transcript.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 4, FIRST_ROOM = 4096 };
enum {
    CLIENT_HELLO = 1,
    CERTIFICATE = 11,
    FINISHED = 20,
    COMPRESSED_CERTIFICATE = 25,
    MESSAGE_HASH = 254,
};

struct shelved {
    struct transcript transcript;
    size_t hash_len;
    uint8_t hash[SHA384_SIZE];
};

/* HMAC and HKDF keys go through digests too, and may begin as a message does. */
static void forget(uint8_t *data, size_t len)
{
    if (data != NULL) {
        explicit_bzero(data, len);
        free(data);
    }
}

void transcript_drop(struct transcript *transcript)
{
    forget(transcript->data, transcript->len);
    *transcript = (struct transcript){.is_something_else = true};
}

/* Types a TLS 1.3 transcript may hold (RFC 8446 §B.3, RFC 8879). */
static bool is_message_type(uint8_t type)
{
    switch (type) {
    case CLIENT_HELLO:
    case 2: /* ServerHello */
    case 5: /* EndOfEarlyData */
    case 8: /* EncryptedExtensions */
    case CERTIFICATE:
    case 13: /* CertificateRequest */
    case 15: /* CertificateVerify */
    case FINISHED:
    case COMPRESSED_CERTIFICATE:
    case MESSAGE_HASH:
        return true;
    default:
        return false;
    }
}

/* The first message is a ClientHello of legacy version 0303, or the message_hash that takes its
 * place after a HelloRetryRequest (§4.4.1). */
static bool starts_well(const struct transcript *transcript)
{
    static const uint8_t hash256[HEADER] = {MESSAGE_HASH, 0, 0, SHA256_SIZE};
    static const uint8_t hash384[HEADER] = {MESSAGE_HASH, 0, 0, SHA384_SIZE};
    const uint8_t *data = transcript->data;
    size_t len = transcript->len < HEADER ? transcript->len : HEADER;
    if (data[0] == MESSAGE_HASH) {
        return memcmp(data, hash256, len) == 0 || memcmp(data, hash384, len) == 0;
    }
    return data[0] == CLIENT_HELLO && (transcript->len < 5 || data[4] == 3) &&
           (transcript->len < 6 || data[5] == 3);
}

/* Walks over the messages that have come in since; false when they are none. */
static bool walk(struct transcript *transcript)
{
    while (transcript->len - transcript->next >= HEADER) {
        const uint8_t *at = transcript->data + transcript->next;
        size_t length = (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
        if (!is_message_type(at[0]) || length > TRANSCRIPT_MAX) {
            return false;
        }
        if (transcript->len - transcript->next - HEADER < length) {
            break;
        }
        transcript->last = at[0];
        transcript->finished = transcript->finished || at[0] == FINISHED;
        transcript->next += HEADER + length;
    }
    return starts_well(transcript);
}

static bool reserve(struct transcript *transcript, size_t want)
{
    size_t room = transcript->room == 0 ? FIRST_ROOM : transcript->room;
    while (room < want) {
        room *= 2;
    }
    if (room == transcript->room) {
        return true;
    }
    uint8_t *data = malloc(room);
    if (data == NULL) {
        return false;
    }
    if (transcript->data != NULL) {
        memcpy(data, transcript->data, transcript->len);
        forget(transcript->data, transcript->len);
    }
    transcript->data = data;
    transcript->room = room;
    return true;
}

void transcript_feed(struct transcript *transcript, struct span bytes)
{
    if (transcript->is_something_else || bytes.len == 0) {
        return;
    }
    /* Nearly all that is hashed is something else, and is known by its first byte. */
    if (transcript->len == 0 && bytes.data[0] != CLIENT_HELLO && bytes.data[0] != MESSAGE_HASH) {
        transcript->is_something_else = true;
        return;
    }
    if (bytes.len > TRANSCRIPT_MAX - transcript->len ||
        !reserve(transcript, transcript->len + bytes.len)) {
        transcript_drop(transcript);
        return;
    }
    memcpy(transcript->data + transcript->len, bytes.data, bytes.len);
    transcript->len += bytes.len;
    if (!walk(transcript)) {
        transcript_drop(transcript);
    }
}

struct transcript transcript_copy(const struct transcript *transcript)
{
    struct transcript copy = *transcript;
    if (copy.data != NULL) {
        copy.room = copy.len;
        copy.data = malloc(copy.room);
        if (copy.data == NULL) {
            return (struct transcript){.is_something_else = true};
        }
        memcpy(copy.data, transcript->data, copy.len);
    }
    return copy;
}

static void shelved_free(void *memory)
{
    struct shelved *shelved = memory;
    if (shelved != NULL) {
        transcript_drop(&shelved->transcript);
        free(shelved);
    }
}

bool transcript_open(pthread_key_t *shelf)
{
    return pthread_key_create(shelf, shelved_free) == 0;
}

void transcript_close(pthread_key_t shelf)
{
    shelved_free(pthread_getspecific(shelf));
    (void)pthread_key_delete(shelf);
}

void transcript_put(const struct provider *provider, struct transcript *transcript,
                    struct span hash)
{
    bool whole = transcript->data != NULL && transcript->next == transcript->len;
    bool fits = whole && transcript->finished && hash.len <= SHA384_SIZE &&
                (transcript->last == CERTIFICATE || transcript->last == COMPRESSED_CERTIFICATE);
    struct shelved *shelved = fits ? malloc(sizeof(*shelved)) : NULL;
    if (shelved == NULL) {
        transcript_drop(transcript);
        return;
    }
    *shelved = (struct shelved){.transcript = *transcript, .hash_len = hash.len};
    memcpy(shelved->hash, hash.data, hash.len);
    *transcript = (struct transcript){.is_something_else = true};
    shelved_free(pthread_getspecific(provider->shelf));
    if (pthread_setspecific(provider->shelf, shelved) != 0) {
        shelved_free(shelved);
    }
}

bool transcript_take(const struct provider *provider, struct span hash, struct transcript *out)
{
    struct shelved *shelved = pthread_getspecific(provider->shelf);
    if (shelved == NULL || !span_equal(span_of(shelved->hash, shelved->hash_len), hash)) {
        return false;
    }
    (void)pthread_setspecific(provider->shelf, NULL);
    *out = shelved->transcript;
    free(shelved);
    return true;
}
