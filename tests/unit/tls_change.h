/* SPDX-License-Identifier: Apache-2.0
 * One change of a handshake transcript, as a row of a table: what is done to which message, and the
 * reason for which the guard then refuses. */
#ifndef QSEAL_TESTS_UNIT_TLS_CHANGE_H
#define QSEAL_TESTS_UNIT_TLS_CHANGE_H

#include "check.h"
#include "tls_samples.h"

enum change_how {
    CHANGE_PATCH,  /* overwrites bytes of the body, from `at`; negative: from its end */
    CHANGE_BODY,   /* puts another body there */
    CHANGE_REMOVE, /* leaves the message out */
    CHANGE_REPEAT, /* has it twice */
    CHANGE_TYPE,   /* gives it the type bytes[0] */
    CHANGE_SUITE,  /* of a ServerHello */
    CHANGE_APPEND, /* more bytes behind everything */
    CHANGE_CUT,    /* `at` bytes less at the end */
};

struct change {
    const char *sample;
    enum change_how how;
    uint8_t type;
    int nth;
    long at;
    const char *bytes;
    size_t len;
    const char *reason;
};

/* The samples of the test program. */
static struct samples made;

static inline int changes_setup(void **state)
{
    (void)state;
    samples_make(&made);
    return 0;
}

static inline int changes_teardown(void **state)
{
    (void)state;
    samples_free(&made);
    return 0;
}

#define BYTES(text) text, sizeof(text) - 1
#define NO_BYTES NULL, 0

static inline size_t sample_index(const char *name)
{
    for (size_t i = 0; i < n_samples; i++) {
        if (strcmp(samples[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("no sample %s", name);
    return 0;
}

static inline void change_apply(const struct change *change, struct buffer *bytes)
{
    size_t at = 0;
    size_t len = 0;
    struct span insert = span_of(change->bytes, change->len);
    if (change->how == CHANGE_APPEND) {
        buffer_put_span(bytes, insert);
        return;
    }
    if (change->how == CHANGE_CUT) {
        buffer_cut(bytes, bytes->len - (size_t)change->at);
        return;
    }
    assert_true(rig_find(buffer_span(bytes), change->type, change->nth, &at, &len));
    size_t inside = at + 4 + (change->at < 0 ? len - 4 - (size_t)-change->at : (size_t)change->at);
    switch (change->how) {
    case CHANGE_SUITE:
        inside = at + 4 + 34;
        inside += 1 + (size_t)bytes->data[inside];
        rig_splice(bytes, inside, insert.len, insert);
        break;
    case CHANGE_PATCH:
        rig_splice(bytes, inside, insert.len, insert);
        break;
    case CHANGE_BODY:
        rig_set_body(bytes, at, insert);
        break;
    case CHANGE_REMOVE:
        rig_splice(bytes, at, len, span_of(NULL, 0));
        break;
    case CHANGE_REPEAT: {
        BUFFER_CLEANUP struct buffer copy = BUFFER_INIT(RIG_INPUT_MAX);
        buffer_put(&copy, bytes->data + at, len);
        rig_splice(bytes, at, 0, buffer_span(&copy));
        break;
    }
    case CHANGE_TYPE:
        bytes->data[at] = insert.data[0];
        break;
    case CHANGE_APPEND:
    case CHANGE_CUT:
        break;
    }
}

/* The guard that a program tests: judges these bytes in the place of those of a sample. */
typedef enum outcome (*changes_guard)(size_t sample, struct span bytes, struct tls_proof *proof,
                                      struct reason *why);

/* Each row, made of what `original` gives of its sample, is refused for its reason. */
static inline void changes_expect_refused(const struct change *rows, size_t n,
                                          struct span (*original)(size_t sample),
                                          changes_guard guard)
{
    for (size_t i = 0; i < n; i++) {
        size_t sample = sample_index(rows[i].sample);
        BUFFER_CLEANUP struct buffer bytes = BUFFER_INIT(RIG_INPUT_MAX);
        buffer_put_span(&bytes, original(sample));
        change_apply(&rows[i], &bytes);
        struct tls_proof proof = {.has_peer = true};
        struct reason why = {0};
        enum outcome outcome = guard(sample, buffer_span(&bytes), &proof, &why);
        if (strstr(why.detail, rows[i].reason) == NULL) {
            print_error("row %zu of %s\n", i, rows[i].sample);
        }
        assert_refused(outcome, OUTCOME_SHAPE, why, rows[i].reason);
        assert_false(proof.has_peer);
    }
}

/* A proof of this sample's handshake names its server. */
static inline void changes_expect_peer(size_t sample, enum tls_version version,
                                       const struct tls_proof *proof)
{
    uint8_t digest[32];
    rig_certificate_digest(made.servers[samples[sample].server].certificate, digest);
    assert_int_equal(proof->version, version);
    assert_true(proof->has_peer);
    assert_memory_equal(proof->peer_spki_sha256, digest, sizeof digest);
    assert_string_equal(proof->server_name, SAMPLE_SNI);
}

#endif
