/* SPDX-License-Identifier: Apache-2.0
 * One handshake of each kind that the transport guard meets. */
#include "tls_samples.h"

#include "check.h"

#include <stdlib.h>

enum { V2 = TLS1_2_VERSION, V3 = TLS1_3_VERSION };

static const char aes128[] = "TLS_AES_128_GCM_SHA256";
static const char aes256[] = "TLS_AES_256_GCM_SHA384";
static const char chacha[] = "TLS_CHACHA20_POLY1305_SHA256";

const struct sample samples[] = {
    {"1.2 RSA", V2, NULL, NULL, NULL, false, RIG_RSA, RIG_RSA, 0},
    {"1.2 RSA PKCS#1", V2, NULL, "RSA+SHA256", NULL, false, RIG_RSA, RIG_RSA, 0},
    {"1.2 RSA PKCS#1 SHA-512", V2, "ECDHE-RSA-AES256-SHA384", "RSA+SHA512", NULL, false, RIG_RSA,
     RIG_RSA, 0},
    {"1.2 P-256", V2, NULL, NULL, NULL, false, RIG_P256, RIG_P256, 0},
    {"1.2 P-384 for P-256", V2, NULL, "ECDSA+SHA256", NULL, false, RIG_P256, RIG_P384, 0},
    {"1.2 P-521", V2, NULL, NULL, NULL, false, RIG_P521, RIG_P521, 0},
    {"1.2 Ed25519", V2, NULL, NULL, NULL, false, RIG_ED25519, RIG_ED25519, 0},
    {"1.2 DHE", V2, "DHE-RSA-AES128-GCM-SHA256", NULL, NULL, false, RIG_RSA, RIG_P256, 0},
    {"1.2 stapled", V2, NULL, NULL, NULL, true, RIG_RSA, RIG_P256, 0},
    {"1.2 RSA-PSS", V2, NULL, NULL, NULL, false, RIG_RSA_PSS, RIG_RSA_PSS, 0},
    {"1.3 P-256", V3, aes128, NULL, NULL, false, RIG_P256, RIG_P256, 130},
    {"1.3 RSA", V3, aes256, NULL, NULL, false, RIG_RSA, RIG_RSA, 146},
    {"1.3 RSA SHA-512", V3, chacha, "rsa_pss_rsae_sha512", NULL, false, RIG_RSA, RIG_RSA, 130},
    {"1.3 P-384", V3, aes256, NULL, NULL, false, RIG_P384, RIG_P384, 146},
    {"1.3 P-521", V3, aes256, NULL, NULL, false, RIG_P521, RIG_P521, 146},
    {"1.3 Ed25519", V3, chacha, NULL, NULL, false, RIG_ED25519, RIG_ED25519, 130},
    {"1.3 RSA-PSS", V3, aes128, NULL, NULL, false, RIG_RSA_PSS, RIG_RSA_PSS, 130},
    {"1.3 stapled", V3, aes256, NULL, NULL, true, RIG_P256, RIG_RSA, 146},
    {"1.3 retry", V3, aes128, NULL, "P-256", false, RIG_P256, RIG_P256, 130},
    {"1.3 retry SHA-384", V3, aes256, NULL, "P-256", false, RIG_RSA, RIG_ED25519, 146},
};
const size_t n_samples = COUNT_OF(samples);

void samples_make(struct samples *out)
{
    const struct rig_certificate plain = {.san = "DNS:" SAMPLE_SNI};
    for (int i = 0; i < RIG_KINDS; i++) {
        rig_identity_make((enum rig_kind)i, &plain, &out->servers[i]);
        rig_identity_make((enum rig_kind)i, &plain, &out->clients[i]);
    }
    out->transcripts = calloc(n_samples, sizeof *out->transcripts);
    assert_non_null(out->transcripts);
    for (size_t i = 0; i < n_samples; i++) {
        const struct sample *sample = &samples[i];
        const struct rig_handshake how = {
            .version = sample->version,
            .ciphers = sample->ciphers,
            .sigalgs = sample->sigalgs,
            .groups = sample->groups,
            .sni = SAMPLE_SNI,
            .staple = sample->staple,
            .server = &out->servers[sample->server],
            .client = &out->clients[sample->client],
        };
        rig_shake(&how, &out->transcripts[i]);
        assert_true(out->transcripts[i].is_signed);
    }
}

void samples_free(struct samples *made)
{
    for (size_t i = 0; i < n_samples; i++) {
        rig_transcript_free(&made->transcripts[i]);
    }
    free(made->transcripts);
    for (int i = 0; i < RIG_KINDS; i++) {
        rig_identity_free(&made->servers[i]);
        rig_identity_free(&made->clients[i]);
    }
}

struct tls_key samples_key(const struct samples *made, size_t i)
{
    const struct rig_identity *client = &made->clients[samples[i].client];
    return (struct tls_key){.type = client->type, .spki_sha256 = client->spki_sha256};
}
