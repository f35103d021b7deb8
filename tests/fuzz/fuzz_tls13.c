/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.3: contents, and whole transcripts (how is odd). An accepted content is a client's; of an
 * accepted transcript the content that is then signed has its hash. */
#include "pki/tls_guard.h"

#include "tls_recheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] = "                                                                "
                           "TLS 1.3, client CertificateVerify"; /* and its NUL */

static void try_content(const struct tls_input *input)
{
    struct tls_proof proof;
    struct reason why = {0};
    enum outcome outcome = tls_guard_check(&input->key, input->alg, input->content, &proof, &why);
    if (outcome != OUTCOME_OK) {
        MUST(outcome == OUTCOME_SHAPE);
        recheck_refusal(&proof, &why);
    } else if (proof.version == TLS_1_3) {
        MUST(!proof.has_peer);
        MUST(input->content.len == 130 || input->content.len == 146);
        MUST(memcmp(input->content.data, head, sizeof head) == 0);
    }
}

static void try_transcript(const struct tls_input *input)
{
    struct tls_proof proof;
    struct reason why = {0};
    uint8_t content[TLS_CONTENT_MAX];
    size_t len = 0;
    enum outcome outcome =
        tls_guard_transcript(&input->key, input->alg, input->content, content, &len, &proof, &why);
    if (outcome != OUTCOME_OK) {
        MUST(outcome == OUTCOME_SHAPE);
        recheck_refusal(&proof, &why);
        return;
    }
    uint8_t hash[48];
    MUST(len == 130 || len == 146);
    MUST(EVP_Digest(input->content.data, input->content.len, hash, NULL,
                    len == 130 ? EVP_sha256() : EVP_sha384(), NULL) == 1);
    MUST(memcmp(content, head, sizeof head) == 0);
    MUST(memcmp(content + sizeof head, hash, len - sizeof head) == 0);
    recheck_proof(input, &proof);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_input input;
    if (!tls_input_read(data, size, &input)) {
        return 0;
    }
    if (input.how % 2 == 1) {
        try_transcript(&input);
    } else {
        try_content(&input);
    }
    return 0;
}
