/* SPDX-License-Identifier: Apache-2.0
 * One handshake of each kind that the transport guard meets, made once per test program. */
#ifndef QSEAL_TESTS_UNIT_TLS_SAMPLES_H
#define QSEAL_TESTS_UNIT_TLS_SAMPLES_H

#include "pki/tls_guard.h"
#include "tls_rig.h"

struct sample {
    const char *name;
    int version;
    const char *ciphers;
    const char *sigalgs;
    const char *groups;
    bool staple;
    enum rig_kind server;
    enum rig_kind client;
    size_t content_len; /* TLS 1.3 */
};

extern const struct sample samples[];
extern const size_t n_samples;

struct samples {
    struct rig_identity servers[RIG_KINDS];
    struct rig_identity clients[RIG_KINDS];
    struct rig_transcript *transcripts; /* one for each sample */
};

#define SAMPLE_SNI "api.bank.example"

void samples_make(struct samples *out);
void samples_free(struct samples *made);
/* The key that signs in this sample. */
struct tls_key samples_key(const struct samples *made, size_t i);

#endif
